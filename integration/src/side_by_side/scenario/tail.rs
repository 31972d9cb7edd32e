//! A mirror that keeps up with a steady rate: from a request's acknowledgement at the source to when all of it can be
//! read at the target.

use std::time::Duration;

use super::{Case, Context, latency::carried, mirrored::flowing};
use crate::{
    load::across::{self, Across, Crossed},
    side_by_side::{
        figures::Figures,
        ledger::Ledger,
        side::{Purpose, Side},
        usage::Usage,
    },
};

const WARM_UP: &str = "m.warm-up";
const TOPIC: &str = "m.tail";
const PARTITIONS: i32 = 16;
/// What Kafka's producer gathers for a partition by default.
const REQUEST_BYTES: usize = 16_384;
const WARM_UP_TIME: Duration = Duration::from_secs(10);
const IN_FLIGHT: usize = 64;

pub(crate) fn cases() -> Vec<Case> {
    [5, 20]
        .into_iter()
        .map(|mb| Case {
            name: format!("{mb} MB/s"),
            run: Box::new(move |side, context| run(side, context, mb * 1_000_000)),
        })
        .collect()
}

fn run(side: &dyn Side, context: &mut Context<'_>, rate: u64) -> Figures {
    let world = side.world(context.places, Purpose::Mirror);
    let pool = context.pool(REQUEST_BYTES);
    let cross = |topic: &str, duration: Duration| -> Crossed {
        across::run(&Across {
            source: world.source.kafka,
            target: world.target.kafka,
            topic,
            partitions: PARTITIONS,
            connections: 4,
            in_flight: IN_FLIGHT,
            acks: -1,
            duration,
            rate: Some(rate),
            pool: &pool,
        })
    };
    flowing(&world, WARM_UP, PARTITIONS, &mut Ledger::default(), context);
    context.progress.say("warming up");
    cross(WARM_UP, WARM_UP_TIME);
    flowing(&world, TOPIC, PARTITIONS, &mut Ledger::default(), context);
    context.progress.say("measuring");
    let usage = Usage::start(&world.processes());
    let crossed = cross(TOPIC, Duration::from_secs(context.options.seconds));
    let mut figures = carried(&crossed);
    figures.extend(super::percentiles("acknowledged to readable", &crossed.delay));
    figures.extend(super::percentiles("acknowledged", &crossed.acknowledged));
    figures.extend(usage.per_gb(&world.processes(), crossed.bytes as f64));
    figures
}
