//! The ports over a real broker on a real disk, asked as the mirror asks them.

use std::{sync::Arc, time::Duration};

use broker::{Broker, Components, Gate, GroupGate, TopicGate};
use bytes::BytesMut;
use core_log::{AppendError, Intake, LogDirSettings, ReadLimit, clock::SystemClock, storage::DiskStorage};
use mirror::ports::{
    Arrival, GroupCommit, GroupEvent, MergedTopic, OwnershipRecord, PortError, Ports, ReplicaTopic,
};
use prometheus_client::registry::Registry;
use protocol::{LeaderEpoch, Offset, PartitionId, ProducerId, TopicId, Uuid, batch::BatchBuilder};
use tempfile::TempDir;
use tokio::time::timeout;

use super::ports;

const WITHIN: Duration = Duration::from_secs(20);

/// `replica.*` has its home elsewhere, `away` is a group that is used elsewhere.
struct Elsewhere;

impl Gate for Elsewhere {
    fn topic(&self, name: &str) -> TopicGate {
        match name.starts_with("replica.") {
            true => TopicGate::ReadOnly { home: "us".into() },
            false => TopicGate::Open,
        }
    }

    fn group(&self, id: &str) -> GroupGate {
        if id == "away" { GroupGate::Fenced } else { GroupGate::Open }
    }
}

async fn serving(dir: &TempDir) -> (Broker, Ports) {
    let settings = broker::Settings { listen: "127.0.0.1:0".to_owned(), ..broker::Settings::default() };
    let components = Components { clock: Arc::new(SystemClock::new()), storage: Arc::new(DiskStorage) };
    let mut metrics = Registry::default();
    let opened =
        Broker::open(settings, LogDirSettings::default(), dir.path(), components, &mut metrics).await;
    let opened = opened.expect("a fresh directory opens");
    let ports = ports(opened.handles());
    (opened.serve(Arc::new(Elsewhere)).await.expect("any port binds"), ports)
}

