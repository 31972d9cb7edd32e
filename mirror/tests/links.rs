//! Links over real QUIC on loopback, between two datacenters of plain logs.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::type_complexity,
    clippy::async_yields_async,
    dead_code,
    reason = "a test fails by panicking; targets share their support"
)]

mod support;

use std::sync::Arc;

use bytes::BytesMut;
use mirror::{
    driver::Which,
    mirror::{Mirror, Translation},
    ownership::{OrphanedTail, StateName},
    status::IncomingPartition,
};
use protocol::batch::Compression;

use support::{Chosen, MergedInto, Nothing, Relay, World, batch, soon, until};

/// Batches of two records, every third compressed by its producer.
fn values(from: usize, count: usize) -> Vec<BytesMut> {
    (from..from + count)
        .map(|number| {
            let value = format!("value {number} ").repeat(20);
            let compression = if number.is_multiple_of(3) { Compression::Lz4 } else { Compression::None };
            batch(compression, &[value.as_bytes(), b"second"])
        })
        .collect()
}

/// What no codec makes smaller.
fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    (0..bytes.div_ceil(8)).flat_map(|_| next()).take(bytes).collect()
}

#[tokio::test]
async fn back_fill_and_live_records_arrive_byte_for_byte() {
    let world = World::new();
    let topic = world.east.create_topic("orders", 7, 3);
    for partition in 0..3 {
        world.east.produce(topic, partition, values(0, 400)).await;
    }
    let source = world.source(None).await;
    let target = world.target(source.address()).await;
    for partition in 0..3 {
        soon("the back-fill", world.west.reaches(topic, partition, 800)).await;
    }
    for round in 0..20 {
        world.east.produce(topic, 1, values(1_000 + round, 1)).await;
        soon("a live record", world.west.reaches(topic, 1, 802 + 2 * round as i64)).await;
    }
    for partition in 0..3 {
        assert_eq!(world.west.bytes(topic, partition), world.east.bytes(topic, partition));
    }
    let status = target.status().await;
    assert!(status.incoming[0].connected);
    assert_eq!(status.incoming[0].partitions.len(), 3);
    assert_eq!(source.status().await.outgoing[0].partitions.len(), 3);
    target.shutdown().await;
    source.shutdown().await;
}

#[tokio::test]
async fn a_batch_larger_than_a_block_and_a_topic_made_later_arrive() {
    let world = World::new();
    let source = world.source(None).await;
    let target = world.target(source.address()).await;
    until("a connection", || source.metrics().connections_accepted.value() == 1).await;
    let topic = world.east.create_topic("pictures", 8, 2);
    let picture = noise(3_500_000);
    let batches = vec![batch(Compression::None, &[&picture]), batch(Compression::None, &[b"after"])];
    world.east.produce(topic, 1, batches).await;
    soon("the large batch", world.west.reaches(topic, 1, 2)).await;
    assert_eq!(world.west.bytes(topic, 1), world.east.bytes(topic, 1));
    target.shutdown().await;
    source.shutdown().await;
}

#[tokio::test]
async fn a_source_that_restarts_is_dialled_again_and_the_mirror_goes_on_where_it_was() {
    let world = World::new();
    let topic = world.east.create_topic("orders", 7, 1);
    world.east.produce(topic, 0, values(0, 500)).await;
    let mut source = world.source(None).await;
    let address = source.address();
    let target = world.target(address).await;
    soon("the first part", world.west.reaches(topic, 0, 1_000)).await;
    for round in 1..4 {
        source.shutdown().await;
        world.east.produce(topic, 0, values(round * 1_000, 100)).await;
        source = world.source(Some(address)).await;
        soon("what came meanwhile", world.west.reaches(topic, 0, 1_000 + 200 * round as i64)).await;
    }
    assert_eq!(world.west.bytes(topic, 0), world.east.bytes(topic, 0));
    assert!(target.metrics().connections_closed.value() >= 3);
    target.shutdown().await;
    source.shutdown().await;
}

