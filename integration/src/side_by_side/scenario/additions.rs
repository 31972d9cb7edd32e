//! Topics and partitions that come to be while a mirror runs: how soon the target has their first records.

use std::time::{Duration, Instant};

use protocol::messages::k00_produce::ProduceResponse;

use super::{Context, mirrored::flowing};
use crate::{
    Wire, eventually_within,
    load::{data, topic},
    produce,
    side_by_side::{
        figures::Figures,
        ledger::{Balance, Ledger},
        side::World,
    },
};

const GROWING: &str = "m.growing";
const NEW: &str = "m.new";
/// Of a new topic, and of one that grows before it does and by how many it grows.
const PARTITIONS: i32 = 4;
/// What polls for changes does so at least every ten minutes.
const LIMIT: Duration = Duration::from_secs(660);
const VALUE: &[u8] = b"the first record of a new partition";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Addition {
    Topic,
    Partitions,
}

/// What must be at the target.
pub(super) struct Added {
    topic: &'static str,
    partitions: i32,
    ledger: Ledger,
}

impl Addition {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Topic => "topic added",
            Self::Partitions => "partitions added",
        }
    }

    /// The topic, how many partitions it has before and after.
    fn topic(self) -> (&'static str, i32, i32) {
        match self {
            Self::Topic => (NEW, 0, PARTITIONS),
            Self::Partitions => (GROWING, PARTITIONS, 2 * PARTITIONS),
        }
    }
}

/// Makes what has to be there before.
#[track_caller]
pub(super) fn prepare(world: &World, addition: Addition, context: &mut Context<'_>) -> Added {
    let (topic, before, partitions) = addition.topic();
    let mut ledger = Ledger::default();
    if before > 0 {
        flowing(world, topic, before, &mut ledger, context);
    }
    Added { topic, partitions, ledger }
}

/// Adds, puts a record into each partition that was added, and waits until the target has it. Time counts from when the
/// source has added.
#[track_caller]
pub(super) fn add(world: &World, addition: Addition, added: &mut Added) -> Figures {
    let (source, target) = (world.source.kafka, world.target.kafka);
    let (topic, before, after) = addition.topic();
    match addition {
        Addition::Topic => topic::create(source, topic, after, &[]),
        Addition::Partitions => topic::grow(source, topic, after),
    }
    let started = Instant::now();
    for partition in before..after {
        let mut request = produce::produce_request(topic, -1, &produce::batch(&[VALUE]));
        request.topic_data[0].partition_data[0].index = partition;
        let answer: ProduceResponse = Wire::connect(source).call(produce::PRODUCE, &request);
        assert!(!answer.responses[0].partition_responses[0].error_code.is_error(), "a record was refused");
        added.ledger.expect(partition, &[data::hash(VALUE)], 1);
    }
    let there = |partition| produce::log_end(target, topic, partition).is_some_and(|end| end >= 1);
    let mut first = None;
    let all = eventually_within(LIMIT, || {
        // Until the topic is there, asking may make it.
        produce::topic_id(target, topic)?;
        let found = (before..after).filter(|partition| there(*partition)).count();
        if found > 0 {
            first.get_or_insert_with(|| started.elapsed());
        }
        (found == (after - before).unsigned_abs() as usize).then(|| started.elapsed())
    });
    let (Some(first), Some(all)) = (first, all) else {
        panic!("what was added is not at the target after {LIMIT:?}");
    };
    let mut figures = Figures::default();
    figures.lower("first new record after", "s", first.as_secs_f64());
    figures.lower("every new partition's after", "s", all.as_secs_f64());
    figures
}

impl Added {
    /// Reads it at the target.
    #[track_caller]
    pub(super) fn balance(mut self, world: &World) -> Balance {
        self.ledger.read(world.target.kafka, self.topic, self.partitions);
        self.ledger.balance()
    }
}
