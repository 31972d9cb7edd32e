//! Measures a whole broker: encoded batches are replayed over the plain protocol, so that the load costs as little as
//! it can beside what it measures.
//!
//! ```text
//! load produce --bootstrap 127.0.0.1:9092 --pid PID      1 MiB requests, acks=all
//! load small   --bootstrap 127.0.0.1:9092 --pid PID      1 KiB requests, acks=all, 64 connections
//! load consume --bootstrap 127.0.0.1:9092 --pid PID      what `produce` left behind, in large fetches
//! ```
//!
//! Prints throughput, and of the process PID its CPU seconds (per GB, of 10^9 bytes, and per request) and resident
//! memory. Any broker of the Kafka protocol can be measured; the topics are made anew by each producing run.

mod connection;
mod consume;
mod measure;
mod produce;

use std::net::SocketAddr;

use clap::{Args, Parser, Subcommand};

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
}

#[derive(Args)]
struct Broker {
    #[arg(long)]
    bootstrap: SocketAddr,
    /// The broker's process, to be told its CPU time and memory.
    #[arg(long)]
    pid: Option<u32>,
    /// One JSON object instead of text.
    #[arg(long)]
    json: bool,
}

fn main() {
    let (broker, measured) = match Arguments::parse().scenario {
        Scenario::Produce { broker, connections, in_flight, request_bytes, requests, acks } => {
            let load = produce::Load { topic: "load", connections, in_flight, request_bytes, requests, acks };
            let measured = produce::run("produce", broker.bootstrap, broker.pid, &load);
            (broker, measured)
        }
        Scenario::Small { broker, connections, in_flight, request_bytes, requests, acks } => {
            let load =
                produce::Load { topic: "load-small", connections, in_flight, request_bytes, requests, acks };
            let measured = produce::run("small", broker.bootstrap, broker.pid, &load);
            (broker, measured)
        }
        Scenario::Consume { broker, fetch_bytes, rounds } => {
            let measured = consume::run(broker.bootstrap, broker.pid, "load", fetch_bytes, rounds);
            (broker, measured)
        }
    };
    print(&measured, broker.json);
}

fn print(measured: &Measured, json: bool) {
    if json {
        println!("{}", serde_json::to_string(measured).expect("numbers are valid JSON"));
    } else {
        println!("{measured}");
    }
}