#[tokio::test]
async fn a_line_that_is_cut_in_the_middle_of_a_back_fill_is_found_out_and_resumed() {
    let mut world = World::new();
    world.transport.idle_timeout_ms = 1_000;
    world.transport.keep_alive_ms = 100;
    let topic = world.east.create_topic("orders", 7, 2);
    let picture = noise(400_000);
    for partition in 0..2 {
        let batches = (0..60).map(|_| batch(Compression::None, &[&picture])).collect();
        world.east.produce(topic, partition, batches).await;
    }
    let source = world.source(None).await;
    let line = Relay::to(source.address()).await;
    let target = world.target(line.address).await;
    soon("some of it", world.west.reaches(topic, 0, 3)).await;
    line.cut(true);
    until("the loss to be seen", || target.metrics().connections_closed.value() == 1).await;
    assert!(!target.status().await.incoming[0].connected);
    line.cut(false);
    for partition in 0..2 {
        soon("all of it", world.west.reaches(topic, partition, 60)).await;
        assert_eq!(world.west.bytes(topic, partition), world.east.bytes(topic, partition));
    }
    target.shutdown().await;
    source.shutdown().await;
}

#[tokio::test]
async fn a_source_that_died_without_a_word_is_missed_as_soon_as_it_is_back() {
    let mut world = World::new();
    // Nobody is given up for being silent while this test runs.
    world.transport.idle_timeout_ms = 600_000;
    world.transport.keep_alive_ms = 100;
    let topic = world.east.create_topic("orders", 7, 1);
    world.east.produce(topic, 0, values(0, 50)).await;
    let source = world.source(None).await;
    let address = source.address();
    let line = Relay::to(address).await;
    let target = world.target(line.address).await;
    soon("the first part", world.west.reaches(topic, 0, 100)).await;
    // The target does not hear of the end.
    line.cut(true);
    source.shutdown().await;
    assert!(target.status().await.incoming[0].connected);
    let source = world.source(Some(address)).await;
    world.east.produce(topic, 0, values(50, 50)).await;
    line.cut(false);
    soon("what came meanwhile", world.west.reaches(topic, 0, 200)).await;
    assert_eq!(target.metrics().connections_closed.value(), 1);
    assert_eq!(world.west.bytes(topic, 0), world.east.bytes(topic, 0));
    target.shutdown().await;
    source.shutdown().await;
}

#[tokio::test]
async fn a_target_that_does_not_write_holds_the_source_still_and_goes_on_by_itself() {
    let mut world = World::new();
    world.transport.credit_bytes = 40 << 20;
    let topic = world.east.create_topic("orders", 7, 1);
    let picture = noise(700_000);
    for _ in 0..10 {
        let batches = (0..14).map(|_| batch(Compression::None, &[&picture])).collect();
        world.east.produce(topic, 0, batches).await;
    }
    let source = world.source(None).await;
    world.west_valve.send(true).unwrap();
    let target = world.target(source.address()).await;
    // Ninety-eight megabytes want to come; of what is granted the sender keeps a part for live records.
    let full = 30 << 20;
    until("the credit to run out", || target.metrics().unapplied_bytes.value() >= full).await;
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
        assert!(target.metrics().unapplied_bytes.value() <= 40 << 20);
        assert!(source.metrics().block_bytes_sent.value() <= 40 << 20);
    }
    world.west_valve.send(false).unwrap();
    soon("all of it", world.west.reaches(topic, 0, 140)).await;
    assert_eq!(world.west.bytes(topic, 0), world.east.bytes(topic, 0));
    until("the credit to come back", || target.metrics().unapplied_bytes.value() == 0).await;
    target.shutdown().await;
    source.shutdown().await;
}

