//! Connections: order, refusals, the drain.

use std::{sync::Arc, time::Duration};

use bytes::{BufMut, BytesMut};
use tokio::io::AsyncWriteExt;

use core_log::storage::MemoryStorage;
use protocol::{
    ErrorCode,
    codec::Api,
    messages::{k00_produce::*, k01_fetch::*, k03_metadata::*, k18_api_versions::*},
    versions,
};

use crate::client::*;

async fn raw(client: &mut Client, key: i16, version: i16, body: &[u8]) {
    let mut frame = BytesMut::new();
    frame.put_i32(i32::try_from(8 + body.len()).unwrap());
    frame.put_i16(key);
    frame.put_i16(version);
    frame.put_i32(77);
    frame.put_slice(body);
    client.socket.write_all(&frame).await.unwrap();
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let broker = broker().await;
    let mut client = Client::connect(broker.kafka_address()).await;
    client.create("t", 1, &[]).await;
    for _ in 0..300 {
        client.send(9, &produce("t", -1, batch(&[1]))).await;
    }
    client.send(11, &fetch("t", 0)).await;
    for sent in 0..300 {
        let answer: ProduceResponse = client.receive_for(2 + sent, 9).await;
        assert_eq!(answer.responses[0].partition_responses[0].base_offset, i64::from(sent));
    }
    let answer: FetchResponse = client.receive_for(302, 11).await;
    assert_eq!(answer.responses[0].partitions[0].high_watermark, 300, "the fetch sees all before it");
}

#[tokio::test]
async fn what_is_not_served_closes_the_connection() {
    let broker = broker().await;
    let requests: [(i16, i16, &[u8]); 5] = [
        (999, 0, &[0xff, 0xff]),
        (-1, 0, &[0xff, 0xff]),
        (0, 2, &[0xff, 0xff]),
        (3, 99, &[0xff, 0xff]),
        // A Metadata request that counts more topics than there are bytes.
        (3, 1, &[0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]),
    ];
    for (key, version, body) in requests {
        let mut client = Client::connect(broker.kafka_address()).await;
        raw(&mut client, key, version, body).await;
        assert_eq!(client.receive_raw().await, None, "key {key} version {version}");
    }
}

#[tokio::test]
async fn bytes_after_a_request_are_passed_over_as_kafka_does() {
    let broker = broker().await;
    let mut client = Client::connect(broker.kafka_address()).await;
    // What librdkafka 2.12 sends for the metadata of all topics: no client id, no tags, null topics, two flags, no tags,
    // and three bytes too many.
    raw(&mut client, 3, 13, &[0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]).await;
    let answer: MetadataResponse = client.receive_for(77, 13).await;
    assert_eq!(answer.brokers.len(), 1);
}

#[tokio::test]
async fn an_unknown_version_of_api_versions_is_answered_in_version_0() {
    let broker = broker().await;
    let mut client = Client::connect(broker.kafka_address()).await;
    raw(&mut client, 18, 99, &[0xff, 0xff, 0]).await;
    let answer: ApiVersionsResponse = client.receive_for(77, 0).await;
    assert_eq!(answer.error_code, ErrorCode::UNSUPPORTED_VERSION);
    let own: Vec<_> = answer.api_keys.iter().map(|api| (api.api_key, api.max_version)).collect();
    assert_eq!(own, [(18, 4)]);
    let _: ApiVersionsResponse = client.call(0, &ApiVersionsRequest::default()).await;
}

