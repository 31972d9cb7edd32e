//! One broker gives records as fast as it can.

use std::time::{Duration, Instant};

use super::{Case, Context};
use crate::{
    load::{
        consume,
        produce::{Lanes, Load},
        topic,
    },
    side_by_side::{
        figures::Figures,
        side::{Acks, Side},
        usage::Usage,
    },
};

const MB: f64 = 1e6;
const TOPIC: &str = "measured";
const FETCH_BYTES: i32 = 8 << 20;
const CONNECTIONS: usize = 4;

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (batch_bytes, name) in [(1_000_000, "1 MB batches"), (1_024, "1 KiB batches")] {
        for partitions in super::PARTITIONS {
            let name = format!("{name}, {}", super::partitions(partitions));
            cases.push(Case {
                name,
                run: Box::new(move |side, context| run(side, context, batch_bytes, partitions)),
            });
        }
    }
    cases
}

fn run(side: &dyn Side, context: &mut Context<'_>, batch_bytes: usize, partitions: i32) -> Figures {
    let mut broker = side.broker(&context.places.source);
    broker.node.start();
    let pool = context.pool(batch_bytes);
    topic::create(broker.node.kafka, TOPIC, partitions, side.configs(Acks::PageCache));
    let load = Load { topic: TOPIC, partitions, connections: 16, in_flight: 5, acks: -1, pool: &pool };
    // Small batches take long to write, and a quarter of them is read long enough.
    let share = if batch_bytes < 10_000 { 4 } else { 1 };
    let wanted = context.options.size_mb * 1_000_000 / share;
    context.progress.say("filling");
    Lanes::open(broker.node.kafka, &load).run(|done| {
        context.progress.at("filling", done.bytes as f64, wanted as f64);
        done.bytes >= wanted
    });
    context.progress.say("warming up");
    let read = || consume::run(broker.node.kafka, TOPIC, partitions, CONNECTIONS, FETCH_BYTES);
    read();
    context.progress.say("measuring");
    let usage = Usage::start(&[broker.node.process()]);
    let (started, limit) = (Instant::now(), Duration::from_secs(context.options.seconds));
    let mut bytes = 0;
    while started.elapsed() < limit {
        bytes += read().bytes;
    }
    let seconds = started.elapsed().as_secs_f64();
    let mut figures = Figures::default();
    figures.higher("throughput", "MB/s", bytes as f64 / seconds / MB);
    figures.extend(usage.per_gb(&[broker.node.process()], bytes as f64));
    figures
}