#[tokio::test]
async fn a_merged_topic_takes_records_beside_its_own_and_goes_on_after_a_restart() {
    let mut world = World::new();
    world.rules = Arc::new(MergedInto("all-orders"));
    let orders = world.east.create_topic("orders", 7, 1);
    let all = world.west.create_topic("all-orders", 9, 1);
    world.west.produce(all, 0, vec![batch(Compression::None, &[b"ours"])]).await;
    world.east.produce(orders, 0, values(0, 100)).await;
    let source = world.source(None).await;
    let target = world.target(source.address()).await;
    soon("the records", world.west.reaches(all, 0, 201)).await;
    target.shutdown().await;
    world.west.produce(all, 0, vec![batch(Compression::None, &[b"ours again"])]).await;
    world.east.produce(orders, 0, values(100, 10)).await;
    let target = world.target(source.address()).await;
    soon("the others", world.west.reaches(all, 0, 222)).await;
    // The table follows the log.
    soon("the table", translates(&target, 220, 222)).await;
    for (offset, there) in [(0, 1), (150, 151), (200, 202), (215, 217)] {
        assert_eq!(to_target(&target, offset).await, Some(there));
    }
    assert_eq!(to_source(&target, 202).await, Some(200));
    target.shutdown().await;
    source.shutdown().await;
}

/// Of what came over the link from `orders`.
async fn to_target(target: &Mirror, offset: i64) -> Option<i64> {
    target.translate("east:west", "orders", 0, offset).await.unwrap().map(|found| found.offset)
}

async fn to_source(target: &Mirror, offset: i64) -> Option<i64> {
    target.translate_back("east:west", "orders", 0, offset).await.unwrap().map(|found| found.offset)
}

async fn translates(target: &Mirror, offset: i64, expected: i64) {
    while to_target(target, offset).await != Some(expected) {
        tokio::task::yield_now().await;
    }
}

/// Every answer of a link, both ways.
async fn answers(target: &Mirror, end: i64) -> Vec<(Option<Translation>, Option<Translation>)> {
    let mut answers = Vec::new();
    for offset in 0..=end {
        let there = target.translate("east:west", "orders", 0, offset).await.unwrap();
        let back = target.translate_back("east:west", "orders", 0, offset).await.unwrap();
        answers.push((there, back));
    }
    answers
}

#[tokio::test]
async fn a_target_that_is_started_without_its_source_gives_the_answers_that_it_gave_before() {
    let mut world = World::new();
    world.rules = Arc::new(MergedInto("all-orders"));
    let orders = world.east.create_topic("orders", 7, 1);
    let all = world.west.create_topic("all-orders", 9, 1);
    let source = world.source(None).await;
    let address = source.address();
    let target = world.target(address).await;
    for round in 0..10 {
        world.east.produce(orders, 0, values(round * 3, 3)).await;
        soon("the records", world.west.reaches(all, 0, 7 * (round as i64 + 1) - 1)).await;
        world.west.produce(all, 0, vec![batch(Compression::None, &[b"ours"])]).await;
    }
    soon("the table", translates(&target, 60, 69)).await;
    let before = answers(&target, 75).await;
    let expected = |offset: i64| 7 * (offset / 6) + offset % 6;
    let target_topic = "all-orders".to_owned();
    assert_eq!(
        before[25].0,
        Some(Translation { target_topic, offset: expected(25), missing: 0, skipped: 0 })
    );
    assert_eq!(before[expected(25) as usize].1.as_ref().unwrap().offset, 25);
    target.shutdown().await;
    source.shutdown().await;

    let target = world.target(address).await;
    assert_eq!(answers(&target, 75).await, before, "the source is away");
    target.shutdown().await;
    world.rules = Arc::new(Nothing);
    let target = world.target(address).await;
    assert_eq!(answers(&target, 75).await, before, "the link carries nothing any more");
    assert_eq!(target.translate("east:west", "others", 0, 3).await, Ok(None));
    assert_eq!(target.translate("north:west", "orders", 0, 3).await, Ok(None));
    assert_eq!(target.translate("east:west", "orders", 1, 3).await, Ok(None));
    target.shutdown().await;
}

