//! Topics and records through a raw connection.

use std::{
    net::SocketAddr,
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use protocol::{
    ErrorCode, Uuid,
    batch::{BatchBuilder, BatchHeader},
    messages::{
        k00_produce::{
            ProduceRequest, ProduceRequestPartitionData, ProduceRequestTopicData, ProduceResponse,
        },
        k01_fetch::{FetchRequest, FetchRequestPartition, FetchRequestTopic, FetchResponse},
        k02_list_offsets::{
            ListOffsetsRequest, ListOffsetsRequestPartition, ListOffsetsRequestTopic, ListOffsetsResponse,
        },
        k03_metadata::{MetadataRequest, MetadataRequestTopic, MetadataResponse},
        k19_create_topics::{CreateTopicsRequest, CreateTopicsRequestTopic, CreateTopicsResponse},
    },
};

use crate::wire::Wire;

/// Versions that every broker of today serves, and that name topics by name.
pub const PRODUCE: i16 = 9;
pub const FETCH: i16 = 12;
const CREATE_TOPICS: i16 = 5;
const LIST_OFFSETS: i16 = 5;
/// Names topic ids.
const METADATA: i16 = 10;
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
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

/// Where the next record of a partition goes; `None` if there is no such partition or nobody who says.
pub fn log_end(broker: SocketAddr, topic: &str, partition: i32) -> Option<i64> {
    list_offset(broker, topic, partition, LATEST)
}

/// The first offset of a partition that can be read.
pub fn log_start(broker: SocketAddr, topic: &str, partition: i32) -> Option<i64> {
    list_offset(broker, topic, partition, EARLIEST)
}

fn list_offset(broker: SocketAddr, topic: &str, partition: i32, timestamp: i64) -> Option<i64> {
    let asked = ListOffsetsRequestPartition { partition_index: partition, timestamp, ..Default::default() };
    let topics = vec![ListOffsetsRequestTopic { name: topic.into(), partitions: vec![asked] }];
    let request = ListOffsetsRequest { replica_id: -1, topics, ..Default::default() };
    let answer: ListOffsetsResponse = Wire::try_connect(broker).ok()?.call(LIST_OFFSETS, &request);
    let found = answer.topics.first()?.partitions.first()?;
    (found.error_code == ErrorCode::NONE).then_some(found.offset)
}

/// The id of a topic, if it is there.
pub fn topic_id(broker: SocketAddr, topic: &str) -> Option<Uuid> {
    let asked = MetadataRequestTopic { name: Some(topic.into()), ..Default::default() };
    let request =
        MetadataRequest { topics: Some(vec![asked]), allow_auto_topic_creation: false, ..Default::default() };
    let answer: MetadataResponse = Wire::try_connect(broker).ok()?.call(METADATA, &request);
    let found = answer.topics.first()?;
    (found.error_code == ErrorCode::NONE).then_some(found.topic_id)
}

/// All bytes of a partition's log that consumers can see, from its start to its end now.
#[track_caller]
pub fn raw_log(broker: SocketAddr, topic: &str, partition: i32) -> Vec<u8> {
    let start = log_start(broker, topic, partition).expect("the partition is there");
    let end = log_end(broker, topic, partition).expect("the partition is there");
    let (mut wire, mut next, mut log) = (Wire::connect(broker), start, Vec::new());
    while next < end {
        let answer: FetchResponse = wire.call(FETCH, &fetch_request(topic, partition, next, 4 << 20));
        let found = &answer.responses[0].partitions[0];
        assert_eq!(found.error_code, ErrorCode::NONE, "{topic}-{partition} at {next}");
        let records = found.records.as_ref().expect("records are never null");
        next = batches(records).last().expect("a batch, since the end is further on").next_offset().0;
        log.extend_from_slice(records);
    }
    log
}

/// The headers of consecutive batches.
#[track_caller]
pub fn batches(mut records: &[u8]) -> Vec<BatchHeader> {
    let mut headers = Vec::new();
    while !records.is_empty() {
        let header = BatchHeader::parse(records).expect("a fetched batch is well-formed");
        records = records.get(header.size_bytes..).expect("a fetched batch is whole");
        headers.push(header);
    }
    headers
}

/// Milliseconds since the epoch.
pub fn now_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
    i64::try_from(since_epoch.as_millis()).expect("the clock is before the year 292 million")
}
