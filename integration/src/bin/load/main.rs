//! Measures a whole broker: encoded batches are replayed over the plain protocol, so that the load costs as little as
//! it can beside what it measures.
//!
//! ```text
//! load produce --bootstrap 127.0.0.1:9092 --pid PID      1 MiB requests, acks=all
//! load small   --bootstrap 127.0.0.1:9092 --pid PID      1 KiB requests, acks=all, 64 connections
//! load consume --bootstrap 127.0.0.1:9092 --pid PID      what `produce` left behind, in large fetches
//! load across  --source 127.0.0.1:19092 --target 127.0.0.1:29092 --pid PID --pid PID     through a mirror
//! ```
//!
//! Prints throughput, and of the processes PID their CPU seconds (per GB, of 10^9 bytes, and per request) and resident
//! memory. Any broker of the Kafka protocol can be measured; the topics are made anew by each producing run. `across` makes
//! topics called `load-across-*`, which the mirror has to carry.

mod across;
mod connection;
mod consume;
mod data;
mod measure;
mod produce;

use std::{net::SocketAddr, time::Duration};

use clap::{Args, Parser, Subcommand};

use data::Data;
use measure::Measured;

#[derive(Parser)]
#[command(about = "Measures a whole broker with encoded batches over the plain protocol")]
struct Arguments {
    #[command(subcommand)]
    scenario: Scenario,
}

#[derive(Subcommand)]
enum Scenario {
    /// Large requests: what the bytes cost.
    Produce {
        #[command(flatten)]
        broker: Broker,
        #[arg(long, default_value_t = 4)]
        connections: usize,
        /// Requests that a connection has sent and not yet heard of.
        #[arg(long, default_value_t = 4)]
        in_flight: usize,
        #[arg(long, default_value_t = 1_000_000)]
        request_bytes: usize,
        #[arg(long, default_value_t = 4_096)]
        requests: u64,
        #[arg(long, default_value_t = -1, allow_negative_numbers = true)]
        acks: i16,
    },
    /// Small requests: what a request costs.
    Small {
        #[command(flatten)]
        broker: Broker,
        #[arg(long, default_value_t = 64)]
        connections: usize,
        #[arg(long, default_value_t = 16)]
        in_flight: usize,
        #[arg(long, default_value_t = 1_024)]
        request_bytes: usize,
        #[arg(long, default_value_t = 1_000_000)]
        requests: u64,
        #[arg(long, default_value_t = -1, allow_negative_numbers = true)]
        acks: i16,
    },
    /// Reads everything that `produce` wrote.
    Consume {
        #[command(flatten)]
        broker: Broker,
        /// Bytes asked for at once.
        #[arg(long, default_value_t = 8 << 20)]
        fetch_bytes: i32,
        /// Times to read it all.
        #[arg(long, default_value_t = 1)]
        rounds: u32,
    },
    /// From a producer at one broker to a consumer at another that mirrors it.
    Across {
        #[arg(long)]
        source: SocketAddr,
        #[arg(long)]
        target: SocketAddr,
        #[arg(long, default_value_t = 4)]
        partitions: usize,
        #[arg(long, default_value_t = 4)]
        in_flight: usize,
        #[arg(long, default_value_t = 1_000_000)]
        request_bytes: usize,
        #[arg(long, default_value_t = 10)]
        seconds: u64,
        /// MB/s over all partitions; as much as goes without.
        #[arg(long)]
        rate: Option<f64>,
        #[arg(long, value_enum, default_value_t = Data::Events)]
        data: Data,
        #[command(flatten)]
        report: Report,
    },
}

#[derive(Args)]
struct Broker {
    #[arg(long)]
    bootstrap: SocketAddr,
    #[command(flatten)]
    report: Report,
}

#[derive(Args)]
struct Report {
    /// A broker's process, to be told its CPU time and memory; several are added up.
    #[arg(long)]
    pid: Vec<u32>,
    /// One JSON object instead of text.
    #[arg(long)]
    json: bool,
}

fn main() {
    let (report, measured) = match Arguments::parse().scenario {
        Scenario::Produce { broker, connections, in_flight, request_bytes, requests, acks } => {
            let load = produce::Load { topic: "load", connections, in_flight, request_bytes, requests, acks };
            let measured = produce::run("produce", broker.bootstrap, &broker.report.pid, &load);
            (broker.report, measured)
        }
        Scenario::Small { broker, connections, in_flight, request_bytes, requests, acks } => {
            let load =
                produce::Load { topic: "load-small", connections, in_flight, request_bytes, requests, acks };
            let measured = produce::run("small", broker.bootstrap, &broker.report.pid, &load);
            (broker.report, measured)
        }
        Scenario::Consume { broker, fetch_bytes, rounds } => {
            let measured = consume::run(broker.bootstrap, &broker.report.pid, "load", fetch_bytes, rounds);
            (broker.report, measured)
        }
        Scenario::Across {
            source,
            target,
            partitions,
            in_flight,
            request_bytes,
            seconds,
            rate,
            data,
            report,
        } => {
            let duration = Duration::from_secs(seconds);
            let rate = rate.map(|mb| (mb * 1e6) as u64);
            let across =
                across::Across { source, target, partitions, in_flight, request_bytes, duration, rate, data };
            let measured = across::run(&report.pid, &across);
            (report, measured)
        }
    };
    print(&measured, report.json);
}

fn print(measured: &Measured, json: bool) {
    if json {
        println!("{}", serde_json::to_string(measured).expect("numbers are valid JSON"));
    } else {
        println!("{measured}");
    }
}
