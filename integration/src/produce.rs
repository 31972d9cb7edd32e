//! Topics and records through a raw connection.

use std::{
    net::SocketAddr,
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use protocol::{
    ErrorCode,
    batch::BatchBuilder,
    messages::{
        k00_produce::{
            ProduceRequest, ProduceRequestPartitionData, ProduceRequestTopicData, ProduceResponse,
        },
        k01_fetch::{FetchRequest, FetchRequestPartition, FetchRequestTopic},
        k19_create_topics::{CreateTopicsRequest, CreateTopicsRequestTopic, CreateTopicsResponse},
    },
};

use crate::wire::Wire;

/// Versions that every broker of today serves, and that name topics by name.
pub const PRODUCE: i16 = 9;
pub const FETCH: i16 = 12;
const CREATE_TOPICS: i16 = 5;
const TIMEOUT_MS: i32 = 30_000;

/// Creates a topic of some partitions.
#[track_caller]
pub fn create_topic(address: SocketAddr, name: &str, partitions: i32) {
    let topic = CreateTopicsRequestTopic {
        name: name.into(),
        num_partitions: partitions,
        replication_factor: 1,
        ..Default::default()
    };
    let request = CreateTopicsRequest { topics: vec![topic], timeout_ms: TIMEOUT_MS, ..Default::default() };
    let answer: CreateTopicsResponse = Wire::connect(address).call(CREATE_TOPICS, &request);
    assert_eq!(answer.topics[0].error_code, ErrorCode::NONE, "{name}");
}

/// A batch of records of now with these values.
pub fn batch(values: &[&[u8]]) -> Bytes {
    records(BatchBuilder::new(), values)
}

/// Ends a batch with records of now.
pub fn records(builder: BatchBuilder, values: &[&[u8]]) -> Bytes {
    let now = now_ms();
    let whole = values.iter().fold(builder, |builder, value| builder.record(now, None, Some(value), &[]));
    whole.build().expect("a test's batch is small").freeze()
}

/// A request to append records to partition 0.
pub fn produce_request(topic: &str, acks: i16, records: &Bytes) -> ProduceRequest {
    let partition = ProduceRequestPartitionData { index: 0, records: Some(records.clone()) };
    ProduceRequest {
        acks,
        timeout_ms: TIMEOUT_MS,
        topic_data: vec![ProduceRequestTopicData {
            name: topic.into(),
            partition_data: vec![partition],
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// Appends records to partition 0 with `acks=all`; the answered error and base offset.
#[track_caller]
pub fn produce(wire: &mut Wire, topic: &str, records: &Bytes) -> (ErrorCode, i64) {
    let answer: ProduceResponse = wire.call(PRODUCE, &produce_request(topic, -1, records));
    let partition = &answer.responses[0].partition_responses[0];
    (partition.error_code, partition.base_offset)
}

/// A request for records of a partition, answered when the first is there.
pub fn fetch_request(topic: &str, partition: i32, offset: i64, max_bytes: i32) -> FetchRequest {
    let partition = FetchRequestPartition {
        partition,
        fetch_offset: offset,
        partition_max_bytes: max_bytes,
        ..Default::default()
    };
    FetchRequest {
        max_wait_ms: 10_000,
        min_bytes: 1,
        max_bytes,
        topics: vec![FetchRequestTopic {
            topic: topic.into(),
            partitions: vec![partition],
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// Milliseconds since the epoch.
pub fn now_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
    i64::try_from(since_epoch.as_millis()).expect("the clock is before the year 292 million")
}
