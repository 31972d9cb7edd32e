//! A replica is its source: same name, id, offsets, epochs, timestamps, headers, producer fields: the same bytes.

use integration::{Daemon, Datacenters, client, eventually, produce};
use rdkafka::admin::{AlterConfig, NewPartitions, ResourceSpecifier};

use super::load;

const PARTITIONS: i32 = 3;

#[tokio::test(flavor = "multi_thread")]
async fn ten_topics_with_mixed_codecs_headers_and_idempotent_producers_are_the_same_bytes() {
    let world = Datacenters::mirror().start();
    let topics: Vec<String> = (0..10).map(|at| format!("m.topic-{at}")).collect();
    for (at, topic) in topics.iter().enumerate() {
        client::create_topic(&world.east.bootstrap(), topic, PARTITIONS, &[]).await;
        let producer = load::producer(&world.east.bootstrap(), load::CODECS[at % load::CODECS.len()]);
        load::produce(&producer, topic, at as u64, 500).await;
    }
    for topic in &topics {
        world.assert_identical(topic, PARTITIONS);
    }
    let (east, west) = (topic_ids(&world.east, &topics), topic_ids(&world.west, &topics));
    assert_eq!(east, west, "a client can move only where the topic id is the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_before_the_target_first_comes_is_mirrored_too() {
    let mut world = Datacenters::mirror().start();
    world.west.kill9();
    client::create_topic(&world.east.bootstrap(), "m.early", PARTITIONS, &[]).await;
    load::produce(&load::producer(&world.east.bootstrap(), "zstd"), "m.early", 1, 3_000).await;
    world.west.restart();
    world.assert_identical("m.early", PARTITIONS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_outside_the_links_rules_stays_where_it_is() {
    let world = Datacenters::mirror().start();
    client::create_topic(&world.east.bootstrap(), "private", 1, &[]).await;
    client::create_topic(&world.east.bootstrap(), "m.public", 1, &[]).await;
    load::produce(&load::producer(&world.east.bootstrap(), "none"), "private", 1, 10).await;
    load::produce(&load::producer(&world.east.bootstrap(), "none"), "m.public", 1, 10).await;
    world.assert_identical("m.public", 1);
    assert_eq!(produce::log_end(world.west.address(), "private", 0), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn configs_and_partition_growth_are_followed() {
    let world = Datacenters::mirror().start();
    let (east, west) = (world.east.bootstrap(), world.west.bootstrap());
    client::create_topic(&east, "m.grows", 1, &[("retention.ms", "7200000")]).await;
    eventually("the config", || (config(&west, "m.grows", "retention.ms")? == "7200000").then_some(()));

    let alter = AlterConfig::new(ResourceSpecifier::Topic("m.grows")).set("retention.ms", "3600000");
    client::admin(&east).alter_configs([&alter], &client::admin_options()).await.unwrap();
    eventually("the new config", || (config(&west, "m.grows", "retention.ms")? == "3600000").then_some(()));

    let grow = NewPartitions::new("m.grows", 4);
    client::admin(&east).create_partitions([&grow], &client::admin_options()).await.unwrap();
    eventually("the new partitions", || produce::log_end(world.west.address(), "m.grows", 3));
    load::produce(&load::producer(&east, "lz4"), "m.grows", 1, 400).await;
    world.assert_identical("m.grows", 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_start_follows_the_source() {
    let world = Datacenters::mirror().start();
    client::create_topic(&world.east.bootstrap(), "m.trimmed", 1, &[]).await;
    load::produce(&load::producer(&world.east.bootstrap(), "none"), "m.trimmed", 1, 200).await;
    world.await_mirrored("m.trimmed", 1);
    let mut before = rdkafka::TopicPartitionList::new();
    before.add_partition_offset("m.trimmed", 0, rdkafka::Offset::Offset(120)).unwrap();
    client::admin(&world.east.bootstrap()).delete_records(&before, &client::admin_options()).await.unwrap();
    eventually("the target's log start", || {
        (produce::log_start(world.west.address(), "m.trimmed", 0)? == 120).then_some(())
    });
    world.assert_identical("m.trimmed", 1);
}

fn topic_ids(daemon: &Daemon, topics: &[String]) -> Vec<protocol::Uuid> {
    topics
        .iter()
        .map(|topic| produce::topic_id(daemon.address(), topic).expect("the topic is there"))
        .collect()
}

/// A topic's setting as the broker tells it.
fn config(bootstrap: &str, topic: &str, name: &str) -> Option<String> {
    let admin = client::admin(bootstrap);
    let asked = [ResourceSpecifier::Topic(topic)];
    let options = client::admin_options();
    let described = tokio::task::block_in_place(|| {
        tokio::runtime::Handle::current().block_on(admin.describe_configs(&asked, &options))
    });
    let resource = described.ok()?.into_iter().next()?.ok()?;
    resource.get(name)?.value.clone()
}
