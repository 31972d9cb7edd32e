//! Merged topics: several topics into one, and a table that takes every offset across, both ways, exactly.

use std::path::PathBuf;

use integration::{
    Datacenters, client,
    datacenters::{EAST, WEST, ask, link},
    eventually, produce,
};
use rdkafka::Message;

use super::load;

const LINK: &str = "us-east:eu-west";
const INTO: &str = "all-clicks";

/// Source offset and target offset of every record of one source topic in the merged one, in order.
type Pairs = Vec<(i64, i64)>;

fn world() -> Datacenters {
    let rule = format!("{{ match: \"clicks-*\", into: \"{INTO}\", mode: merged }}");
    Datacenters::builder().flows(&link(EAST, WEST, &rule)).start()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_offset_translates_as_by_brute_force_both_ways_also_after_a_crash() {
    let mut world = world();
    let sources = ["clicks-a", "clicks-b"];
    for topic in sources {
        client::create_topic(&world.east.bootstrap(), topic, 1, &[]).await;
    }
    for round in 0..4 {
        for (at, topic) in sources.iter().enumerate() {
            let producer = load::producer(&world.east.bootstrap(), load::CODECS[at + 2]);
            load::produce(&producer, topic, round, 60 + 10 * at).await;
        }
        if round == 1 {
            world.west.kill9();
            world.west.restart();
        }
    }
    await_merged(&world, &sources);
    check_all(&world, &sources);
    world.west.kill9();
    world.west.restart();
    check_all(&world, &sources);
    load::produce(&load::producer(&world.east.bootstrap(), "none"), "clicks-a", 9, 50).await;
    await_merged(&world, &sources);
    check_all(&world, &sources);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_of_the_target_in_mid_flight_neither_loses_nor_doubles_a_record() {
    let mut world = world();
    client::create_topic(&world.east.bootstrap(), "clicks-a", 1, &[]).await;
    let producer = load::producer(&world.east.bootstrap(), "lz4");
    for round in 0..5 {
        load::produce(&producer, "clicks-a", round, 400).await;
        world.west.kill9();
        world.west.restart();
    }
    await_merged(&world, &["clicks-a"]);
    let target = values(&world.west.bootstrap(), INTO);
    assert_eq!(
        target,
        values(&world.east.bootstrap(), "clicks-a"),
        "one source: the same records in the same order"
    );
    check_all(&world, &["clicks-a"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_damaged_on_disk_is_found_again_in_the_log_and_nothing_comes_twice() {
    let mut world = world();
    let sources = ["clicks-a", "clicks-b"];
    for topic in sources {
        client::create_topic(&world.east.bootstrap(), topic, 1, &[]).await;
    }
    for round in 0..3 {
        for topic in sources {
            load::produce(&load::producer(&world.east.bootstrap(), "lz4"), topic, round, 40).await;
            await_merged(&world, &sources);
        }
    }
    world.west.kill9();
    let tables = tables(&world);
    assert_eq!(tables.len(), 2);
    for table in &tables {
        let mut bytes = std::fs::read(table).expect("the table can be read");
        // Behind the header and the first chunk, which says that nothing is mirrored yet.
        bytes[FIRST_RUNS..FIRST_RUNS + 12].fill(0);
        std::fs::write(table, bytes).expect("the table can be written");
    }
    world.west.restart();
    for topic in sources {
        load::produce(&load::producer(&world.east.bootstrap(), "none"), topic, 9, 20).await;
    }
    await_merged(&world, &sources);
    check_all(&world, &sources);
    assert_eq!(world.west.log().matches("a translation table was damaged").count(), 2);
    for table in tables {
        assert!(table.with_extension("translation.damaged").exists(), "the damaged file is kept");
    }
}

/// Where the first chunk with runs stands in a table's file.
const FIRST_RUNS: usize = 1546;

/// The files of the target's translation tables.
fn tables(world: &Datacenters) -> Vec<PathBuf> {
    let directory = world.west.data().join("translation").join("us-east+eu-west");
    let files =
        std::fs::read_dir(directory).expect("the link's tables").map(|file| file.expect("a file").path());
    files.filter(|file| file.extension().is_some_and(|extension| extension == "translation")).collect()
}

fn await_merged(world: &Datacenters, sources: &[&str]) {
    eventually("all records in the merged topic", || {
        let wanted: i64 = sources
            .iter()
            .map(|topic| produce::log_end(world.east.address(), topic, 0))
            .sum::<Option<i64>>()?;
        (produce::log_end(world.west.address(), INTO, 0)? == wanted).then_some(())
    });
}

fn check_all(world: &Datacenters, sources: &[&str]) {
    check(world, &Records::read(world, sources));
}

/// What a topic of the target holds, and the topics of the source that it comes from.
struct Records {
    target: Vec<Vec<u8>>,
    sources: Vec<(String, Vec<Vec<u8>>)>,
}

impl Records {
    fn read(world: &Datacenters, sources: &[&str]) -> Self {
        let read = |topic: &&str| ((*topic).to_owned(), values(&world.east.bootstrap(), topic));
        Self { target: values(&world.west.bootstrap(), INTO), sources: sources.iter().map(read).collect() }
    }
}

/// Every offset of both sides, against the records that were read.
fn check(world: &Datacenters, Records { target, sources }: &Records) {
    for (topic, source) in sources {
        let pairs = pairs(source, target);
        assert_eq!(pairs.len(), source.len(), "{topic}: every record is there once");
        for committed in 0..=source.len() as i64 {
            let expected = pairs.iter().find(|(from, _)| *from >= committed).map(|(_, to)| *to);
            let expected = expected.unwrap_or_else(|| pairs.last().map_or(0, |(_, to)| to + 1));
            assert_eq!(translate(world, topic, committed, false), expected, "{topic}: source {committed}");
        }
        for committed in 0..=target.len() as i64 {
            let expected = pairs.iter().find(|(_, to)| *to >= committed).map(|(from, _)| *from);
            let expected = expected.unwrap_or_else(|| pairs.last().map_or(0, |(from, _)| from + 1));
            assert_eq!(translate(world, topic, committed, true), expected, "{topic}: target {committed}");
        }
    }
}

/// By the daemon's own HTTP: thousands of processes would test the shell.
fn translate(world: &Datacenters, topic: &str, offset: i64, reverse: bool) -> i64 {
    let path =
        format!("/v1/translate?link={LINK}&topic={topic}&partition=0&offset={offset}&reverse={reverse}");
    let (status, body) = world.west.admin(&path).expect("the daemon answers");
    assert_eq!(status, 200, "{body}");
    let answer: serde_json::Value = serde_json::from_str(&body).expect("an answer in JSON");
    answer["translated"].as_i64().expect("an offset")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_translates_as_well() {
    let world = world();
    client::create_topic(&world.east.bootstrap(), "clicks-a", 1, &[]).await;
    load::produce(&load::producer(&world.east.bootstrap(), "none"), "clicks-a", 1, 20).await;
    await_merged(&world, &["clicks-a"]);
    assert_eq!(command_line(&world, "clicks-a", 7, &[]), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_restarted_after_its_source_was_lost_translates_every_offset() {
    let mut world = world();
    let sources = ["clicks-a", "clicks-b"];
    for topic in sources {
        client::create_topic(&world.east.bootstrap(), topic, 1, &[]).await;
    }
    for round in 0..3 {
        for topic in sources {
            load::produce(&load::producer(&world.east.bootstrap(), "zstd"), topic, round, 30).await;
            await_merged(&world, &sources);
        }
    }
    let records = Records::read(&world, &sources);
    world.east.kill9();
    world.west.kill9();
    world.west.restart();
    check(&world, &records);
    // A stretch of 30 from each topic in turn.
    assert_eq!(command_line(&world, "clicks-b", 35, &[]), 95);
    assert_eq!(command_line(&world, "clicks-b", 95, &["--reverse"]), 35);
}

fn command_line(world: &Datacenters, topic: &str, offset: i64, more: &[&str]) -> i64 {
    let offset = offset.to_string();
    let asked = ["translate", "--link", LINK, "--topic", topic, "--partition", "0", "--offset", &offset];
    let (done, answer) = ask(&world.west, &[&asked, more].concat());
    assert!(done, "{answer}");
    answer["translated"].as_i64().expect("an offset")
}

fn values(bootstrap: &str, topic: &str) -> Vec<Vec<u8>> {
    let records = client::read_partition(bootstrap, topic, 0, 0);
    records.into_iter().map(|record| record.payload().expect("a value").to_vec()).collect()
}

fn pairs(source: &[Vec<u8>], target: &[Vec<u8>]) -> Pairs {
    let at = |value: &Vec<u8>| target.iter().position(|other| other == value).map(|at| at as i64);
    source.iter().enumerate().filter_map(|(from, value)| Some((from as i64, at(value)?))).collect()
}
