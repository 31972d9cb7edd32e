use protocol::Uuid;

use super::*;
use crate::{
    gate::OpenGate,
    metadata::{
        InternalTopic,
        testing::{self, MemoryLog, context, endpoint, over_the_wire, with_topics},
    },
    record_log::RecordLogError,
    settings::TopicSettings,
};

/// The answer as a client reads it.
async fn ask(metadata: &Metadata, version: i16, request: MetadataRequest) -> MetadataResponse {
    let request = over_the_wire(&request, version);
    over_the_wire(&handle(metadata, &OpenGate, &endpoint(), &context(version), request).await, version)
}

fn named(names: &[&'static str]) -> MetadataRequest {
    let topic = |name: &&'static str| MetadataRequestTopic {
        name: Some(ByteString::from_static(name)),
        ..Default::default()
    };
    MetadataRequest { topics: Some(names.iter().map(topic).collect()), ..Default::default() }
}

fn by_ids(ids: &[Uuid]) -> MetadataRequest {
    let topic = |id: &Uuid| MetadataRequestTopic { topic_id: *id, name: None };
    MetadataRequest { topics: Some(ids.iter().map(topic).collect()), ..Default::default() }
}

fn names(response: &MetadataResponse) -> Vec<&str> {
    response.topics.iter().map(|topic| topic.name.as_deref().unwrap_or("-")).collect()
}

fn codes(response: &MetadataResponse) -> Vec<ErrorCode> {
    response.topics.iter().map(|topic| topic.error_code).collect()
}

async fn without_auto_creation() -> Metadata {
    let settings = TopicSettings { auto_create: false, ..TopicSettings::default() };
    testing::open_with(&MemoryLog::new(), settings).await.expect("an empty log is sound")
}

#[tokio::test]
async fn the_broker_leads_everything_and_is_the_controller() {
    let metadata = with_topics(&["orders"]).await;
    let answer = ask(&metadata, 12, named(&["orders"])).await;
    assert_eq!(answer.cluster_id.as_deref(), Some(metadata.image().cluster_id()));
    assert_eq!(answer.controller_id, 1_001);
    let [broker] = &answer.brokers[..] else { panic!("one broker") };
    assert_eq!((broker.node_id, &*broker.host, broker.port), (1_001, "broker.example", 9_092));
    assert_eq!(broker.rack.as_deref(), Some("r1"));
    let [topic] = &answer.topics[..] else { panic!("one topic") };
    assert_eq!(TopicId(topic.topic_id), metadata.image().topic("orders").expect("there").id);
    assert!(!topic.is_internal);
    let [partition] = &topic.partitions[..] else { panic!("one partition") };
    let expected = MetadataResponsePartition {
        leader_id: 1_001,
        leader_epoch: 0,
        replica_nodes: vec![1_001],
        isr_nodes: vec![1_001],
        ..Default::default()
    };
    assert_eq!(partition, &expected);
}

#[tokio::test]
async fn every_version_is_answered() {
    let metadata = with_topics(&["orders"]).await;
    for version in 0..=13 {
        let answer = ask(&metadata, version, named(&["orders", "bad name"])).await;
        assert_eq!(names(&answer), ["orders", "bad name"], "version {version}");
        assert_eq!(codes(&answer), [ErrorCode::NONE, ErrorCode::INVALID_TOPIC_EXCEPTION]);
    }
}

#[tokio::test]
async fn all_topics_are_asked_for_by_null_and_in_version_0_by_an_empty_list() {
    let metadata = with_topics(&["b", "c", "a"]).await;
    let none = || named(&[]);
    assert_eq!(names(&ask(&metadata, 0, none()).await), ["a", "b", "c"]);
    for version in 1..=13 {
        assert_eq!(names(&ask(&metadata, version, none()).await), [""; 0], "version {version}");
        let all = MetadataRequest { topics: None, ..Default::default() };
        assert_eq!(names(&ask(&metadata, version, all).await), ["a", "b", "c"], "version {version}");
    }
}

#[tokio::test]
async fn topics_keep_the_order_of_the_request_and_repeats_count_once() {
    let metadata = with_topics(&["b", "c", "a"]).await;
    assert_eq!(names(&ask(&metadata, 9, named(&["c", "a", "c", "b"])).await), ["c", "a", "b"]);
}

