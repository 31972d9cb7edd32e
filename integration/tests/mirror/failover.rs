//! A failover moves a unit: its topics become writable at the new home, its groups go on at exactly the right record, and the old
//! home is closed.

use integration::{
    Daemon, Datacenters, Wire, client,
    datacenters::{EAST, WEST, ask, link},
    eventually, produce,
};
use protocol::ErrorCode;
use rand::{Rng, SeedableRng, rngs::StdRng};
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{CommitMode, Consumer},
};

use super::load;

const TOPIC: &str = "orders.eu";
const PARTITIONS: i32 = 2;
const LAGS: u64 = 50;

#[tokio::test(flavor = "multi_thread")]
async fn fifty_groups_with_random_lags_resume_at_exactly_their_record() {
    let world = Datacenters::unit("wait").start();
    let (east, west) = (world.east.bootstrap(), world.west.bootstrap());
    client::create_topic(&east, TOPIC, PARTITIONS, &[]).await;
    load::produce(&load::producer(&east, "zstd"), TOPIC, 1, 2_000).await;
    let ends = ends(&world);
    let mut random = StdRng::seed_from_u64(1);
    let mut committed = Vec::new();
    for group in 0..LAGS {
        let group = format!("checkout-{group}");
        let positions: Vec<i64> = ends.iter().map(|end| random.random_range(0..=*end)).collect();
        commit(&east, &group, &positions);
        committed.push((group, positions));
    }
    let (done, report) = failover(&world, &[]);
    assert!(done, "{report}");
    assert_eq!(report["rpo_records"], 0, "{report}");
    for (group, positions) in &committed {
        assert_eq!(&committed_at(&west, group), positions, "{group}: neither skipped nor read again");
    }
    world.assert_identical(TOPIC, PARTITIONS);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failover_the_new_home_takes_writes_and_the_old_one_does_not() {
    let world = Datacenters::unit("wait").start();
    client::create_topic(&world.east.bootstrap(), TOPIC, PARTITIONS, &[]).await;
    load::produce(&load::producer(&world.east.bootstrap(), "none"), TOPIC, 1, 500).await;
    let (done, report) = failover(&world, &[]);
    assert!(done, "{report}");

    let (error, _) =
        produce::produce(&mut Wire::connect(world.east.address()), TOPIC, &produce::batch(&[b"stray"]));
    assert!(error.is_error(), "the old home took a record after the failover");
    load::produce(&load::producer(&world.west.bootstrap(), "lz4"), TOPIC, 2, 300).await;
    // The link of the other direction was at rest; it carries the unit now.
    world.assert_identical(TOPIC, PARTITIONS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failover_survives_restarts_and_its_generation_is_not_forgotten() {
    let mut world = Datacenters::unit("wait").start();
    client::create_topic(&world.east.bootstrap(), TOPIC, PARTITIONS, &[]).await;
    load::produce(&load::producer(&world.east.bootstrap(), "none"), TOPIC, 1, 200).await;
    let (done, report) = failover(&world, &[]);
    assert!(done, "{report}");
    for daemon in [&mut world.east, &mut world.west] {
        daemon.kill9();
        daemon.restart();
    }
    let (error, _) =
        produce::produce(&mut Wire::connect(world.east.address()), TOPIC, &produce::batch(&[b"stray"]));
    assert!(error.is_error(), "the old home opened again after a restart");
    load::produce(&load::producer(&world.west.bootstrap(), "none"), TOPIC, 2, 200).await;
    world.assert_identical(TOPIC, PARTITIONS);
    let (done, again) = failover(&world, &[]);
    assert!(done, "repeating a failover that is done does nothing and says so: {again}");
    assert_eq!(again["generation"], report["generation"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_tells_the_numbers_and_changes_nothing() {
    let world = Datacenters::unit("wait").start();
    client::create_topic(&world.east.bootstrap(), TOPIC, PARTITIONS, &[]).await;
    load::produce(&load::producer(&world.east.bootstrap(), "none"), TOPIC, 1, 100).await;
    world.await_mirrored(TOPIC, PARTITIONS);
    let (done, report) = failover(&world, &["--dry-run"]);
    assert!(done, "{report}");
    assert_eq!(report["partitions"].as_array().map(Vec::len), Some(PARTITIONS as usize), "{report}");
    let (error, _) = produce::produce(
        &mut Wire::connect(world.east.address()),
        TOPIC,
        &produce::batch(&[b"still at home"]),
    );
    assert_eq!(error, ErrorCode::NONE);
    world.assert_identical(TOPIC, PARTITIONS);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unplanned_failover_needs_no_old_home_and_the_returning_one_stays_closed() {
    let mut world = Datacenters::unit("wait").start();
    client::create_topic(&world.east.bootstrap(), TOPIC, PARTITIONS, &[]).await;
    load::produce(&load::producer(&world.east.bootstrap(), "none"), TOPIC, 1, 400).await;
    commit(&world.east.bootstrap(), "checkout-1", &[50, 60]);
    world.await_mirrored(TOPIC, PARTITIONS);
    await_committed(&world.west.bootstrap(), "checkout-1", &[50, 60]);
    world.east.kill9();
    let (done, report) = failover(&world, &["--unplanned"]);
    assert!(done, "{report}");
    load::produce(&load::producer(&world.west.bootstrap(), "none"), TOPIC, 2, 100).await;
    assert_eq!(committed_at(&world.west.bootstrap(), "checkout-1"), [50, 60]);

    world.east.restart();
    let (error, _) =
        produce::produce(&mut Wire::connect(world.east.address()), TOPIC, &produce::batch(&[b"stray"]));
    assert!(error.is_error(), "a home that returns starts closed");
    world.assert_identical(TOPIC, PARTITIONS);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_home_that_returns_with_records_of_its_own_is_diverged_and_keeps_them() {
    let world = Datacenters::unit("wait").relayed().start();
    client::create_topic(&world.east.bootstrap(), TOPIC, PARTITIONS, &[]).await;
    load::produce(&load::producer(&world.east.bootstrap(), "none"), TOPIC, 1, 200).await;
    world.await_mirrored(TOPIC, PARTITIONS);
    let common = ends(&world);
    world.cut();
    load::produce(&load::producer(&world.east.bootstrap(), "none"), TOPIC, 2, 50).await;
    let (before, logs) = (ends(&world), raw_logs(&world.east));
    let (done, report) = failover(&world, &["--unplanned"]);
    assert!(done, "{report}");
    load::produce(&load::producer(&world.west.bootstrap(), "none"), TOPIC, 3, 80).await;

    world.restore();
    let unit = eventually("the old home to see what it has", || {
        let (_, status) = ask(&world.east, &["status"]);
        let unit = status["units"][0].clone();
        (unit["state"] == "diverged").then_some(unit)
    });
    let tail = |partition: i32| {
        let at = partition as usize;
        let (common, end) = (common[at], before[at]);
        serde_json::json!({ "topic": TOPIC, "partition": partition, "common": common, "end": end })
    };
    let written =
        (0..PARTITIONS).filter(|partition| before[*partition as usize] > common[*partition as usize]);
    assert_eq!(unit["tails"], written.map(tail).collect::<serde_json::Value>());
    assert_eq!(raw_logs(&world.east), logs, "nothing is cut off, and nothing is mirrored behind it");
    let output = integration::datacenters::command(&world.east, &["failover", "orders", "--to", EAST]);
    assert!(!output.status.success(), "a diverged datacenter became the home");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_is_active_at_the_target_is_not_overwritten() {
    // No unit: the group may be used on both sides.
    let world =
        Datacenters::builder().flows(&link(EAST, WEST, "{ match: \"orders.*\", mode: replica }")).start();
    client::create_topic(&world.east.bootstrap(), TOPIC, PARTITIONS, &[]).await;
    load::produce(&load::producer(&world.east.bootstrap(), "none"), TOPIC, 1, 100).await;
    world.await_mirrored(TOPIC, PARTITIONS);
    let member = client::consumer(&world.west.bootstrap(), "local", &[]);
    member.subscribe(&[TOPIC]).unwrap();
    client::receive(&member);
    member.commit(&positions(&[7, 8]), CommitMode::Sync).unwrap();
    commit(&world.east.bootstrap(), "local", &[1, 2]);
    commit(&world.east.bootstrap(), "other", &[3, 4]);
    await_committed(&world.west.bootstrap(), "other", &[3, 4]);
    assert_eq!(committed_at(&world.west.bootstrap(), "local"), [7, 8]);
}

fn failover(world: &Datacenters, flags: &[&str]) -> (bool, serde_json::Value) {
    ask(&world.west, &[&["failover", "orders", "--to", WEST], flags].concat())
}

fn ends(world: &Datacenters) -> Vec<i64> {
    let end =
        |partition| produce::log_end(world.east.address(), TOPIC, partition).expect("the topic is there");
    (0..PARTITIONS).map(end).collect()
}

fn raw_logs(daemon: &Daemon) -> Vec<Vec<u8>> {
    (0..PARTITIONS).map(|partition| produce::raw_log(daemon.address(), TOPIC, partition)).collect()
}

fn positions(offsets: &[i64]) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for (partition, offset) in (0..).zip(offsets) {
        list.add_partition_offset(TOPIC, partition, Offset::Offset(*offset)).expect("an offset is valid");
    }
    list
}

fn commit(bootstrap: &str, group: &str, offsets: &[i64]) {
    let consumer = client::consumer(bootstrap, group, &[]);
    consumer.commit(&positions(offsets), CommitMode::Sync).expect("the coordinator takes a commit");
}

fn committed_at(bootstrap: &str, group: &str) -> Vec<i64> {
    let consumer = client::consumer(bootstrap, group, &[]);
    let asked = positions(&vec![0; PARTITIONS as usize]);
    let committed =
        consumer.committed_offsets(asked, integration::DEADLINE).expect("the coordinator answers");
    committed.elements().iter().map(|element| element.offset().to_raw().unwrap_or(-1)).collect()
}

fn await_committed(bootstrap: &str, group: &str, offsets: &[i64]) {
    eventually("the commit at the target", || (committed_at(bootstrap, group) == offsets).then_some(()));
}

#[test]
fn the_old_home_is_named_to_who_asks_the_wrong_datacenter() {
    let world = Datacenters::unit("wait").start();
    let output = integration::datacenters::command(&world.east, &["failover", "orders", "--to", WEST]);
    assert!(!output.status.success());
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(said.contains(WEST), "asked a node of {EAST}: {said}");
}
