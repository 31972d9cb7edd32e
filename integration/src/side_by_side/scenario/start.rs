//! A broker with partitions starts again: how soon it answers, what it holds, and what it takes while nothing happens.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use super::{Case, Context};
use crate::{
    Wire, eventually_within,
    load::{
        ends,
        produce::{Lanes, Load},
        topic,
    },
    pause_until,
    side_by_side::{
        figures::Figures,
        side::Side,
        usage::{Usage, memory},
    },
};

/// Of one topic; brokers refuse topics that are created with very many.
const TOPIC_PARTITIONS: i32 = 1_000;
/// Nothing is measured until what a start leaves behind is done.
const SETTLE: Duration = Duration::from_secs(10);
const BATCH_BYTES: usize = 1_024;

pub(crate) fn cases() -> Vec<Case> {
    [1, 1_000, 10_000]
        .into_iter()
        .map(|partitions| Case {
            name: super::partitions(partitions),
            run: Box::new(move |side, context| run(side, context, partitions)),
        })
        .collect()
}

fn run(side: &dyn Side, context: &mut Context<'_>, partitions: i32) -> Figures {
    let mut broker = side.broker(&context.places.source);
    let mut figures = Figures::default();
    figures.lower("start of an empty broker", "s", broker.node.start().as_secs_f64());
    let topics = (partitions / TOPIC_PARTITIONS).max(1);
    let each = partitions.min(TOPIC_PARTITIONS);
    let pool = context.pool(BATCH_BYTES);
    for at in 0..topics {
        context.progress.at("creating", f64::from(at), f64::from(topics));
        let topic = format!("topic-{at}");
        topic::create(broker.node.kafka, &topic, each, &[]);
        // A partition without a record may not be on disk.
        let load =
            Load { topic: &topic, partitions: each, connections: 1, in_flight: 5, acks: -1, pool: &pool };
        let requests = u64::from(each.unsigned_abs());
        Lanes::open(broker.node.kafka, &load).run(|done| done.requests >= requests);
    }
    context.progress.say("starting again");
    figures.lower("orderly stop", "s", broker.node.stop().as_secs_f64());
    let ready = broker.node.start();
    figures.lower("start until a client is answered", "s", ready.as_secs_f64());
    let all = await_all(broker.node.kafka, topics, each, context);
    figures.lower("start until every partition answers", "s", (ready + all).as_secs_f64());
    context.progress.say("idling");
    pause_until(Instant::now() + SETTLE);
    let usage = Usage::start(&[broker.node.process()]);
    pause_until(Instant::now() + Duration::from_secs(context.options.seconds));
    let (cpu, _) = usage.cpu_seconds(&[broker.node.process()]);
    figures.lower("idle", "% of a core", 100.0 * cpu / context.options.seconds as f64);
    figures.extend(memory(&[broker.node.process()]));
    figures
}

/// How long it took until each partition said where it ends.
#[track_caller]
fn await_all(broker: SocketAddr, topics: i32, partitions: i32, context: &mut Context<'_>) -> Duration {
    let started = Instant::now();
    let mut wire = Wire::connect(broker);
    for at in 0..topics {
        context.progress.at("asking", f64::from(at), f64::from(topics));
        let topic = format!("topic-{at}");
        let answered =
            eventually_within(Duration::from_secs(300), || ends::records(&mut wire, &topic, partitions));
        assert!(
            answered >= Some(i64::from(partitions)),
            "{topic} has fewer records after a restart: {answered:?}"
        );
    }
    started.elapsed()
}
