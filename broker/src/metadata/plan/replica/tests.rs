//! Replica topics and what else the mirror keeps in the metadata, over restarts.

use std::sync::Arc;

use protocol::{ProducerId, TopicName, Uuid};

use super::*;
use crate::{
    limits::PRODUCER_ID_BLOCK,
    metadata::{
        Change, Metadata, MetadataError, NewTopic,
        testing::{MemoryLog, commit, open, with_topics},
    },
    producer_ids::ProducerIds,
};

const ID: TopicId = TopicId(Uuid::from_u128(0xabcd));

fn replica(epochs: &[i32], configs: &[(&str, &str)]) -> ReplicaTopic {
    ReplicaTopic {
        name: TopicName::from("orders.eu"),
        id: ID,
        leader_epochs: epochs.iter().map(|epoch| LeaderEpoch(*epoch)).collect(),
        configs: configs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
    }
}

fn epochs(image: &Image) -> Vec<i32> {
    let topic = image.topic("orders.eu").expect("it is there");
    topic.partitions.iter().map(|partition| partition.leader_epoch.0).collect()
}

/// Opens the stored records anew, and once more with only the last record of each key, as compaction leaves them.
async fn restarted(log: &Arc<MemoryLog>, live: &Metadata) -> Metadata {
    let records = log.records();
    let is_last = |at: usize| records.iter().skip(at + 1).all(|later| later.key != records[at].key);
    let compacted = (0..records.len()).filter(|at| is_last(*at)).map(|at| records[at].clone()).collect();
    let compacted = open(&MemoryLog::holding(compacted)).await.image();
    let (live, again) = (live.image(), open(log).await);
    assert_eq!((&*again.image(), &*compacted), (&*live, &*live));
    again
}

