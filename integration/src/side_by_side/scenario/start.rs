//! A broker with partitions starts again: how soon it answers, what it holds, and what it takes while nothing happens.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use super::{Case, Context};
use crate::{
    Wire, eventually_within,
    load::{ends, produce, topic},
    pause_until,
    side_by_side::{
        figures::Figures,
        node::Node,
        side::Side,
        usage::{Usage, memory},
    },
};

/// Of one topic; brokers refuse topics that are created with very many.
const TOPIC_PARTITIONS: i32 = 1_000;
/// Nothing is measured until what a start leaves behind is done.
const SETTLE: Duration = Duration::from_secs(10);
/// Who has not made its partitions by then is not measured any further.
const MAKING_LIMIT: Duration = Duration::from_secs(300);

/// How many partitions there are, and how many of them hold records.
#[derive(Clone, Copy)]
struct Variant {
    partitions: i32,
    filled: i32,
}

pub(crate) fn cases() -> Vec<Case> {
    [(1, 1), (1_000, 1_000), (10_000, 10_000), (100_000, 1_000), (100_000, 100_000)]
        .into_iter()
        .map(|(partitions, filled)| {
            let held =
                if filled < partitions { format!(", {filled} of them with records") } else { String::new() };
            Case {
                name: format!("{}{held}", super::partitions(partitions)),
                run: Box::new(move |side, context| run(side, context, Variant { partitions, filled })),
            }
        })
        .collect()
}

fn run(side: &dyn Side, context: &mut Context<'_>, variant: Variant) -> Figures {
    let mut broker = side.broker(&context.places.source);
    let mut figures = Figures::default();
    figures.lower("start of an empty broker", "s", broker.node.start().as_secs_f64());
    let each = variant.partitions.min(TOPIC_PARTITIONS);
    let made = make(&broker.node, variant, each, context);
    if made * each < variant.partitions {
        let reached = made * each;
        figures.note(format!(
            "after {} s there were {reached} of {} partitions, and so it was not started again",
            MAKING_LIMIT.as_secs(),
            variant.partitions
        ));
        return figures;
    }
    let filled = variant.filled / each;
    context.progress.say("starting again");
    figures.lower("orderly stop", "s", broker.node.stop().as_secs_f64());
    let ready = broker.node.start();
    figures.lower("start until a client is answered", "s", ready.as_secs_f64());
    let all = await_all(broker.node.kafka, (made, filled), each, context);
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

/// Makes topics of `each` partitions, the first of them with a record in each; how many were made in time.
fn make(node: &Node, variant: Variant, each: i32, context: &mut Context<'_>) -> i32 {
    let (topics, started) = (variant.partitions / each, Instant::now());
    for at in 0..topics {
        if started.elapsed() > MAKING_LIMIT {
            return at;
        }
        context.progress.at("making partitions", f64::from(at), f64::from(topics));
        let topic = format!("topic-{at}");
        topic::create(node.kafka, &topic, each, &[]);
        // A partition without a record may not be on disk.
        if at * each < variant.filled {
            produce::first_records(node.kafka, &topic, each);
        }
    }
    topics
}

/// How long it took until each partition said where it ends.
#[track_caller]
fn await_all(
    broker: SocketAddr,
    (topics, filled): (i32, i32),
    partitions: i32,
    context: &mut Context<'_>,
) -> Duration {
    let started = Instant::now();
    let mut wire = Wire::connect(broker);
    for at in 0..topics {
        context.progress.at("asking", f64::from(at), f64::from(topics));
        let topic = format!("topic-{at}");
        let answered =
            eventually_within(Duration::from_secs(300), || ends::records(&mut wire, &topic, partitions));
        let wanted = if at < filled { i64::from(partitions) } else { 0 };
        assert!(answered >= Some(wanted), "{topic} has fewer records after a restart: {answered:?}");
    }
    started.elapsed()
}
