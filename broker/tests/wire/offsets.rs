//! ListOffsets, DeleteRecords, InitProducerId, DescribeLogDirs.

use protocol::{
    ErrorCode,
    codec::Api,
    messages::{
        k02_list_offsets::*, k21_delete_records::*, k22_init_producer_id::*, k35_describe_log_dirs::*,
    },
};

use crate::client::*;

async fn topic() -> (broker::Broker, Client) {
    let broker = broker().await;
    let mut client = Client::connect(broker.kafka_address()).await;
    client.create("t", 1, &[]).await;
    (broker, client)
}

async fn list(client: &mut Client, timestamp: i64) -> (ErrorCode, i64, i64) {
    let partition = ListOffsetsRequestPartition { timestamp, ..Default::default() };
    let topic = ListOffsetsRequestTopic { name: "t".into(), partitions: vec![partition] };
    let request = ListOffsetsRequest { replica_id: -1, topics: vec![topic], ..Default::default() };
    let answer: ListOffsetsResponse = client.call(9, &request).await;
    let found = &answer.topics[0].partitions[0];
    (found.error_code, found.offset, found.timestamp)
}

async fn delete_until(client: &mut Client, offset: i64) -> (ErrorCode, i64) {
    let partition = DeleteRecordsRequestPartition { partition_index: 0, offset };
    let topic = DeleteRecordsRequestTopic { name: "t".into(), partitions: vec![partition] };
    let request = DeleteRecordsRequest { topics: vec![topic], timeout_ms: 1_000 };
    let answer: DeleteRecordsResponse = client.call(2, &request).await;
    let deleted = &answer.topics[0].partitions[0];
    (deleted.error_code, deleted.low_watermark)
}

#[tokio::test]
async fn every_version_finds_a_timestamp() {
    let (_broker, mut client) = topic().await;
    client.produce("t", batch(&[100])).await;
    for version in ListOffsetsRequest::VERSIONS {
        let partition = ListOffsetsRequestPartition { timestamp: 50, ..Default::default() };
        let topic = ListOffsetsRequestTopic { name: "t".into(), partitions: vec![partition] };
        let request = ListOffsetsRequest { replica_id: -1, topics: vec![topic], ..Default::default() };
        let answer: ListOffsetsResponse = client.call(version, &request).await;
        let found = &answer.topics[0].partitions[0];
        let epoch = if version >= 4 { 0 } else { -1 };
        assert_eq!((found.offset, found.timestamp, found.leader_epoch), (0, 100, epoch), "version {version}");
    }
}

#[tokio::test]
async fn timestamps_are_found_exactly_per_record() {
    let (_broker, mut client) = topic().await;
    client.produce("t", batch(&[100, 200, 300])).await;
    client.produce("t", batch(&[250, 400])).await;
    assert_eq!(list(&mut client, 0).await, (ErrorCode::NONE, 0, 100));
    assert_eq!(list(&mut client, 101).await, (ErrorCode::NONE, 1, 200));
    assert_eq!(list(&mut client, 300).await, (ErrorCode::NONE, 2, 300));
    assert_eq!(list(&mut client, 301).await, (ErrorCode::NONE, 4, 400));
    assert_eq!(list(&mut client, 401).await, (ErrorCode::NONE, -1, -1));
    assert_eq!(list(&mut client, -1).await, (ErrorCode::NONE, 5, -1));
    assert_eq!(list(&mut client, -2).await, (ErrorCode::NONE, 0, -1));
    assert_eq!(list(&mut client, -3).await, (ErrorCode::NONE, 4, 400));
    assert_eq!(list(&mut client, -5).await, (ErrorCode::NONE, -1, -1));
    assert_eq!(list(&mut client, -9).await.0, ErrorCode::UNSUPPORTED_VERSION);
}

#[tokio::test]
async fn deleting_records_moves_the_log_start_and_no_further_than_the_high_watermark() {
    let (_broker, mut client) = topic().await;
    for _ in 0..4 {
        client.produce("t", batch(&[1])).await;
    }
    assert_eq!(delete_until(&mut client, 2).await, (ErrorCode::NONE, 2));
    assert_eq!(client.fetch("t", 1).await.error_code, ErrorCode::OFFSET_OUT_OF_RANGE);
    assert_eq!(list(&mut client, -2).await.1, 2);
    assert_eq!(delete_until(&mut client, 1).await, (ErrorCode::NONE, 2), "never back");
    assert_eq!(delete_until(&mut client, 5).await, (ErrorCode::OFFSET_OUT_OF_RANGE, -1));
    assert_eq!(delete_until(&mut client, -1).await, (ErrorCode::NONE, 4));
    assert_eq!(list(&mut client, -2).await.1, 4);
}

#[tokio::test]
async fn producer_ids_are_given_once_and_transactions_are_refused() {
    let (_broker, mut client) = topic().await;
    let request = InitProducerIdRequest { transactional_id: None, ..Default::default() };
    let mut ids = Vec::new();
    for _ in 0..3 {
        let answer: InitProducerIdResponse = client.call(4, &request).await;
        assert_eq!((answer.error_code, answer.producer_epoch), (ErrorCode::NONE, 0));
        ids.push(answer.producer_id);
    }
    ids.dedup();
    assert_eq!(ids.len(), 3);
    let request = InitProducerIdRequest { transactional_id: Some("tx".into()), ..Default::default() };
    let answer: InitProducerIdResponse = client.call(4, &request).await;
    assert_eq!((answer.error_code, answer.producer_id), (ErrorCode::INVALID_REQUEST, -1));
}

#[tokio::test]
async fn log_dirs_tell_what_partitions_take_on_disk() {
    let (_broker, mut client) = topic().await;
    client.produce("t", batch(&[1])).await;
    let all = DescribeLogDirsRequest { topics: None };
    let answer: DescribeLogDirsResponse = client.call(4, &all).await;
    let dir = &answer.results[0];
    assert_eq!(&*dir.log_dir, "/data");
    let topic = dir.topics.iter().find(|topic| topic.name == "t").expect("topic t");
    assert_eq!(topic.partitions[0].partition_size, i64::try_from(batch(&[1]).len()).unwrap());
}
