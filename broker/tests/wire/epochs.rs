//! Leader epochs: clients are told when theirs is not the broker's (KIP-320).

use std::{sync::Arc, time::Duration};

use core_log::storage::MemoryStorage;
use protocol::{
    ErrorCode,
    messages::{k01_fetch::*, k23_offset_for_leader_epoch::*},
};

use crate::client::*;

async fn end_of(client: &mut Client, current: i32, asked: i32) -> (ErrorCode, i32, i64) {
    let partition = OffsetForLeaderEpochRequestPartition {
        current_leader_epoch: current,
        leader_epoch: asked,
        ..Default::default()
    };
    let topic = OffsetForLeaderEpochRequestTopic { topic: "t".into(), partitions: vec![partition] };
    let request = OffsetForLeaderEpochRequest { topics: vec![topic], ..Default::default() };
    let answer: OffsetForLeaderEpochResponse = client.call(4, &request).await;
    let end = &answer.topics[0].partitions[0];
    (end.error_code, end.leader_epoch, end.end_offset)
}

#[tokio::test]
async fn a_fetch_under_another_epoch_is_refused() {
    let broker = broker().await;
    let mut client = Client::connect(broker.kafka_address()).await;
    client.create("t", 1, &[]).await;
    for (epoch, error) in [(-1, ErrorCode::NONE), (0, ErrorCode::NONE), (1, ErrorCode::UNKNOWN_LEADER_EPOCH)]
    {
        let mut request = fetch("t", 0);
        request.topics[0].partitions[0].current_leader_epoch = epoch;
        let answer: FetchResponse = client.call(11, &request).await;
        assert_eq!(answer.responses[0].partitions[0].error_code, error, "epoch {epoch}");
    }
}

#[tokio::test]
async fn the_current_epoch_ends_at_the_log_end() {
    let broker = broker().await;
    let mut client = Client::connect(broker.kafka_address()).await;
    client.create("t", 1, &[]).await;
    assert_eq!(end_of(&mut client, 0, 0).await, (ErrorCode::NONE, 0, 0), "of an empty log too");
    client.produce("t", batch(&[1, 2])).await;
    assert_eq!(end_of(&mut client, 0, 0).await, (ErrorCode::NONE, 0, 2));
    assert_eq!(end_of(&mut client, 0, 5).await, (ErrorCode::NONE, -1, -1));
    assert_eq!(end_of(&mut client, 3, 0).await.0, ErrorCode::UNKNOWN_LEADER_EPOCH);
}

#[tokio::test]
async fn an_unclean_shutdown_raises_the_epoch_and_a_clean_one_does_not() {
    let storage = Arc::new(MemoryStorage::new(1));
    let broker = start(&storage, settings()).await;
    let mut client = Client::connect(broker.kafka_address()).await;
    client.create("t", 1, &[]).await;
    client.produce("t", batch(&[1, 2])).await;
    broker.drain(Duration::from_secs(20)).await.expect("a clean drain");

    let broker = start(&storage, settings()).await;
    let mut client = Client::connect(broker.kafka_address()).await;
    assert_eq!(end_of(&mut client, 0, 0).await, (ErrorCode::NONE, 0, 2));
    drop(broker);

    let storage = Arc::new(storage.cut_power(3));
    let broker = start(&storage, settings()).await;
    let mut client = Client::connect(broker.kafka_address()).await;
    assert_eq!(end_of(&mut client, 0, 0).await.0, ErrorCode::FENCED_LEADER_EPOCH);
    assert_eq!(end_of(&mut client, 1, 0).await, (ErrorCode::NONE, 0, 2));
    client.produce("t", batch(&[3])).await;
    assert_eq!(end_of(&mut client, 1, 0).await, (ErrorCode::NONE, 0, 2), "the old epoch ended before");
    assert_eq!(end_of(&mut client, 1, 1).await, (ErrorCode::NONE, 1, 3));
}
