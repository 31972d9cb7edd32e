//! One broker takes records as fast as it can.

use super::{Case, Context};
use crate::{
    load::{
        produce::{self, Lanes, Load},
        topic,
    },
    side_by_side::{
        figures::Figures,
        side::{Acks, Side},
        usage::Usage,
    },
};

const MB: f64 = 1e6;
/// Written at most, so that page cache and disk are not the subject.
const BYTES_MAX: u64 = 4 << 30;
const WARM_UP_SECONDS: u64 = 5;

#[derive(Clone, Copy)]
struct Variant {
    acks: Acks,
    partitions: i32,
    size: Size,
}

#[derive(Clone, Copy, PartialEq)]
enum Size {
    Large,
    Small,
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for size in [Size::Large, Size::Small] {
        for acks in [Acks::PageCache, Acks::Synced] {
            for partitions in super::PARTITIONS {
                let variant = Variant { acks, partitions, size };
                let name = format!("{}, {}, {}", size.name(), acks.name(), super::partitions(partitions));
                cases.push(Case { name, run: Box::new(move |side, context| run(side, context, variant)) });
            }
        }
    }
    cases
}

fn run(side: &dyn Side, context: &mut Context<'_>, variant: Variant) -> Figures {
    let mut broker = side.broker(&context.places.source);
    broker.node.start();
    let pool = context.pool(variant.size.request_bytes());
    let (connections, in_flight) = variant.size.window();
    let lanes = |topic: &str| {
        topic::create(broker.node.kafka, topic, variant.partitions, side.configs(variant.acks));
        produce::first_records(broker.node.kafka, topic, variant.partitions);
        let load =
            Load { topic, partitions: variant.partitions, connections, in_flight, acks: -1, pool: &pool };
        Lanes::open(broker.node.kafka, &load)
    };
    context.progress.say("warming up");
    lanes("warm-up").run(super::for_seconds(WARM_UP_SECONDS, BYTES_MAX / 4));
    let mut measured = lanes("measured");
    context.progress.say("measuring");
    let usage = Usage::start(&[broker.node.process()]);
    let produced = measured.run(super::for_seconds(context.options.seconds, BYTES_MAX));
    let mut figures = Figures::default();
    let seconds = produced.elapsed.as_secs_f64();
    figures.higher("throughput", "MB/s", produced.bytes as f64 / seconds / MB);
    if variant.size == Size::Small {
        let requests = produced.requests as f64;
        figures.higher("requests", "1/s", requests / seconds);
        let (cpu, _) = usage.cpu_seconds(&[broker.node.process()]);
        figures.lower("CPU of a request", "us", cpu / requests * 1e6);
    }
    figures.extend(usage.per_gb(&[broker.node.process()], produced.bytes as f64));
    figures
}

impl Size {
    fn name(self) -> &'static str {
        match self {
            Self::Large => "1 MB requests",
            Self::Small => "1 KiB requests",
        }
    }

    fn request_bytes(self) -> usize {
        match self {
            // Below what both take by default.
            Self::Large => 1_000_000,
            Self::Small => 1_024,
        }
    }

    /// Connections, and requests on their way on each.
    fn window(self) -> (usize, usize) {
        match self {
            // What Kafka's producer has on its way by default.
            Self::Large => (4, 5),
            Self::Small => (16, 16),
        }
    }
}