#[tokio::test]
async fn a_replica_translates_without_its_source_as_well() {
    let world = World::new();
    let orders = world.east.create_topic("orders", 7, 1);
    world.east.produce(orders, 0, values(0, 20)).await;
    let source = world.source(None).await;
    let address = source.address();
    let target = world.target(address).await;
    soon("the records", world.west.reaches(orders, 0, 40)).await;
    let before = answers(&target, 50).await;
    assert_eq!((to_target(&target, 33).await, to_target(&target, 50).await), (Some(33), Some(40)));
    target.shutdown().await;
    source.shutdown().await;
    let target = world.target(address).await;
    assert_eq!(answers(&target, 50).await, before);
    assert_eq!(target.translate("east:west", "others", 0, 3).await, Ok(None));
    target.shutdown().await;
}

#[tokio::test]
async fn a_topic_made_anew_at_the_source_has_a_table_of_its_own_and_the_records_of_both_are_there() {
    let mut world = World::new();
    world.rules = Arc::new(MergedInto("all-orders"));
    let former = world.east.create_topic("orders", 7, 1);
    let all = world.west.create_topic("all-orders", 9, 1);
    world.east.produce(former, 0, values(0, 5)).await;
    let source = world.source(None).await;
    let address = source.address();
    let target = world.target(address).await;
    soon("the records", world.west.reaches(all, 0, 10)).await;
    soon("the table", translates(&target, 10, 10)).await;
    world.east.delete_topic(former, 0).await;
    assert_eq!(to_target(&target, 4).await, Some(4), "its records are still here");
    let latter = world.east.create_topic("orders", 8, 1);
    world.east.produce(latter, 0, values(0, 3)).await;
    soon("the others", world.west.reaches(all, 0, 16)).await;
    soon("the new table", translates(&target, 6, 16)).await;
    let before = answers(&target, 16).await;
    assert_eq!((to_target(&target, 4).await, to_source(&target, 12).await), (Some(14), Some(2)));
    target.shutdown().await;
    source.shutdown().await;
    let target = world.target(address).await;
    assert_eq!(answers(&target, 16).await, before);
    target.shutdown().await;
}

#[tokio::test]
async fn committed_offsets_follow_the_records() {
    let world = World::new();
    let topic = world.east.create_topic("orders", 7, 1);
    world.east.produce(topic, 0, values(0, 50)).await;
    world.east.commit_here("billing", topic, 0, 40);
    let source = world.source(None).await;
    let mut commits = world.west.group_events();
    let target = world.target(source.address()).await;
    while world.west.committed("billing", "orders", 0) != Some(40) {
        soon("the commit", commits.recv()).await.unwrap();
    }
    // Ahead of the mirror: first held back, then right.
    world.east.produce(topic, 0, values(50, 10)).await;
    world.east.commit_here("billing", topic, 0, 118);
    while world.west.committed("billing", "orders", 0) != Some(118) {
        soon("the next commit", commits.recv()).await.unwrap();
    }
    target.shutdown().await;
    source.shutdown().await;
}