#[tokio::test]
async fn a_missing_topic_is_created_when_both_sides_allow_it() {
    let metadata = with_topics(&[]).await;
    let refused = MetadataRequest { allow_auto_topic_creation: false, ..named(&["orders"]) };
    assert_eq!(codes(&ask(&metadata, 4, refused).await), [ErrorCode::UNKNOWN_TOPIC_OR_PARTITION]);

    let answer = ask(&metadata, 4, named(&["orders", "bad name", "..", "bills"])).await;
    let invalid = ErrorCode::INVALID_TOPIC_EXCEPTION;
    assert_eq!(codes(&answer), [ErrorCode::NONE, invalid, invalid, ErrorCode::NONE]);
    assert_eq!(answer.topics[0].partitions.len(), 1);
    assert_eq!(metadata.image().topic_count(), 2);

    let answer = ask(&metadata, 1, named(&["old-clients-may-always"])).await;
    assert_eq!(codes(&answer), [ErrorCode::NONE]);

    let answer = ask(&without_auto_creation().await, 4, named(&["orders"])).await;
    assert_eq!(codes(&answer), [ErrorCode::UNKNOWN_TOPIC_OR_PARTITION]);
}

#[tokio::test]
async fn names_that_collide_are_not_created_and_internal_ones_not_by_asking() {
    let metadata = with_topics(&["a.b"]).await;
    let answer = ask(&metadata, 9, named(&["a_b", "__consumer_offsets", "__cluster_metadata"])).await;
    let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
    assert_eq!(codes(&answer), [ErrorCode::INVALID_TOPIC_EXCEPTION, unknown, unknown]);
    assert!(answer.topics[1].is_internal);
    assert_eq!(metadata.image().topic_count(), 1);

    let wanted = InternalTopic::ConsumerOffsets { partitions: 5 };
    metadata.ensure_internal_topic(wanted).await.expect("it is made");
    let answer = ask(&metadata, 9, named(&["__consumer_offsets"])).await;
    assert!(answer.topics[0].is_internal);
    assert_eq!(answer.topics[0].partitions.len(), 5);
}

#[tokio::test]
async fn a_topic_that_cannot_be_stored_is_answered_with_the_reason() {
    let log = MemoryLog::new();
    let metadata = testing::open(&log).await;
    log.fail_with(Some(RecordLogError::Unavailable("full".into())));
    let answer = ask(&metadata, 9, named(&["orders"])).await;
    assert_eq!(codes(&answer), [ErrorCode::KAFKA_STORAGE_ERROR]);
}

#[tokio::test]
async fn topics_are_found_by_id() {
    let metadata = with_topics(&["orders", "bills"]).await;
    let bills = metadata.image().topic("bills").expect("there").id.0;
    let unknown = Uuid::from_u128(99);
    for version in 12..=13 {
        let answer = ask(&metadata, version, by_ids(&[unknown, bills, bills])).await;
        assert_eq!(codes(&answer), [ErrorCode::UNKNOWN_TOPIC_ID, ErrorCode::NONE]);
        assert_eq!(names(&answer), ["-", "bills"]);
        assert_eq!(answer.topics[0].topic_id, unknown);
    }
}

#[tokio::test]
async fn ids_before_version_12_and_topics_without_name_are_invalid() {
    let metadata = with_topics(&["orders"]).await;
    let orders = metadata.image().topic("orders").expect("there").id.0;
    for version in [10, 11] {
        let answer = ask(&metadata, version, by_ids(&[orders])).await;
        assert_eq!(codes(&answer), [ErrorCode::INVALID_REQUEST], "version {version}");
    }
    let answer = ask(&metadata, 12, by_ids(&[Uuid::nil()])).await;
    assert_eq!(codes(&answer), [ErrorCode::INVALID_REQUEST]);
}

#[tokio::test]
async fn authorized_operations_are_answered_only_when_asked_for() {
    let metadata = with_topics(&["orders"]).await;
    let answer = ask(&metadata, 8, named(&["orders"])).await;
    assert_eq!(answer.cluster_authorized_operations, i32::MIN);
    assert_eq!(answer.topics[0].topic_authorized_operations, i32::MIN);

    let asking = MetadataRequest {
        include_cluster_authorized_operations: true,
        include_topic_authorized_operations: true,
        ..named(&["orders"])
    };
    let answer = ask(&metadata, 8, asking).await;
    assert_eq!(answer.cluster_authorized_operations, 8_096);
    assert_eq!(answer.topics[0].topic_authorized_operations, 3_576);
}
