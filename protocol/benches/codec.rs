//! The messages of the hot path, and the largest that is common.
//!
//! `cargo bench -p protocol --bench codec`; divan takes a filter, and `--sample-count`.

use bytes::{Bytes, BytesMut};
use bytestring::ByteString;
use divan::{Bencher, counter::ItemsCount};

use protocol::{
    Uuid,
    codec::{Api, Decoder, Encoder},
    framing::{fetch, produce::ProduceFrame},
    messages::{k00_produce::*, k01_fetch::*, k03_metadata::*},
};

const PARTITIONS: [i32; 2] = [1, 100];

fn main() {
    divan::main();
}

fn encoded(message: &impl Api, version: i16) -> Bytes {
    let mut to = Encoder::new();
    message.write(&mut to, version).expect("a valid message");
    to.into_bytes()
}

fn produce(partitions: i32) -> ProduceRequest {
    let partition =
        |index| ProduceRequestPartitionData { index, records: Some(Bytes::from(vec![0; 1 << 10])) };
    ProduceRequest {
        acks: -1,
        timeout_ms: 30_000,
        topic_data: vec![ProduceRequestTopicData {
            name: ByteString::from("orders"),
            partition_data: (0..partitions).map(partition).collect(),
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// With 1 KiB of records for each partition; what is counted is partitions.
#[divan::bench(args = PARTITIONS)]
fn produce_frame_read(bencher: Bencher<'_, '_>, partitions: i32) {
    let body = BytesMut::from(&encoded(&produce(partitions), 11)[..]);
    bencher
        .counter(ItemsCount::new(partitions as usize))
        .with_inputs(|| body.clone())
        .bench_local_values(|body| ProduceFrame::read(Decoder::new(body), 11));
}

#[divan::bench(args = PARTITIONS)]
fn fetch_request_read(bencher: Bencher<'_, '_>, partitions: i32) {
    let partition = |partition| FetchRequestPartition { partition, fetch_offset: 1, ..Default::default() };
    let request = FetchRequest {
        topics: vec![FetchRequestTopic {
            topic_id: Uuid::from_u128(1),
            partitions: (0..partitions).map(partition).collect(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let body = encoded(&request, 17);
    bencher
        .counter(ItemsCount::new(partitions as usize))
        .bench(|| FetchRequest::read(divan::black_box(&body).clone(), 17));
}

/// With 64 KiB of records for each partition, in four pieces.
#[divan::bench(args = PARTITIONS)]
fn fetch_response_write(bencher: Bencher<'_, '_>, partitions: i32) {
    let response = FetchResponse {
        responses: vec![FetchResponseTopic {
            topic_id: Uuid::from_u128(1),
            partitions: (0..partitions)
                .map(|partition_index| FetchResponsePartition { partition_index, ..Default::default() })
                .collect(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let piece = Bytes::from(vec![0; 16 << 10]);
    let records = vec![vec![piece; 4]; partitions as usize];
    bencher.counter(ItemsCount::new(partitions as usize)).bench(|| {
        let mut to = Encoder::new();
        fetch::write(&mut to, 17, divan::black_box(&response), &records).map(|()| to.into_chunks())
    });
}

fn metadata(topics: i32) -> MetadataResponse {
    let topic = |topic: i32| MetadataResponseTopic {
        name: Some(ByteString::from(format!("topic-{topic}"))),
        topic_id: Uuid::from_u128(topic as u128),
        partitions: (0..6)
            .map(|partition_index| MetadataResponsePartition {
                partition_index,
                leader_id: 1_001,
                replica_nodes: vec![1_001],
                isr_nodes: vec![1_001],
                ..Default::default()
            })
            .collect(),
        ..Default::default()
    };
    MetadataResponse { topics: (0..topics).map(topic).collect(), ..Default::default() }
}

/// Of topics with six partitions each; what is counted is partitions.
#[divan::bench(args = PARTITIONS)]
fn metadata_response_write(bencher: Bencher<'_, '_>, topics: i32) {
    let response = metadata(topics);
    bencher.counter(ItemsCount::new(6 * topics as usize)).bench(|| encoded(divan::black_box(&response), 12));
}

#[divan::bench(args = PARTITIONS)]
fn metadata_response_read(bencher: Bencher<'_, '_>, topics: i32) {
    let body = encoded(&metadata(topics), 12);
    bencher
        .counter(ItemsCount::new(6 * topics as usize))
        .bench(|| MetadataResponse::read(divan::black_box(&body).clone(), 12));
}
