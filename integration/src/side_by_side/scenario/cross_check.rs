//! Our load generator beside those of others, against the same broker: how both sides compare should not depend on who asks.

use std::{fs, net::SocketAddr, sync::LazyLock, time::Duration};

use super::{Case, Context};
use crate::{
    Wire,
    load::{
        consume,
        data::{self, Pool},
        ends,
        produce::{self, Lanes, Load},
        topic,
    },
    side_by_side::{
        figures::Figures,
        node::Node,
        others::{kafka_tools, librdkafka},
        side::{Acks, Lone, Side},
        usage::Usage,
    },
};

const MB: f64 = 1e6;
const GB: f64 = 1e9;
const TOPIC: &str = "filled";
const PARTITIONS: i32 = 16;
const CONNECTIONS: usize = 4;
/// What a Kafka producer gathers for a partition by default.
const BATCH_BYTES: usize = 16_384;
const FETCH_BYTES: i32 = 1 << 20;
const WARM_UP_SECONDS: u64 = 5;
/// Different values.
const VALUES: usize = 100_000;

pub(crate) fn cases() -> Vec<Case> {
    let name = |what| format!("{what}, {PARTITIONS} partitions, page-cache acks");
    vec![
        Case { name: name("produce"), run: Box::new(produced) },
        Case { name: name("consume"), run: Box::new(consumed) },
    ]
}

/// A load tool: moves a number of records to or from a topic, and says how many bytes of values a second.
type Tool<'a> = (&'static str, Box<dyn Fn(&str, u64) -> f64 + 'a>);

fn produced(side: &dyn Side, context: &mut Context<'_>) -> Figures {
    let Lone { mut node, _folder: folder } = side.broker(&context.places.source);
    node.start();
    let (broker, place) = (node.kafka, &*context.places.source);
    let values = data::events(VALUES);
    let file = folder.path().join("values");
    fs::write(&file, values.join(&b'\n')).expect("values can be written");
    let pool = context.pool(BATCH_BYTES);
    let make = |topic: &str| {
        topic::create(broker, topic, PARTITIONS, side.configs(Acks::PageCache));
        produce::first_records(broker, topic, PARTITIONS);
    };
    context.progress.say("warming up");
    make("warm-up");
    Lanes::open(broker, &load("warm-up", &pool)).run(super::for_seconds(WARM_UP_SECONDS, u64::MAX));

    let tools: [Tool<'_>; 3] = [
        ("our generator", Box::new(|topic, records| ours(broker, topic, &pool, records))),
        (
            "Kafka's perf-test",
            Box::new(|topic, records| kafka_tools::produce(place, broker, topic, &file, records)),
        ),
        ("librdkafka", Box::new(|topic, records| librdkafka::produce(broker, topic, &values, records))),
    ];
    let wanted = records(context);
    let mut figures = Figures::default();
    for (name, tool) in tools {
        context.progress.say(name);
        let topic = format!("by-{}", name.replace(|c: char| !c.is_alphanumeric(), "-"));
        make(&topic);
        let there = || ends::records(&mut Wire::connect(broker), &topic, PARTITIONS).expect("it is there");
        let before = there();
        figures.extend(measured(&node, name, wanted, || tool(&topic, wanted)));
        assert!((there() - before).unsigned_abs() >= wanted, "{name} did not produce what it was to");
    }
    figures
}

fn consumed(side: &dyn Side, context: &mut Context<'_>) -> Figures {
    let mut broker = side.broker(&context.places.source);
    broker.node.start();
    let (address, place) = (broker.node.kafka, &*context.places.source);
    let pool = context.pool(BATCH_BYTES);
    context.progress.say("filling");
    topic::create(address, TOPIC, PARTITIONS, side.configs(Acks::PageCache));
    ours(address, TOPIC, &pool, records(context));
    // Nobody reads beyond these, however many more there are.
    let wanted = ends::records(&mut Wire::connect(address), TOPIC, PARTITIONS).expect("it is there");
    let wanted = wanted.unsigned_abs();
    let read = |topic: &str| consume::run(address, topic, PARTITIONS, CONNECTIONS, FETCH_BYTES);
    context.progress.say("warming up");
    read(TOPIC);
    let tools: [Tool<'_>; 3] = [
        ("our generator", Box::new(|topic, records| rate(records, read(topic).elapsed))),
        (
            "Kafka's perf-test",
            Box::new(|topic, records| kafka_tools::consume(place, address, topic, records)),
        ),
        ("librdkafka", Box::new(|topic, records| librdkafka::consume(address, topic, PARTITIONS, records))),
    ];
    let mut figures = Figures::default();
    for (name, tool) in tools {
        context.progress.say(name);
        figures.extend(measured(&broker.node, name, wanted, || tool(TOPIC, wanted)));
    }
    figures
}

/// What a tool came to, and what it took from the broker.
fn measured(node: &Node, name: &str, records: u64, tool: impl Fn() -> f64) -> Figures {
    let usage = Usage::start(&[node.process()]);
    let rate = tool();
    let (cpu, _) = usage.cpu_seconds(&[node.process()]);
    let mut figures = Figures::default();
    figures.higher(format!("{name}: throughput"), "MB/s", rate / MB);
    figures.lower(format!("{name}: CPU of the broker"), "s/GB", cpu / (records as f64 * value_bytes() / GB));
    figures
}

/// Produces with our generator.
#[track_caller]
fn ours(broker: SocketAddr, topic: &str, pool: &Pool, records: u64) -> f64 {
    let produced = Lanes::open(broker, &load(topic, pool)).run(|done| done.records >= records);
    rate(produced.records, produced.elapsed)
}

fn load<'a>(topic: &'a str, pool: &'a Pool) -> Load<'a> {
    Load { topic, partitions: PARTITIONS, connections: CONNECTIONS, in_flight: 5, acks: -1, pool }
}

/// So many that their values are about as much as was asked for.
fn records(context: &Context<'_>) -> u64 {
    (context.options.size_mb as f64 * MB / value_bytes()) as u64
}

/// Bytes of values a second.
fn rate(records: u64, time: Duration) -> f64 {
    records as f64 * value_bytes() / time.as_secs_f64()
}

/// Of a value, on average.
fn value_bytes() -> f64 {
    static MEAN: LazyLock<f64> = LazyLock::new(|| {
        let bytes: usize = data::events(VALUES).iter().map(Vec::len).sum();
        bytes as f64 / VALUES as f64
    });
    *MEAN
}
