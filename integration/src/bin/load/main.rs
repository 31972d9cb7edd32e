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

use std::{net::SocketAddr, time::Duration};

use clap::{Args, Parser, Subcommand};

use integration::{
    load::{
        across::{self, Across},
        consume,
        data::{Data, Pool, Recipe},
        measure::{Measured, Meter},
        produce::{Lanes, Load},
        topic,
    },
    produce::{log_end, now_ms},
};
use protocol::batch::Compression;

/// Different bytes that are sent before they repeat.
const POOL_BYTES: usize = 32 << 20;
const SMALL_POOL_BYTES: usize = 2 << 20;
const TOPIC: &str = "load";

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
    Across(AcrossArguments),
}

#[derive(Args)]
struct AcrossArguments {
    #[arg(long)]
    source: SocketAddr,
    #[arg(long)]
    target: SocketAddr,
    #[arg(long, default_value_t = 4)]
    partitions: i32,
    #[arg(long, default_value_t = 4)]
    in_flight: usize,
    #[arg(long, default_value_t = 1_000_000)]
    request_bytes: usize,
    #[arg(long, default_value_t = -1, allow_negative_numbers = true)]
    acks: i16,
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// MB/s over all partitions; as much as goes without.
    #[arg(long)]
    rate: Option<f64>,
    #[arg(long, value_enum, default_value_t = Data::Events)]
    data: Data,
    #[command(flatten)]
    report: Report,
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
    match Arguments::parse().scenario {
        Scenario::Produce { broker, connections, in_flight, request_bytes, requests, acks } => {
            let pool = noise(request_bytes, POOL_BYTES);
            let load = load(TOPIC, connections, in_flight, acks, &pool);
            produce("produce", &broker, &load, requests);
        }
        Scenario::Small { broker, connections, in_flight, request_bytes, requests, acks } => {
            let pool = noise(request_bytes, SMALL_POOL_BYTES);
            let load = load("load-small", connections, in_flight, acks, &pool);
            produce("small", &broker, &load, requests);
        }
        Scenario::Consume { broker, fetch_bytes, rounds } => {
            let partitions = (0..).take_while(|at| log_end(broker.bootstrap, TOPIC, *at).is_some()).count();
            assert!(partitions > 0, "there is nothing to read: run `load produce` first");
            let partitions = i32::try_from(partitions).expect("few partitions");
            let meter = Meter::start(&broker.report.pid);
            let (mut requests, mut bytes) = (0, 0);
            for _ in 0..rounds {
                let read = consume::run(broker.bootstrap, TOPIC, partitions, 1, fetch_bytes);
                requests += read.requests;
                bytes += read.bytes;
            }
            print(&meter.stop("consume", requests, bytes), broker.report.json);
        }
        Scenario::Across(across) => carry(&across),
    }
}

/// One connection for each partition.
fn load<'a>(topic: &'a str, connections: usize, in_flight: usize, acks: i16, pool: &'a Pool) -> Load<'a> {
    let partitions = i32::try_from(connections).expect("few partitions");
    Load { topic, partitions, connections, in_flight, acks, pool }
}

fn noise(batch_bytes: usize, pool_bytes: usize) -> Pool {
    Pool::of(&Recipe { data: Data::Noise, compression: Compression::None, batch_bytes, pool_bytes })
}

fn produce(name: &'static str, broker: &Broker, load: &Load<'_>, requests: u64) {
    topic::create_anew(broker.bootstrap, load.topic, load.partitions);
    let mut lanes = Lanes::open(broker.bootstrap, load);
    let meter = Meter::start(&broker.report.pid);
    let produced = lanes.run(|done| done.requests >= requests);
    print(&meter.stop(name, produced.requests, produced.bytes), broker.report.json);
}

fn carry(arguments: &AcrossArguments) {
    let AcrossArguments { source, target, partitions, in_flight, acks, .. } = *arguments;
    // A replica's identity never changes, so each run has a topic of its own.
    let topic = format!("load-across-{}", now_ms());
    topic::create(source, &topic, partitions, &[]);
    topic::await_there(target, &topic, partitions);
    let pool = Pool::of(&Recipe {
        data: arguments.data,
        compression: Compression::None,
        batch_bytes: arguments.request_bytes,
        pool_bytes: POOL_BYTES,
    });
    let meter = Meter::start(&arguments.report.pid);
    let crossed = across::run(&Across {
        source,
        target,
        topic: &topic,
        partitions,
        connections: partitions.unsigned_abs() as usize,
        in_flight,
        acks,
        duration: Duration::from_secs(arguments.seconds),
        rate: arguments.rate.map(|mb| (mb * 1e6) as u64),
        pool: &pool,
    });
    let measured = meter.stop("across", crossed.requests, crossed.bytes);
    print(&measured.with_latency(crossed.delay), arguments.report.json);
}

fn print(measured: &Measured, json: bool) {
    if json {
        println!("{}", serde_json::to_string(measured).expect("numbers are valid JSON"));
    } else {
        println!("{measured}");
    }
}