/// One default request for each version of each API: it may be refused, but it must have a well-formed answer.
#[tokio::test]
async fn every_served_version_has_an_answer() {
    let broker = broker().await;
    let mut served = 0;
    macro_rules! ask {
        ($($module:ident $request:ident $response:ident,)*) => {$(
            let api = versions::served($request::KEY).expect(stringify!($request));
            served += 1;
            for version in api.min..=api.max {
                let mut client = Client::connect(broker.kafka_address()).await;
                let _: $response = client.call(version, &$request::default()).await;
            }
        )*};
    }
    use protocol::messages::{
        k02_list_offsets::*, k08_offset_commit::*, k09_offset_fetch::*, k10_find_coordinator::*,
        k11_join_group::*, k12_heartbeat::*, k13_leave_group::*, k14_sync_group::*, k15_describe_groups::*,
        k16_list_groups::*, k19_create_topics::*, k20_delete_topics::*, k21_delete_records::*,
        k22_init_producer_id::*, k23_offset_for_leader_epoch::*, k32_describe_configs::*,
        k33_alter_configs::*, k35_describe_log_dirs::*, k37_create_partitions::*, k42_delete_groups::*,
        k44_incremental_alter_configs::*, k47_offset_delete::*, k60_describe_cluster::*,
        k75_describe_topic_partitions::*,
    };
    ask! {
        k01 FetchRequest FetchResponse,
        k02 ListOffsetsRequest ListOffsetsResponse,
        k03 MetadataRequest MetadataResponse,
        k08 OffsetCommitRequest OffsetCommitResponse,
        k09 OffsetFetchRequest OffsetFetchResponse,
        k10 FindCoordinatorRequest FindCoordinatorResponse,
        k11 JoinGroupRequest JoinGroupResponse,
        k12 HeartbeatRequest HeartbeatResponse,
        k13 LeaveGroupRequest LeaveGroupResponse,
        k14 SyncGroupRequest SyncGroupResponse,
        k15 DescribeGroupsRequest DescribeGroupsResponse,
        k16 ListGroupsRequest ListGroupsResponse,
        k18 ApiVersionsRequest ApiVersionsResponse,
        k19 CreateTopicsRequest CreateTopicsResponse,
        k20 DeleteTopicsRequest DeleteTopicsResponse,
        k21 DeleteRecordsRequest DeleteRecordsResponse,
        k22 InitProducerIdRequest InitProducerIdResponse,
        k23 OffsetForLeaderEpochRequest OffsetForLeaderEpochResponse,
        k32 DescribeConfigsRequest DescribeConfigsResponse,
        k33 AlterConfigsRequest AlterConfigsResponse,
        k35 DescribeLogDirsRequest DescribeLogDirsResponse,
        k37 CreatePartitionsRequest CreatePartitionsResponse,
        k42 DeleteGroupsRequest DeleteGroupsResponse,
        k44 IncrementalAlterConfigsRequest IncrementalAlterConfigsResponse,
        k47 OffsetDeleteRequest OffsetDeleteResponse,
        k60 DescribeClusterRequest DescribeClusterResponse,
        k75 DescribeTopicPartitionsRequest DescribeTopicPartitionsResponse,
    }
    let produce = versions::served(0).unwrap();
    for version in produce.min..=produce.max {
        let mut client = Client::connect(broker.kafka_address()).await;
        let request = ProduceRequest { acks: 1, ..Default::default() };
        let _: ProduceResponse = client.call(version, &request).await;
    }
    assert_eq!(served + 1, versions::SERVED.len(), "an API is served but not asked here");
}

#[tokio::test]
async fn connections_beyond_the_cap_are_closed_and_the_others_served() {
    let mut settings = settings();
    settings.connections.connections_max = 2;
    let broker = start(&Arc::new(MemoryStorage::new(1)), settings).await;
    let mut first = Client::connect(broker.kafka_address()).await;
    let mut second = Client::connect(broker.kafka_address()).await;
    for client in [&mut first, &mut second] {
        let _: ApiVersionsResponse = client.call(0, &ApiVersionsRequest::default()).await;
    }
    let mut third = Client::connect(broker.kafka_address()).await;
    assert_eq!(third.receive_raw().await, None);
    let _: ApiVersionsResponse = first.call(0, &ApiVersionsRequest::default()).await;
}

#[tokio::test]
async fn the_drain_answers_what_is_in_flight_and_closes() {
    let broker = broker().await;
    let mut client = Client::connect(broker.kafka_address()).await;
    client.create("t", 1, &[]).await;
    let mut waiting = Client::connect(broker.kafka_address()).await;
    let _: ApiVersionsResponse = waiting.call(0, &ApiVersionsRequest::default()).await;
    waiting.send(11, &FetchRequest { max_wait_ms: i32::MAX, min_bytes: 1, ..fetch("t", 0) }).await;
    let address = broker.kafka_address();
    // Answered in order on its own connection: once the metadata is there, so is the fetch's wait or soon.
    let draining = tokio::spawn(broker.drain(Duration::from_secs(20)));
    draining.await.unwrap().expect("a clean drain");
    assert_eq!(client.receive_raw().await, None);
    assert!(tokio::net::TcpStream::connect(address).await.is_err(), "nobody listens any more");
}
