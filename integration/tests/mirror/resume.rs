//! A partition that is stopped is tried again when an operator says so, and nothing is skipped by it.

use std::{
    fs::OpenOptions,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use integration::{
    Datacenters, client,
    datacenters::{ask, command},
    eventually, produce,
};
use rdkafka::{Offset, TopicPartitionList};
use serde_json::Value;

use super::load;

const TOPIC: &str = "m.stopped";
const LINK: &str = "us-east:eu-west";

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_source_stops_its_partition_until_it_is_well_and_somebody_says_so() {
    let (mut world, held) = west_down_with_records_to_come().await;
    world.east.terminate();
    let segment = world.east.data().join(format!("{TOPIC}-0")).join("00000000000000000000.log");
    let damage = Damage::at_the_end_of(&segment);
    world.east.restart();
    world.west.restart();
    await_stopped(&world, "source-damaged");

    let (done, told) = ask(&world.west, &["resume", "--link", LINK, "--dry-run"]);
    assert!(done, "{told}");
    assert_eq!(told["partitions"][0]["stop"]["code"], "source-damaged", "{told}");
    let stops = stops(&world);
    resume(&world);
    eventually("the partition to stop again", || (self::stops(&world) > stops).then_some(()));
    await_stopped(&world, "source-damaged");
    assert!(west_end(&world) < east_end(&world), "what is damaged is not mirrored");
    assert!(west_end(&world) >= held);

    damage.repair();
    resume(&world);
    world.assert_identical(TOPIC, 1);
    let (_, told) = ask(&world.west, &["resume", "--link", LINK]);
    assert_eq!(told["partitions"], Value::Array(Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_the_source_deleted_are_not_resumed_past() {
    let (mut world, held) = west_down_with_records_to_come().await;
    let mut before = TopicPartitionList::new();
    before.add_partition_offset(TOPIC, 0, Offset::Offset(held + 10)).expect("a valid offset");
    let options = client::admin_options();
    let deleted = client::admin(&world.east.bootstrap()).delete_records(&before, &options).await;
    deleted.expect("the source deletes");
    world.west.restart();
    await_stopped(&world, "source-trimmed");
    for _ in 0..2 {
        let stops = stops(&world);
        resume(&world);
        eventually("the partition to stop again", || (self::stops(&world) > stops).then_some(()));
        await_stopped(&world, "source-trimmed");
    }
    assert_eq!(west_end(&world), held);
}

#[test]
fn what_cannot_be_resumed_is_named() {
    let world = Datacenters::mirror().start();
    for (daemon, arguments, word) in [
        (&world.east, &["resume", "--link", LINK][..], "west-1"),
        (&world.west, &["resume", "--link", "eu-west:us-east"], LINK),
        (&world.west, &["resume", "--link", LINK, "--topic", "other"], "other"),
        (&world.west, &["resume", "--link", LINK, "--partition", "0"], "--topic"),
    ] {
        let output = command(daemon, arguments);
        assert!(!output.status.success(), "{arguments:?}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(word), "{arguments:?}: {said}");
    }
}

/// West has the first hundred records and is down when the next come; where it ends.
async fn west_down_with_records_to_come() -> (Datacenters, i64) {
    let mut world = Datacenters::mirror().start();
    client::create_topic(&world.east.bootstrap(), TOPIC, 1, &[]).await;
    let producer = load::producer(&world.east.bootstrap(), "none");
    load::produce(&producer, TOPIC, 1, 100).await;
    world.await_mirrored(TOPIC, 1);
    let held = west_end(&world);
    world.west.terminate();
    load::produce(&producer, TOPIC, 2, 100).await;
    (world, held)
}

fn west_end(world: &Datacenters) -> i64 {
    produce::log_end(world.west.address(), TOPIC, 0).expect("the replica is there")
}

fn east_end(world: &Datacenters) -> i64 {
    produce::log_end(world.east.address(), TOPIC, 0).expect("the topic is there")
}

fn stops(world: &Datacenters) -> u64 {
    let name = "isthmus_mirror_partitions_stopped_total";
    world.west.metrics().sum(&[name]) as u64
}

fn resume(world: &Datacenters) {
    let (done, told) = ask(&world.west, &["resume", "--link", LINK, "--topic", TOPIC, "--partition", "0"]);
    assert!(done, "{told}");
    assert_eq!(told["partitions"].as_array().map(Vec::len), Some(1), "{told}");
}

#[track_caller]
fn await_stopped(world: &Datacenters, code: &str) {
    eventually(&format!("the partition to stop: {code}"), || {
        let (_, status) = ask(&world.west, &["status"]);
        let partitions = status["links"][0]["partitions"].as_array()?.clone();
        partitions.iter().any(|partition| partition["stop"]["code"] == code).then_some(())
    });
}

/// A byte of a segment that is not what it was.
struct Damage {
    segment: PathBuf,
    at: u64,
    byte: u8,
}

impl Damage {
    /// In the last batch.
    fn at_the_end_of(segment: &Path) -> Self {
        let bytes = std::fs::read(segment).expect("the segment is there");
        let at = bytes.iter().rposition(|byte| *byte != 0).expect("the segment has records");
        let damage = Self { segment: segment.to_owned(), at: at as u64, byte: bytes[at] };
        damage.write(damage.byte ^ 1);
        damage
    }

    fn repair(self) {
        self.write(self.byte);
    }

    fn write(&self, byte: u8) {
        let file = OpenOptions::new().write(true).open(&self.segment).expect("the segment is there");
        file.write_all_at(&[byte], self.at).expect("the segment can be written");
    }
}