async fn refused(metadata: &Metadata, change: Change) -> Refusal {
    match commit(metadata, change).await {
        Err(MetadataError::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn a_replica_has_its_homes_id_epochs_and_settings_and_keeps_them() {
    let log = MemoryLog::new();
    let metadata = open(&log).await;
    let configs = [("cleanup.policy", "compact"), ("from.the.future", "1"), ("retention.ms", "soon")];
    let made = metadata.create_replica(replica(&[0, 7, 3], &configs)).await.expect("it is made");
    assert_eq!((made.topic.id, made.topic.partition_count(), made.topic.config.compact), (ID, 3, true));
    let skipped: Vec<_> = made.skipped.iter().map(|skipped| skipped.name.as_str()).collect();
    assert_eq!(skipped, ["from.the.future", "retention.ms"]);
    assert!(made.skipped.iter().all(|skipped| !skipped.why.is_empty()));
    assert_eq!(epochs(&metadata.image()), [0, 7, 3]);
    let records = log.records().len();
    metadata.create_replica(replica(&[9], &[])).await.expect("it is there");
    assert_eq!((log.records().len(), epochs(&metadata.image())), (records, vec![0, 7, 3]), "as it was");
    restarted(&log, &metadata).await;
}

#[tokio::test]
async fn a_replica_follows_partitions_epochs_and_settings_but_never_goes_back() {
    let log = MemoryLog::new();
    let metadata = open(&log).await;
    let unknown = refused(&metadata, Change::FollowReplica(replica(&[1], &[]))).await;
    assert_eq!(unknown, Refusal::UnknownTopic("orders.eu".into()));
    metadata.create_replica(replica(&[2], &[("segment.ms", "5"), ("retention.ms", "1")])).await.unwrap();
    metadata.follow_replica(replica(&[1, 4, 0], &[("retention.ms", "2"), ("x", "y")])).await.unwrap();
    let image = metadata.image();
    assert_eq!(epochs(&image), [2, 4, 0]);
    let overrides = &image.topic("orders.eu").expect("it is there").overrides;
    assert_eq!(overrides, &BTreeMap::from([("retention.ms".to_owned(), "2".to_owned())]));
    metadata.follow_replica(replica(&[5], &[])).await.unwrap();
    assert_eq!(epochs(&metadata.image()), [5, 4, 0], "partitions stay");
    let records = log.records().len();
    metadata.follow_replica(replica(&[5, 4, 0], &[])).await.unwrap();
    assert_eq!(log.records().len(), records, "nothing new, no record");
    assert_eq!(image.partition_count(), 3);
    restarted(&log, &metadata).await;
}

#[tokio::test]
async fn a_growth_that_compaction_moved_behind_the_epochs_loses_none() {
    let log = MemoryLog::new();
    let metadata = open(&log).await;
    metadata.create_replica(replica(&[1], &[])).await.unwrap();
    metadata.follow_replica(replica(&[1, 8], &[])).await.unwrap();
    metadata.follow_replica(replica(&[1, 8, 0], &[])).await.unwrap();
    assert_eq!(epochs(&restarted(&log, &metadata).await.image()), [1, 8, 0]);
}

#[tokio::test]
async fn names_and_ids_that_clash_are_refused() {
    let metadata = with_topics(&["orders.eu", "a_b"]).await;
    let there = metadata.image().topic("orders.eu").expect("it is there").id;
    for change in [Change::CreateReplica(replica(&[0], &[])), Change::FollowReplica(replica(&[0], &[]))] {
        let clash = refused(&metadata, change).await;
        assert_eq!(clash, Refusal::OtherId { name: "orders.eu".into(), existing: there, asked: ID });
    }
    let named = |name: &'static str, id| ReplicaTopic { name: name.into(), id, ..replica(&[0], &[]) };
    let create = |name, id| Change::CreateReplica(named(name, id));
    let taken = refused(&metadata, create("other", there)).await;
    assert_eq!(taken, Refusal::IdTaken { id: there, existing: "orders.eu".into() });
    assert!(matches!(refused(&metadata, create("a.b", ID)).await, Refusal::Collides { .. }));
    assert!(matches!(refused(&metadata, create("a b", ID)).await, Refusal::InvalidName(_)));
    assert!(matches!(refused(&metadata, create("__consumer_offsets", ID)).await, Refusal::Internal(_)));
    assert_eq!(refused(&metadata, create("__cluster_metadata", ID)).await, Refusal::ClusterMetadata);
    for reserved in [TopicId::ZERO, TopicId(Uuid::from_u128(1))] {
        assert_eq!(refused(&metadata, create("c", reserved)).await, Refusal::ReservedId(reserved));
    }
    let none = ReplicaTopic { leader_epochs: Vec::new(), ..named("c", ID) };
    assert_eq!(refused(&metadata, Change::CreateReplica(none)).await, Refusal::PartitionsNotPositive);
}

#[tokio::test]
async fn an_unclean_shutdown_raises_the_epochs_of_replicas_as_well() {
    let log = MemoryLog::new();
    let metadata = open(&log).await;
    metadata.create_replica(replica(&[7, 0], &[])).await.unwrap();
    metadata.create_topic(NewTopic::named("local")).await.unwrap();
    metadata.raise_leader_epochs().await.unwrap();
    let image = restarted(&log, &metadata).await.image();
    assert_eq!(epochs(&image), [8, 8]);
    assert_eq!(image.topic("local").expect("it is there").partitions[0].leader_epoch, LeaderEpoch(8));
}

#[tokio::test]
async fn epochs_of_some_topics_are_raised_to_at_least_one() {
    let log = MemoryLog::new();
    let metadata = open(&log).await;
    metadata.create_replica(replica(&[3, 9], &[])).await.unwrap();
    metadata.create_topic(NewTopic::named("local")).await.unwrap();
    metadata.raise_topic_epochs(vec![ID], LeaderEpoch(5)).await.unwrap();
    metadata.raise_topic_epochs(vec![ID], LeaderEpoch(-1)).await.unwrap();
    let unknown = TopicId(Uuid::from_u128(99));
    let change = Change::RaiseTopicEpochs { topics: vec![ID, unknown], at_least: LeaderEpoch(50) };
    assert_eq!(refused(&metadata, change).await, Refusal::UnknownTopicId(unknown), "all of them or none");
    let image = restarted(&log, &metadata).await.image();
    assert_eq!(epochs(&image), [5, 9]);
    assert_eq!(image.topic("local").expect("it is there").partitions[0].leader_epoch, LeaderEpoch(0));
}

#[tokio::test]
async fn ownership_is_kept_by_unit_and_the_last_word_holds() {
    let log = MemoryLog::new();
    let metadata = open(&log).await;
    metadata.put_ownership("orders", "home: us-east").await.unwrap();
    metadata.put_ownership("clicks", "home: eu-west").await.unwrap();
    metadata.put_ownership("orders", r#"{"home":"eu-west","generation":2}"#).await.unwrap();
    let records = log.records().len();
    metadata.put_ownership("clicks", "home: eu-west").await.unwrap();
    assert_eq!(log.records().len(), records, "the same again takes no record");
    let image = restarted(&log, &metadata).await.image();
    let all: Vec<_> = image.ownership().collect();
    assert_eq!(all, [("clicks", "home: eu-west"), ("orders", r#"{"home":"eu-west","generation":2}"#)]);
    assert_eq!(image.ownership_of("none"), None);
    let large = Change::PutOwnership { unit: "orders".to_owned(), record: "x".repeat(3 << 20) };
    assert!(matches!(refused(&metadata, large).await, Refusal::InvalidOwnership { .. }));
    let nameless = Change::PutOwnership { unit: String::new(), record: "x".to_owned() };
    assert!(matches!(refused(&metadata, nameless).await, Refusal::InvalidOwnership { .. }));
}

#[tokio::test]
async fn no_producer_id_up_to_the_barrier_is_handed_out_any_more() {
    let log = MemoryLog::new();
    let metadata = open(&log).await;
    let ids = ProducerIds::new(metadata.clone());
    assert_eq!(ids.next().await, Ok(ProducerId(0)));
    metadata.advance_producer_ids(ProducerId(500)).await.unwrap();
    assert_eq!(ids.next().await, Ok(ProducerId(501)), "although its block was set aside from 0 on");
    metadata.advance_producer_ids(ProducerId(40)).await.unwrap();
    assert_eq!(ids.next().await, Ok(ProducerId(502)), "it never goes back");
    metadata.advance_producer_ids(ProducerId(70_000)).await.unwrap();
    assert_eq!(ids.next().await, Ok(ProducerId(70_001)));
    assert_eq!(metadata.take_producer_ids().await.unwrap().first, ProducerId(70_001 + PRODUCER_ID_BLOCK));
    assert_eq!(metadata.image().producer_id_floor(), ProducerId(70_001), "blocks leave the floor");
    let again = restarted(&log, &metadata).await;
    assert_eq!(
        ProducerIds::new(again).next().await,
        Ok(ProducerId(70_001 + 2 * PRODUCER_ID_BLOCK)),
        "what was left of blocks is skipped"
    );
    let last = Change::AdvanceProducerIds { beyond: ProducerId(i64::MAX) };
    assert_eq!(refused(&metadata, last).await, Refusal::ProducerIdsExhausted);
}