fn replica(partitions: usize) -> ReplicaTopic {
    ReplicaTopic {
        name: "replica.a".into(),
        id: TopicId(Uuid::from_u128(77)),
        leader_epochs: vec![LeaderEpoch(4); partitions],
        configs: [("retention.ms", "1000"), ("no.such.thing", "1")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
    }
}

fn batch(base: i64, epoch: i32) -> BytesMut {
    let builder = BatchBuilder::new().base_offset(Offset(base)).leader_epoch(LeaderEpoch(epoch));
    builder.record(1, None, Some(b"value"), &[]).build().expect("a small batch")
}

#[tokio::test]
async fn a_replica_is_made_followed_and_seen_in_the_catalog() {
    let dir = tempfile::tempdir().expect("a directory");
    let (broker, ports) = serving(&dir).await;
    let mut catalog = ports.catalog.subscribe();
    assert!(catalog.borrow_and_update().topics.is_empty());
    ports.catalog.create_replica(replica(1)).await.expect("made");
    ports.catalog.create_replica(replica(1)).await.expect("made already");
    let skipped = ports.catalog.follow_replica(replica(3)).await.expect("followed");
    assert_eq!(skipped, ["no.such.thing"]);
    let grown = catalog.wait_for(|catalog| {
        let topic = catalog.topics.get(&TopicId(Uuid::from_u128(77)));
        topic.is_some_and(|topic| topic.leader_epochs.len() == 3)
    });
    let grown =
        timeout(WITHIN, grown).await.expect("the catalog changes").expect("the broker is there").clone();
    let topic = grown.topics.values().next().expect("one topic");
    assert_eq!(
        (topic.name.as_str(), topic.leader_epochs[2], topic.compacted),
        ("replica.a", LeaderEpoch(4), false)
    );
    assert_eq!(topic.configs.get("retention.ms").map(String::as_str), Some("1000"));
    let other = ReplicaTopic { id: TopicId(Uuid::from_u128(78)), ..replica(1) };
    assert!(matches!(ports.catalog.create_replica(other).await, Err(PortError::Refused(_))));
    let unknown = ReplicaTopic { name: "replica.b".into(), id: TopicId(Uuid::from_u128(79)), ..replica(1) };
    assert!(matches!(ports.catalog.follow_replica(unknown).await, Err(PortError::NotFound(_))));
    broker.drain(WITHIN).await.expect("a clean end");
}

#[tokio::test]
async fn a_merged_topic_is_made_once_and_grows() {
    let dir = tempfile::tempdir().expect("a directory");
    let (broker, ports) = serving(&dir).await;
    let wanted = |partitions| MergedTopic { name: "all".into(), partitions, configs: [].into() };
    let made = ports.catalog.ensure_merged(wanted(2)).await.expect("made");
    let again = ports.catalog.ensure_merged(wanted(1)).await.expect("there already");
    let grown = ports.catalog.ensure_merged(wanted(3)).await.expect("grown");
    let counts = [&made, &again, &grown].map(|topic| topic.leader_epochs.len());
    assert_eq!(counts, [2, 2, 3]);
    assert_eq!((made.id, made.id), (again.id, grown.id));
    broker.drain(WITHIN).await.expect("a clean end");
}

#[tokio::test]
async fn a_replica_takes_batches_as_given_and_gives_them_back() {
    let dir = tempfile::tempdir().expect("a directory");
    let (broker, ports) = serving(&dir).await;
    ports.catalog.create_replica(replica(1)).await.expect("made");
    let (id, zero) = (TopicId(Uuid::from_u128(77)), PartitionId(0));
    let sink = ports.sink.partition(id, zero).await.expect("it is there");
    sink.start_at(Offset(40)).await.expect("it is empty");
    let settled = sink.append(vec![batch(40, 4), batch(45, 4)], Arrival::Replica).await.await;
    let offsets: Vec<_> = settled.into_iter().map(|one| one.expect("appended").base_offset).collect();
    assert_eq!(offsets, [Offset(40), Offset(45)]);
    assert_eq!(sink.ends().durable_end, Offset(46));
    let merged = Arrival::Merged { leader_epoch: LeaderEpoch(4) };
    let settled = sink.append(vec![batch(0, 0)], merged).await.await;
    assert!(matches!(settled.as_slice(), [Err(AppendError::NotTaken { intake: Intake::Replica })]));
    let source = ports.source.partition(id, zero).await.expect("the same partition");
    let limit = ReadLimit { max_bytes: 1 << 20, until: Offset(46), at_least_one: true };
    let read = source.read(Offset(40), limit).await.expect("readable");
    assert_eq!(read.pieces.concat(), [batch(40, 4), batch(45, 4)].concat());
    assert_eq!(source.latest_epoch(), Some(LeaderEpoch(4)));
    let missing = ports.sink.partition(id, PartitionId(1)).await;
    assert!(matches!(missing.map(drop), Err(PortError::NotFound(_))));
    broker.drain(WITHIN).await.expect("a clean end");
}

#[tokio::test]
async fn positions_of_a_group_that_is_used_elsewhere_are_kept_and_announced() {
    let dir = tempfile::tempdir().expect("a directory");
    let (broker, ports) = serving(&dir).await;
    ports.catalog.create_replica(replica(1)).await.expect("made");
    let mut events = ports.groups.subscribe();
    let commit = GroupCommit {
        topic: "replica.a".into(),
        partition: PartitionId(0),
        offset: Offset(41),
        leader_epoch: LeaderEpoch(4),
        metadata: "note".into(),
    };
    ports.groups.commit("away".into(), vec![commit]).await.expect("from the mirror, behind the gate");
    let event = timeout(WITHIN, events.recv()).await.expect("an event").expect("not behind");
    let GroupEvent::Committed { group, offset } = event else { panic!("{event:?}") };
    assert_eq!((group.as_str(), offset.offset, offset.topic_id.0.as_u128()), ("away", Offset(41), 77));
    assert_eq!(ports.groups.settled("away".into()).await.expect("settled"), [offset.clone()]);
    let all = ports.groups.all().await.expect("all");
    assert_eq!((all.len(), &all[0].offsets), (1, &vec![offset]));
    assert_eq!(ports.groups.is_active("away".into()).await, Ok(false));
    assert_eq!(ports.groups.settled("nobody".into()).await, Ok(vec![]));
    broker.drain(WITHIN).await.expect("a clean end");
}

#[tokio::test]
async fn ownership_survives_a_restart() {
    let dir = tempfile::tempdir().expect("a directory");
    let (broker, ports) = serving(&dir).await;
    assert_eq!(ports.ownership.load().await, Ok(vec![]));
    let record = OwnershipRecord { unit: "orders".into(), record: "{\"home\":\"us\"}".into() };
    ports.ownership.save(record.clone()).await.expect("saved");
    ports.ownership.gates_changed().await.expect("obeyed");
    ports.ownership.advance_producer_ids(ProducerId(5_000)).await.expect("advanced");
    ports.catalog.create_replica(replica(1)).await.expect("made");
    let topics = vec!["replica.a".into(), "gone".into()];
    ports.ownership.raise_leader_epochs(topics, LeaderEpoch(9)).await.expect("raised");
    broker.drain(WITHIN).await.expect("a clean end");
    let (broker, ports) = serving(&dir).await;
    assert_eq!(ports.ownership.load().await, Ok(vec![record]));
    let image = broker.handles().metadata().image();
    assert!(image.producer_id_floor() > ProducerId(5_000));
    assert_eq!(image.topic("replica.a").expect("it is there").partitions[0].leader_epoch, LeaderEpoch(9));
    broker.drain(WITHIN).await.expect("a clean end");
}