#[tokio::test]
async fn only_what_is_assigned_is_carried_and_what_is_revoked_can_come_back() {
    let world = World::new();
    let topic = world.east.create_topic("orders", 7, 3);
    let source = world.source(None).await;
    let chosen = Chosen::new(&[0, 1]);
    let target = world.target_of(source.address(), chosen.clone()).await;
    let carried = async |expected: &[i32]| loop {
        let partitions = target.status().await.incoming[0].partitions.clone();
        let mut carried: Vec<i32> = partitions.iter().map(|partition| partition.partition).collect();
        carried.sort_unstable();
        if carried == expected {
            return;
        }
        tokio::task::yield_now().await;
    };
    let produce = async |from| {
        for partition in 0..3 {
            world.east.produce(topic, partition, values(from, 50)).await;
        }
    };
    let end_of = |partition| world.west.log(topic, partition).map(|log| log.ends().log_end.0);

    produce(0).await;
    soon("one of ours", world.west.reaches(topic, 0, 100)).await;
    soon("the other", world.west.reaches(topic, 1, 100)).await;
    assert_eq!(end_of(2), None, "nothing was asked of a partition that is another's");

    chosen.change(&[1, 2]);
    soon("the new assignment", carried(&[1, 2])).await;
    produce(50).await;
    soon("what we kept", world.west.reaches(topic, 1, 200)).await;
    soon("what we got", world.west.reaches(topic, 2, 200)).await;
    assert_eq!(end_of(0), Some(100), "what was revoked is not written any more");

    chosen.change(&[0, 1, 2]);
    soon("what came back", world.west.reaches(topic, 0, 200)).await;
    for partition in 0..3 {
        assert_eq!(world.west.bytes(topic, partition), world.east.bytes(topic, partition));
    }
    target.shutdown().await;
    source.shutdown().await;
}

#[tokio::test]
async fn a_merged_partition_that_is_taken_away_in_mid_flight_and_given_back_loses_and_repeats_nothing() {
    let mut world = World::new();
    world.rules = Arc::new(MergedInto("all-orders"));
    let orders = world.east.create_topic("orders", 7, 1);
    let all = world.west.create_topic("all-orders", 9, 1);
    let source = world.source(None).await;
    let chosen = Chosen::new(&[0]);
    let target = world.target_of(source.address(), chosen.clone()).await;
    for round in 0..20 {
        world.east.produce(orders, 0, values(round * 50, 50)).await;
        chosen.change(&[]);
        tokio::task::yield_now().await;
        chosen.change(&[0]);
    }
    soon("the records", world.west.reaches(all, 0, 2_000)).await;
    soon("the table", translates(&target, 2_000, 2_000)).await;
    assert_eq!(world.west.log(all, 0).unwrap().ends().log_end.0, 2_000);
    for offset in 0..2_000 {
        assert_eq!(to_target(&target, offset).await, Some(offset));
    }
    target.shutdown().await;
    source.shutdown().await;
}

#[tokio::test]
async fn a_log_that_the_link_finds_apart_makes_its_unit_diverged_and_stays_as_it_is() {
    let mut world = World::new();
    world.unit = Some("orders");
    let topic = world.east.create_topic("orders", 7, 1);
    let clicks = world.east.create_topic("clicks", 8, 1);
    world.west.create_topic("orders", 7, 1);
    // Thirty records are the same; then each side went on by itself, the east as a later home.
    for site in [&world.east, &world.west] {
        site.produce(topic, 0, values(0, 15)).await;
    }
    world.west.produce(topic, 0, values(100, 5)).await;
    world.east.produce_at(1, topic, 0, values(200, 30)).await;
    world.east.produce(clicks, 0, values(0, 10)).await;
    let before = world.west.bytes(topic, 0);
    let source = world.source(None).await;
    let target = world.target(source.address()).await;
    until("the unit to hear of it", || {
        target.units().unit("orders").is_some_and(|unit| unit.state == StateName::Diverged)
    })
    .await;
    let status = target.status().await;
    let tail = OrphanedTail { topic: "orders".to_owned(), partition: 0, common: 30, end: 40 };
    assert_eq!((status.units[0].state.as_str(), &status.units[0].tails), ("diverged", &vec![tail]));
    assert_eq!(world.west.bytes(topic, 0), before);
    // It outlives a restart.
    target.shutdown().await;
    let target = world.target(source.address()).await;
    assert_eq!(target.units().unit("orders").unwrap().tails.len(), 1);
    target.shutdown().await;
    source.shutdown().await;
}

