//! Consumer groups at several distances from the end of a topic, and a source that is lost: where each of them goes on at
//! the target, in records that are read again or left out.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer},
};

use super::{
    Case, Context,
    mirrored::{await_caught_up, flowing},
};
use crate::{
    DEADLINE, client, eventually_within,
    load::produce::{Lanes, Load},
    side_by_side::{
        figures::Figures,
        ledger::Ledger,
        side::{Purpose, Side},
    },
};

const TOPIC: &str = "m.orders";
const PARTITIONS: i32 = 4;
/// Behind the end, on each partition.
const LAGS: [i64; 5] = [0, 100, 1_000, 10_000, 100_000];
/// Groups at each lag, each at places of its own.
const GROUPS: i64 = 5;
/// Records of each partition.
const RECORDS: i64 = 500_000;
const BATCH_BYTES: usize = 16_384;
/// A mirror that has changed nothing for so long has done what it will do: several of its intervals.
const QUIET: Duration = Duration::from_secs(20);
const LIMIT: Duration = Duration::from_secs(300);

type Positions = BTreeMap<String, Vec<i64>>;

pub(crate) fn cases() -> Vec<Case> {
    vec![Case {
        name: format!("{} groups of {PARTITIONS} partitions", GROUPS * LAGS.len() as i64),
        run: Box::new(run),
    }]
}

fn run(side: &dyn Side, context: &mut Context<'_>) -> Figures {
    let mut world = side.world(context.places, Purpose::Failover);
    let pool = context.pool(BATCH_BYTES);
    flowing(&world, TOPIC, PARTITIONS, &mut Ledger::default(), context);
    context.progress.say("producing");
    let load =
        Load { topic: TOPIC, partitions: PARTITIONS, connections: 4, in_flight: 5, acks: -1, pool: &pool };
    let wanted = (RECORDS * i64::from(PARTITIONS)).unsigned_abs();
    Lanes::open(world.source.kafka, &load).run(|done| done.records >= wanted);
    await_caught_up(&world, TOPIC, PARTITIONS, LIMIT, context);
    let ends = partition_ends(world.source.kafka);
    assert_eq!(ends, partition_ends(world.target.kafka), "offsets are the same on both sides");

    context.progress.say("committing");
    let committed = positions(&ends);
    for (group, offsets) in &committed {
        let consumer: BaseConsumer = client::consumer(&world.source.kafka.to_string(), group, &[]);
        consumer.commit(&list(offsets), CommitMode::Sync).expect("the coordinator takes a commit");
    }
    context.progress.say("waiting until groups stand still at the target");
    await_quiet(world.target.kafka, &committed);
    context.progress.say("the source is lost");
    world.source.kill();
    side.fail_over(&world);
    let found = found(world.target.kafka, &committed);
    let mut figures = Figures::default();
    for lag in LAGS {
        figures.extend(compared(lag, &committed, &found));
    }
    figures
}

/// Groups by name, each with an offset for each partition.
fn positions(ends: &[i64]) -> Positions {
    let mut groups = Positions::new();
    for lag in LAGS {
        for group in 0..GROUPS {
            // Up to a tenth further back, so that groups do not stand where a batch or a sync happens to end.
            let at = |end: &i64| end - lag - lag * group / (GROUPS * 10);
            groups.insert(format!("lag-{lag}-{group}"), ends.iter().map(at).collect());
        }
    }
    groups
}

/// What a lag's groups would read again or leave out, for each group and partition on average and at most.
fn compared(lag: i64, committed: &Positions, found: &Positions) -> Figures {
    let (mut again, mut skipped) = (Vec::new(), Vec::new());
    let prefix = format!("lag-{lag}-");
    for (group, offsets) in committed.iter().filter(|(group, _)| group.starts_with(&prefix)) {
        for (before, after) in offsets.iter().zip(&found[group]) {
            // A group without a position begins at the start.
            let after = (*after).max(0);
            again.push((before - after).max(0));
            skipped.push((after - before).max(0));
        }
    }
    let mean = |all: &[i64]| all.iter().sum::<i64>() as f64 / all.len() as f64;
    let most = |all: &[i64]| all.iter().max().copied().unwrap_or(0) as f64;
    let mut figures = Figures::default();
    figures.lower(format!("lag {lag}: read again, mean"), "records", mean(&again));
    figures.lower(format!("lag {lag}: read again, most"), "records", most(&again));
    figures.lower(format!("lag {lag}: skipped, most"), "records", most(&skipped));
    figures
}

/// Waits until no group's position has changed for a while, unless all are where they were committed.
fn await_quiet(target: SocketAddr, committed: &Positions) {
    let mut last = Positions::new();
    let mut since = Instant::now();
    let quiet = eventually_within(LIMIT, || {
        let now = found(target, committed);
        if now != last {
            last = now;
            since = Instant::now();
        }
        (last == *committed || since.elapsed() >= QUIET).then_some(())
    });
    assert!(quiet.is_some(), "groups still move at the target after {LIMIT:?}");
}

/// Each group's positions; -1 where it has none.
fn found(broker: SocketAddr, groups: &Positions) -> Positions {
    let position = |group: &String| {
        let consumer: BaseConsumer = client::consumer(&broker.to_string(), group, &[]);
        let committed = consumer
            .committed_offsets(list(&vec![0; PARTITIONS.unsigned_abs() as usize]), DEADLINE)
            .expect("the coordinator answers");
        committed.elements().iter().map(|element| element.offset().to_raw().unwrap_or(-1).max(-1)).collect()
    };
    groups.keys().map(|group| (group.clone(), position(group))).collect()
}

fn list(offsets: &[i64]) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for (partition, offset) in (0..).zip(offsets) {
        list.add_partition_offset(TOPIC, partition, Offset::Offset(*offset)).expect("an offset is valid");
    }
    list
}

fn partition_ends(broker: SocketAddr) -> Vec<i64> {
    let end = |partition| crate::produce::log_end(broker, TOPIC, partition).expect("the topic is there");
    (0..PARTITIONS).map(end).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_before_the_committed_one_is_read_again_and_one_after_it_skips() {
        let of = |offsets: &[i64]| Positions::from([("lag-100-0".to_owned(), offsets.to_vec())]);
        let figures = compared(100, &of(&[900, 900, 900, 900]), &of(&[900, 890, 930, -1]));
        assert_eq!(figures.value("lag 100: read again, most"), Some(900.0));
        assert_eq!(figures.value("lag 100: read again, mean"), Some(227.5));
        assert_eq!(figures.value("lag 100: skipped, most"), Some(30.0));
    }
}
