//! Topics, partitions, configs, records and groups through an admin client.

use bytestring::ByteString;
use integration::{DEADLINE, Daemon, Wire, client, eventually};
use protocol::{
    ErrorCode,
    messages::k32_describe_configs::{
        DescribeConfigsRequest, DescribeConfigsRequestResource, DescribeConfigsResponse,
    },
    messages::k44_incremental_alter_configs::{
        IncrementalAlterConfigsRequest, IncrementalAlterConfigsRequestConfig,
        IncrementalAlterConfigsRequestResource, IncrementalAlterConfigsResponse,
    },
};
use rdkafka::{
    Message, Offset, TopicPartitionList,
    admin::{AlterConfig, ConfigResource, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication},
    consumer::{CommitMode, Consumer},
    types::RDKafkaErrorCode as Code,
};

/// A resource type and operations of IncrementalAlterConfigs.
const TOPIC: i8 = 2;
const SET: i8 = 0;
const DELETE: i8 = 1;

#[tokio::test(flavor = "multi_thread")]
async fn topics_are_created_once_and_only_as_they_can_be() {
    let daemon = Daemon::start();
    let admin = client::admin(&daemon.bootstrap());
    let long = "x".repeat(250);
    let fixed = TopicReplication::Fixed;
    let asked = [
        (NewTopic::new("plain", 3, fixed(1)), Ok(())),
        (NewTopic::new("default", -1, fixed(-1)), Ok(())),
        (NewTopic::new("configured", 1, fixed(1)).set("retention.ms", "1234"), Ok(())),
        (NewTopic::new("replicated", 1, fixed(3)), Err(Code::InvalidReplicationFactor)),
        (NewTopic::new("none", 0, fixed(1)), Err(Code::InvalidPartitions)),
        (NewTopic::new("with space", 1, fixed(1)), Err(Code::InvalidTopic)),
        (NewTopic::new("..", 1, fixed(1)), Err(Code::InvalidTopic)),
        (NewTopic::new(&long, 1, fixed(1)), Err(Code::InvalidTopic)),
        (NewTopic::new("unknown", 1, fixed(1)).set("no.such.config", "1"), Err(Code::InvalidConfig)),
        (NewTopic::new("bad", 1, fixed(1)).set("retention.ms", "soon"), Err(Code::InvalidConfig)),
    ];
    for (topic, expected) in &asked {
        let answered = admin.create_topics([topic], &client::admin_options()).await.unwrap();
        let answered = answered[0].as_ref().map(|_| ()).map_err(|(_, code)| *code);
        assert_eq!(answered, *expected, "{}", topic.name);
    }
    let again = admin.create_topics([&asked[0].0], &client::admin_options()).await.unwrap();
    assert_eq!(again, [Err(("plain".to_owned(), Code::TopicAlreadyExists))]);
    let dry = client::admin_options().validate_only(true);
    let only_checked = NewTopic::new("checked", 1, fixed(1));
    assert!(admin.create_topics([&only_checked], &dry).await.unwrap()[0].is_ok());
    assert_eq!(topic_names(&daemon), ["configured", "default", "plain"]);
    assert_eq!(partition_count(&daemon, "plain"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_made_anew_is_empty() {
    let daemon = Daemon::start();
    let admin = client::admin(&daemon.bootstrap());
    client::create_topic(&daemon.bootstrap(), "t", 1, &[]).await;
    let producer = client::producer(&daemon.bootstrap(), &[]);
    client::produce(&producer, "t", None, Some(b"old")).await.unwrap();
    drop(producer);
    let deleted = admin.delete_topics(&["t", "never"], &client::admin_options()).await.unwrap();
    assert_eq!(deleted, [Ok("t".to_owned()), Err(("never".to_owned(), Code::UnknownTopicOrPartition))]);
    eventually("the topic to be gone", || topic_names(&daemon).is_empty().then_some(()));

    client::create_topic(&daemon.bootstrap(), "t", 1, &[]).await;
    let producer = client::producer(&daemon.bootstrap(), &[]);
    assert_eq!(client::produce(&producer, "t", None, Some(b"new")).await, Ok((0, 0)));
    let records = client::read_partition(&daemon.bootstrap(), "t", 0, 0);
    assert_eq!(records.iter().map(|record| record.payload()).collect::<Vec<_>>(), [Some(&b"new"[..])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_and_their_configs_outlive_a_killed_broker() {
    let mut daemon = Daemon::start();
    let admin = client::admin(&daemon.bootstrap());
    for name in ["kept", "deleted"] {
        client::create_topic(&daemon.bootstrap(), name, 2, &[("retention.ms", "86400000")]).await;
    }
    assert!(admin.delete_topics(&["deleted"], &client::admin_options()).await.unwrap()[0].is_ok());
    let grown = NewPartitions::new("kept", 5);
    assert!(admin.create_partitions([&grown], &client::admin_options()).await.unwrap()[0].is_ok());
    daemon.kill9();
    daemon.restart();

    assert_eq!(topic_names(&daemon), ["kept"]);
    assert_eq!(partition_count(&daemon, "kept"), 5);
    assert_eq!(config(&daemon, "kept", "retention.ms").await.as_deref(), Some("86400000"));
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_are_added_but_never_removed() {
    let daemon = Daemon::start();
    let admin = client::admin(&daemon.bootstrap());
    client::create_topic(&daemon.bootstrap(), "t", 2, &[]).await;
    for (topic, count, expected) in [
        ("t", 4, Ok(())),
        ("t", 4, Err(Code::InvalidPartitions)),
        ("t", 1, Err(Code::InvalidPartitions)),
        ("missing", 4, Err(Code::UnknownTopicOrPartition)),
    ] {
        let wanted = NewPartitions::new(topic, count);
        let answered = admin.create_partitions([&wanted], &client::admin_options()).await.unwrap();
        let answered = answered[0].as_ref().map(|_| ()).map_err(|(_, code)| *code);
        assert_eq!(answered, expected, "{topic} to {count}");
    }
    assert_eq!(partition_count(&daemon, "t"), 4);
    let producer = client::producer(&daemon.bootstrap(), &[]);
    let record = rdkafka::producer::FutureRecord::<str, str>::to("t").partition(3).payload("v");
    assert_eq!(producer.send(record, DEADLINE).await.unwrap().partition, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn configs_are_described_and_altered() {
    let daemon = Daemon::start();
    let admin = client::admin(&daemon.bootstrap());
    client::create_topic(&daemon.bootstrap(), "t", 1, &[]).await;
    assert_eq!(config(&daemon, "t", "cleanup.policy").await.as_deref(), Some("delete"));
    assert_eq!(config(&daemon, "t", "retention.ms").await.as_deref(), Some("604800000"));

    let topic = ResourceSpecifier::Topic("t");
    let wanted = AlterConfig::new(topic).set("retention.ms", "5000").set("max.message.bytes", "2000");
    assert!(admin.alter_configs([&wanted], &client::admin_options()).await.unwrap()[0].is_ok());
    assert_eq!(config(&daemon, "t", "retention.ms").await.as_deref(), Some("5000"));
    let producer = client::producer(&daemon.bootstrap(), &[]);
    let refused = client::produce(&producer, "t", None, Some(&[7; 3000])).await.unwrap_err();
    assert_eq!(refused.rdkafka_error_code(), Some(Code::MessageSizeTooLarge), "a config is in force at once");

    let answered =
        alter(&daemon, "t", &[("retention.ms", SET, Some("soon")), ("segment.bytes", SET, Some("999999"))]);
    assert_eq!(answered, ErrorCode::INVALID_CONFIG);
    assert_eq!(alter(&daemon, "t", &[("no.such.config", SET, Some("1"))]), ErrorCode::INVALID_CONFIG);
    assert_eq!(config(&daemon, "t", "segment.bytes").await.as_deref(), Some("1073741824"), "all or nothing");
    assert_eq!(alter(&daemon, "t", &[("retention.ms", DELETE, None)]), ErrorCode::NONE);
    assert_eq!(
        config(&daemon, "t", "retention.ms").await.as_deref(),
        Some("604800000"),
        "back to the default"
    );
    assert_eq!(config(&daemon, "t", "max.message.bytes").await.as_deref(), Some("2000"), "others stay");
    assert_eq!(
        alter(&daemon, "missing", &[("retention.ms", SET, Some("1"))]),
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
    );
    let missing = DescribeConfigsRequestResource {
        resource_type: TOPIC,
        resource_name: "missing".into(),
        ..Default::default()
    };
    let request = DescribeConfigsRequest { resources: vec![missing], ..Default::default() };
    let answer: DescribeConfigsResponse = Wire::connect(daemon.address()).call(4, &request);
    assert_eq!(answer.results[0].error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_broker_describes_its_own_configs() {
    let daemon = Daemon::start();
    let admin = client::admin(&daemon.bootstrap());
    let consumer = client::consumer(&daemon.bootstrap(), "unused", &[]);
    let metadata = consumer.fetch_metadata(None, DEADLINE).unwrap();
    let broker = ResourceSpecifier::Broker(metadata.brokers()[0].id());
    let answered = admin.describe_configs([&broker], &client::admin_options()).await.unwrap();
    let names: Vec<&str> = answered[0].as_ref().unwrap().entries.iter().map(|entry| &*entry.name).collect();
    assert!(names.contains(&"message.max.bytes"), "{names:?}");
    assert!(names.contains(&"num.partitions"), "{names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_records_stay_deleted() {
    let mut daemon = Daemon::start();
    client::create_topic(&daemon.bootstrap(), "t", 1, &[]).await;
    let producer = client::producer(&daemon.bootstrap(), &[]);
    for at in 0..20 {
        client::produce(&producer, "t", None, Some(at.to_string().as_bytes())).await.unwrap();
    }
    let low_watermark = async |daemon: &Daemon, before: Offset| {
        let mut offsets = TopicPartitionList::new();
        offsets.add_partition_offset("t", 0, before).unwrap();
        let admin = client::admin(&daemon.bootstrap());
        let answered = admin.delete_records(&offsets, &client::admin_options()).await.unwrap();
        let element = answered.find_partition("t", 0).unwrap();
        element.error().map(|()| element.offset())
    };
    assert_eq!(low_watermark(&daemon, Offset::Offset(15)).await, Ok(Offset::Offset(15)));
    let beyond = low_watermark(&daemon, Offset::Offset(21)).await.unwrap_err();
    assert_eq!(beyond.rdkafka_error_code(), Some(Code::OffsetOutOfRange));
    daemon.kill9();
    daemon.restart();

    let records = client::read_partition(&daemon.bootstrap(), "t", 0, 0);
    assert_eq!(records.first().map(|record| record.offset()), Some(15));
    assert_eq!(low_watermark(&daemon, Offset::End).await, Ok(Offset::Offset(20)));
    let consumer = client::consumer(&daemon.bootstrap(), "unused", &[]);
    assert_eq!(consumer.fetch_watermarks("t", 0, DEADLINE), Ok((20, 20)));
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_listed_and_deleted_when_empty() {
    let daemon = Daemon::start();
    let admin = client::admin(&daemon.bootstrap());
    client::create_topic(&daemon.bootstrap(), "t", 1, &[]).await;
    let producer = client::producer(&daemon.bootstrap(), &[]);
    client::produce(&producer, "t", None, Some(b"v")).await.unwrap();
    let member = client::consumer(&daemon.bootstrap(), "g", &[("client.id", "reader")]);
    member.subscribe(&["t"]).unwrap();
    client::receive(&member);
    member.commit_consumer_state(CommitMode::Sync).unwrap();

    let groups = member.fetch_group_list(None, DEADLINE).unwrap();
    assert_eq!(groups.groups().iter().map(|group| group.name()).collect::<Vec<_>>(), ["g"]);
    let group = &groups.groups()[0];
    assert_eq!((group.state(), group.protocol_type(), group.protocol()), ("Stable", "consumer", "range"));
    assert_eq!(group.members().len(), 1);
    assert_eq!(group.members()[0].client_id(), "reader");
    let refused = admin.delete_groups(&["g"], &client::admin_options()).await.unwrap();
    assert_eq!(refused, [Err(("g".to_owned(), Code::NonEmptyGroup))]);
    drop(member);

    eventually("the group to be empty", || {
        let groups = group_states(&daemon);
        (groups == [("g".to_owned(), "Empty".to_owned())]).then_some(())
    });
    let deleted = admin.delete_groups(&["g", "never"], &client::admin_options()).await.unwrap();
    assert_eq!(deleted, [Ok("g".to_owned()), Err(("never".to_owned(), Code::GroupIdNotFound))]);
    assert_eq!(group_states(&daemon), []);
    let other = client::consumer(&daemon.bootstrap(), "g", &[]);
    let mut asked = TopicPartitionList::new();
    asked.add_partition("t", 0);
    let committed = other.committed_offsets(asked, DEADLINE).unwrap();
    assert_eq!(committed.find_partition("t", 0).unwrap().offset(), Offset::Invalid);
}

/// Changes single configs of a topic.
#[track_caller]
fn alter(daemon: &Daemon, topic: &str, configs: &[(&str, i8, Option<&str>)]) -> ErrorCode {
    let configs = configs.iter().map(|(name, operation, value)| IncrementalAlterConfigsRequestConfig {
        name: (*name).into(),
        config_operation: *operation,
        value: value.map(ByteString::from),
    });
    let resource = IncrementalAlterConfigsRequestResource {
        resource_type: TOPIC,
        resource_name: topic.into(),
        configs: configs.collect(),
    };
    let request = IncrementalAlterConfigsRequest { resources: vec![resource], ..Default::default() };
    let answer: IncrementalAlterConfigsResponse = Wire::connect(daemon.address()).call(1, &request);
    answer.responses[0].error_code
}

/// Names of the topics that are not the broker's own.
#[track_caller]
fn topic_names(daemon: &Daemon) -> Vec<String> {
    let consumer = client::consumer(&daemon.bootstrap(), "unused", &[]);
    let metadata = consumer.fetch_metadata(None, DEADLINE).unwrap();
    let names = metadata.topics().iter().map(|topic| topic.name().to_owned());
    let mut names: Vec<String> = names.filter(|name| !name.starts_with("__")).collect();
    names.sort();
    names
}

#[track_caller]
fn partition_count(daemon: &Daemon, topic: &str) -> usize {
    let consumer = client::consumer(&daemon.bootstrap(), "unused", &[]);
    consumer.fetch_metadata(Some(topic), DEADLINE).unwrap().topics()[0].partitions().len()
}

/// Names and states of all groups.
#[track_caller]
fn group_states(daemon: &Daemon) -> Vec<(String, String)> {
    let consumer = client::consumer(&daemon.bootstrap(), "unused", &[]);
    let groups = consumer.fetch_group_list(None, DEADLINE).unwrap();
    groups.groups().iter().map(|group| (group.name().to_owned(), group.state().to_owned())).collect()
}

async fn config(daemon: &Daemon, topic: &str, name: &str) -> Option<String> {
    let admin = client::admin(&daemon.bootstrap());
    let resource = ResourceSpecifier::Topic(topic);
    let mut answered = admin.describe_configs([&resource], &client::admin_options()).await.unwrap();
    let described: ConfigResource = answered.remove(0).unwrap();
    described.get(name).and_then(|entry| entry.value.clone())
}