#[tokio::test]
async fn a_stopped_partition_goes_on_when_it_is_told_to_and_only_then() {
    let mut world = World::new();
    world.rules = std::sync::Arc::new(MergedInto("all-orders"));
    let orders = world.east.create_topic("orders", 7, 2);
    let all = world.west.create_topic("all-orders", 9, 2);
    let source = world.source(None).await;
    let target = world.target(source.address()).await;
    for partition in 0..2 {
        world.east.produce(orders, partition, values(0, 10)).await;
        soon("the first part", world.west.reaches(all, partition, 20)).await;
    }
    // In the tables, too, and durably.
    soon("the first part to be acknowledged", async {
        let behind = |partition: &IncomingPartition| partition.durable_end < 20;
        while target.status().await.incoming[0].partitions.iter().any(behind) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    // The records get into the log, and what the table says of them is lost.
    world.tables.fail_sync("tables", 1);
    world.east.produce(orders, 0, values(10, 10)).await;
    until("the stop", || target.metrics().partitions_stopped.value() == 1).await;
    world.east.produce(orders, 0, values(20, 10)).await;

    let which = |topic: &str| Which { topic: Some(topic.to_owned()), partition: None };
    assert_eq!(target.resume("east:west", which("clicks"), false).await, []);
    assert_eq!(target.resume("north:west", Which::default(), false).await, []);
    for _ in 0..2 {
        let told = target.resume("east:west", Which::default(), true).await;
        assert_eq!((told.len(), told[0].partition, told[0].stop.code), (1, 0, "target-offline"));
    }
    let told = target.resume("east:west", which("orders"), false).await;
    assert_eq!((told.len(), told[0].topic.as_str(), told[0].partition), (1, "orders", 0));
    soon("what came meanwhile", world.west.reaches(all, 0, 60)).await;
    soon("the table", translates(&target, 60, 60)).await;
    assert_eq!(world.west.log(all, 0).unwrap().ends().log_end.0, 60, "nothing twice");
    for offset in 0..60 {
        assert_eq!(to_target(&target, offset).await, Some(offset));
    }
    assert_eq!(target.resume("east:west", Which::default(), false).await, []);
    target.shutdown().await;
    source.shutdown().await;
}

#[tokio::test]
async fn ends_with_different_topology_files_talk_and_say_so() {
    let mut world = World::new();
    let topic = world.east.create_topic("orders", 7, 1);
    for (digest, differs) in [("77", false), ("78", true)] {
        world.east_digest = digest;
        let source = world.source(None).await;
        let target = world.target(source.address()).await;
        world.east.produce(topic, 0, values(0, 10)).await;
        let end = world.east.log(topic, 0).unwrap().ends().log_end.0;
        soon("the records", world.west.reaches(topic, 0, end)).await;
        assert_eq!(target.status().await.incoming[0].topology_differs, differs);
        assert_eq!(source.status().await.outgoing[0].topology_differs, differs);
        target.shutdown().await;
        source.shutdown().await;
    }
}

#[tokio::test]
async fn a_topic_that_cannot_be_mirrored_is_told_with_its_reason() {
    let world = World::new();
    let ours = world.west.create_topic("orders", 9, 1);
    let theirs = world.east.create_topic("orders", 7, 2);
    world.east.produce(theirs, 0, values(0, 1)).await;
    let source = world.source(None).await;
    let target = world.target(source.address()).await;
    let stopped = async || loop {
        let link = target.status().await.incoming.remove(0);
        if let [topic] = &link.stopped_topics[..] {
            return (link.partitions.len(), topic.topic.clone(), topic.partitions, topic.code);
        }
        tokio::task::yield_now().await;
    };
    let told = soon("the reason", stopped()).await;
    assert_eq!(told, (0, "orders".to_owned(), 2, "local-topic-in-the-way"));
    assert_eq!(world.west.log(ours, 0).unwrap().ends().log_end.0, 0, "ours is as it was");
    target.shutdown().await;
    source.shutdown().await;
}
