//! Fetch: what is returned, and when.

use protocol::{
    ErrorCode,
    batch::BatchHeader,
    codec::Api,
    messages::{k00_produce::*, k01_fetch::*},
};

use crate::client::*;

async fn topic() -> (broker::Broker, Client) {
    let broker = broker().await;
    let mut client = Client::connect(broker.kafka_address()).await;
    client.create("t", 2, &[]).await;
    (broker, client)
}

fn base_offsets(mut records: &[u8]) -> Vec<i64> {
    let mut offsets = Vec::new();
    while !records.is_empty() {
        let header = BatchHeader::parse(records).unwrap();
        offsets.push(header.base_offset.0);
        records = &records[header.size_bytes..];
    }
    offsets
}

fn first(response: FetchResponse) -> FetchResponsePartition {
    response.responses.into_iter().next().unwrap().partitions.into_iter().next().unwrap()
}

#[tokio::test]
async fn an_offset_inside_a_batch_gives_the_whole_batch() {
    let (_broker, mut client) = topic().await;
    client.produce("t", batch(&[1, 2, 3])).await;
    client.produce("t", batch(&[4, 5])).await;
    let fetched = client.fetch("t", 1).await;
    assert_eq!(base_offsets(&fetched.records.unwrap()), [0, 3]);
    assert_eq!((fetched.high_watermark, fetched.last_stable_offset, fetched.log_start_offset), (5, 5, 0));
}

#[tokio::test]
async fn the_end_of_the_log_gives_empty_records_and_beyond_it_an_error() {
    let (_broker, mut client) = topic().await;
    client.produce("t", batch(&[1])).await;
    let at_end = client.fetch("t", 1).await;
    assert_eq!((at_end.error_code, at_end.records.unwrap().len()), (ErrorCode::NONE, 0));
    assert_eq!(client.fetch("t", 2).await.error_code, ErrorCode::OFFSET_OUT_OF_RANGE);
    assert_eq!(client.fetch("t", -1).await.error_code, ErrorCode::OFFSET_OUT_OF_RANGE);
    assert_eq!(client.fetch("absent", 0).await.error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
}

#[tokio::test]
async fn limits_cut_between_batches_but_never_to_nothing() {
    let (_broker, mut client) = topic().await;
    let size = batch(&[1]).len();
    for _ in 0..3 {
        client.produce("t", batch(&[1])).await;
    }
    for (partition_max, max, expected) in [
        (0, 0, vec![0]),
        (1, 1 << 20, vec![0]),
        (2 * size as i32, 1 << 20, vec![0, 1]),
        (1 << 20, 2 * size as i32, vec![0, 1]),
    ] {
        let mut request = fetch("t", 0);
        request.max_bytes = max;
        request.topics[0].partitions[0].partition_max_bytes = partition_max;
        let fetched = first(client.call(11, &request).await);
        assert_eq!(base_offsets(&fetched.records.unwrap()), expected, "{partition_max} {max}");
    }
}

#[tokio::test]
async fn a_waiting_fetch_is_woken_by_an_append() {
    let (broker, mut producer) = topic().await;
    let mut consumer = Client::connect(broker.kafka_address()).await;
    let waiting = FetchRequest { max_wait_ms: i32::MAX, min_bytes: 1, ..fetch("t", 0) };
    consumer.send(11, &waiting).await;
    producer.produce("t", batch(&[1])).await;
    let fetched = first(consumer.receive(11).await);
    assert_eq!(base_offsets(&fetched.records.unwrap()), [0]);
}

#[tokio::test]
async fn a_waiting_fetch_goes_on_waiting_below_min_bytes() {
    let (broker, mut producer) = topic().await;
    let mut consumer = Client::connect(broker.kafka_address()).await;
    let size = i32::try_from(batch(&[1]).len()).unwrap();
    let waiting = FetchRequest { max_wait_ms: i32::MAX, min_bytes: 2 * size, ..fetch("t", 0) };
    consumer.send(11, &waiting).await;
    producer.produce("t", batch(&[1])).await;
    producer.produce("t", batch(&[1])).await;
    let fetched = first(consumer.receive(11).await);
    assert_eq!(base_offsets(&fetched.records.unwrap()), [0, 1]);
}

#[tokio::test]
async fn an_error_in_one_partition_is_told_at_once() {
    let (_broker, mut client) = topic().await;
    let mut waiting = FetchRequest { max_wait_ms: i32::MAX, min_bytes: 1, ..fetch("t", 0) };
    waiting.topics.push(fetch("absent", 0).topics.remove(0));
    let answer: FetchResponse = client.call(11, &waiting).await;
    assert_eq!(answer.responses[1].partitions[0].error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
}

#[tokio::test]
async fn from_version_13_topics_are_named_by_id() {
    let (_broker, mut client) = topic().await;
    client.produce("t", batch(&[1])).await;
    let id = client.topic_id("t").await;
    let mut request = fetch("t", 0);
    request.replica_id = -1;
    request.topics[0].topic_id = id.0;
    let answer: FetchResponse = client.call(17, &request).await;
    assert_eq!(answer.responses[0].topic_id, id.0);
    assert_eq!(base_offsets(first(answer).records.as_ref().unwrap()), [0]);
    request.topics[0].topic_id = protocol::Uuid::from_u128(77);
    assert_eq!(first(client.call(17, &request).await).error_code, ErrorCode::UNKNOWN_TOPIC_ID);
}

#[tokio::test]
async fn every_version_brings_the_records_and_takes_them() {
    let (_broker, mut client) = topic().await;
    let id = client.topic_id("t").await;
    for version in 3..=11 {
        let answer: ProduceResponse = client.call(version, &produce("t", -1, batch(&[1]))).await;
        let produced = &answer.responses[0].partition_responses[0];
        assert_eq!((produced.error_code, produced.base_offset), (ErrorCode::NONE, i64::from(version) - 3));
    }
    for version in FetchRequest::VERSIONS {
        let mut request = FetchRequest { replica_id: -1, ..fetch("t", 8) };
        request.topics[0].topic_id = id.0;
        let fetched = first(client.call(version, &request).await);
        assert_eq!(base_offsets(&fetched.records.unwrap()), [8], "version {version}");
    }
}

#[tokio::test]
async fn an_unknown_fetch_session_is_declined() {
    let (_broker, mut client) = topic().await;
    let request = FetchRequest { session_id: 5, session_epoch: 1, ..fetch("t", 0) };
    let answer: FetchResponse = client.call(11, &request).await;
    assert_eq!(answer.error_code, ErrorCode::FETCH_SESSION_ID_NOT_FOUND);
}
