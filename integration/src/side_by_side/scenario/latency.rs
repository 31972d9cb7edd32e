//! One broker at a rate that it can keep: how long a request takes, and until when it can be read.

use std::time::Duration;

use super::{Case, Context};
use crate::{
    load::{
        across::{self, Across, Crossed},
        produce, topic,
    },
    side_by_side::{
        figures::Figures,
        side::{Acks, Side},
        usage::Usage,
    },
};

const MB: f64 = 1e6;
const RATE: u64 = 20_000_000;
const WARM_UP: Duration = Duration::from_secs(5);
/// Requests on their way on a connection, at most: what comes later waits, and its wait counts.
const IN_FLIGHT: usize = 64;

#[derive(Clone, Copy)]
struct Variant {
    acks: Acks,
    partitions: i32,
    request_bytes: usize,
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (request_bytes, name) in [(100_000, "100 KB requests"), (1_024, "1 KiB requests")] {
        for acks in [Acks::PageCache, Acks::Synced] {
            for partitions in super::PARTITIONS {
                let variant = Variant { acks, partitions, request_bytes };
                let name = format!("{name}, {}, {}", acks.name(), super::partitions(partitions));
                cases.push(Case { name, run: Box::new(move |side, context| run(side, context, variant)) });
            }
        }
    }
    cases
}

fn run(side: &dyn Side, context: &mut Context<'_>, variant: Variant) -> Figures {
    let mut broker = side.broker(&context.places.source);
    broker.node.start();
    let pool = context.pool(variant.request_bytes);
    let address = broker.node.kafka;
    let cross = |topic: &str, duration: Duration| {
        topic::create(address, topic, variant.partitions, side.configs(variant.acks));
        produce::first_records(address, topic, variant.partitions);
        across::run(&Across {
            source: address,
            target: address,
            topic,
            partitions: variant.partitions,
            connections: 4,
            in_flight: IN_FLIGHT,
            acks: -1,
            duration,
            rate: Some(RATE),
            pool: &pool,
        })
    };
    context.progress.say("warming up");
    cross("warm-up", WARM_UP);
    context.progress.say("measuring");
    let usage = Usage::start(&[broker.node.process()]);
    let crossed = cross("measured", Duration::from_secs(context.options.seconds));
    let mut figures = Figures::default();
    figures.extend(carried(&crossed));
    let of = [
        ("acknowledged", crossed.acknowledged),
        ("readable", crossed.readable),
        ("acknowledged to readable", crossed.delay),
    ];
    for (name, of) in of {
        figures.extend(super::percentiles(name, &of));
    }
    figures.extend(usage.per_gb(&[broker.node.process()], crossed.bytes as f64));
    figures
}

/// Whether it kept the rate.
pub(crate) fn carried(crossed: &Crossed) -> Figures {
    let mut figures = Figures::default();
    figures.higher("carried", "MB/s", crossed.bytes as f64 / crossed.elapsed.as_secs_f64() / MB);
    figures
}
