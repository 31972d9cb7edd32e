//! What scenarios with a mirror share: a topic that flows already, and waiting for the target.

use std::time::{Duration, Instant};

use protocol::messages::k00_produce::ProduceResponse;

use super::Context;
use crate::{
    Wire, eventually, eventually_within,
    load::{
        data, ends,
        produce::{Lanes, Load, Produced},
        topic,
    },
    produce,
    side_by_side::{ledger::Ledger, side::World},
};

/// A mirror finds a new topic and gives out its partitions within this time, start-up included.
const FLOWS_LIMIT: Duration = Duration::from_secs(180);
/// Between two looks at where the target's logs end, so that looking costs little.
const LOOK: Duration = Duration::from_millis(25);
/// Nothing came for so long.
const SETTLED: Duration = Duration::from_secs(1);
const SENTINEL: &[u8] = b"the first record";

/// Makes a topic at the source, and returns when a record of each partition has arrived at the target: from then on
/// nothing has to be found or given out. The records are in the ledger.
#[track_caller]
pub(crate) fn flowing(
    world: &World,
    topic: &str,
    partitions: i32,
    ledger: &mut Ledger,
    context: &mut Context<'_>,
) {
    context.progress.say(&format!("waiting until {topic} flows"));
    let (source, target) = (world.source.kafka, world.target.kafka);
    topic::create(source, topic, partitions, &[]);
    for partition in 0..partitions {
        let mut request = produce::produce_request(topic, -1, &produce::batch(&[SENTINEL]));
        request.topic_data[0].partition_data[0].index = partition;
        let answer: ProduceResponse = Wire::connect(source).call(produce::PRODUCE, &request);
        assert!(!answer.responses[0].partition_responses[0].error_code.is_error(), "a record was refused");
        ledger.expect(partition, &[data::hash(SENTINEL)], 1);
    }
    let flows = eventually_within(FLOWS_LIMIT, || {
        // Until the topic is there, asking may make it.
        produce::topic_id(target, topic)?;
        let there = |partition| produce::log_end(target, topic, partition).is_some_and(|end| end >= 1);
        (0..partitions).all(there).then_some(())
    });
    assert!(flows.is_some(), "{topic} does not flow after {FLOWS_LIMIT:?}");
}

/// Fills a topic at the source with so many bytes; the records are in the ledger.
#[track_caller]
pub(crate) fn fill(world: &World, load: &Load<'_>, bytes: u64, ledger: &mut Ledger) -> Produced {
    let produced = Lanes::open(world.source.kafka, load).run(|done| done.bytes >= bytes);
    for (partition, batch) in &produced.sent {
        ledger.expect(*partition, &load.pool.batches[*batch].records, 1);
    }
    produced
}

/// Waits until the target has as many records as the source; when the first of them was there.
#[track_caller]
pub(crate) fn await_caught_up(
    world: &World,
    topic: &str,
    partitions: i32,
    limit: Duration,
    context: &mut Context<'_>,
) -> Instant {
    let all = ends::records(&mut Wire::connect(world.source.kafka), topic, partitions).expect("it is there");
    let mut wire = Wire::connect(world.target.kafka);
    let before = ends::records(&mut wire, topic, partitions).expect("it flows already");
    let (mut first, mut looked) = (None, Instant::now());
    let caught_up = eventually_within(limit, || {
        if looked.elapsed() < LOOK {
            return None;
        }
        looked = Instant::now();
        let there = ends::records(&mut wire, topic, partitions)?;
        if there > before {
            first.get_or_insert(looked);
        }
        context.progress.at("mirrored", there as f64, all as f64);
        (there >= all).then_some(())
    });
    assert!(caught_up.is_some(), "{topic} is not mirrored after {limit:?}");
    first.unwrap_or(looked)
}

/// Waits until nothing more comes: a transaction's markers count as records where ends are looked at, so that a target
/// can seem to have all a little early.
#[track_caller]
pub(crate) fn await_settled(world: &World, topic: &str, partitions: i32) {
    let mut wire = Wire::connect(world.target.kafka);
    let (mut last, mut since) = (None, Instant::now());
    eventually("the target to stand still", || {
        let there = ends::records(&mut wire, topic, partitions);
        if there != last {
            (last, since) = (there, Instant::now());
        }
        (since.elapsed() >= SETTLED).then_some(())
    });
}
