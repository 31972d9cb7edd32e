//! A broker that is not home to all it serves: what clients may still do, and what they are told.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::BytesMut;
use parking_lot::Mutex;

use broker::{
    Broker, Components, Gate, GroupGate, TopicGate,
    metadata::{NewTopic, ReplicaTopic},
};
use core_log::{
    Ack, Append, Intake, LogDirSettings, LogEnds, Place, clock::SystemClock, storage::MemoryStorage,
};
use prometheus_client::registry::Registry;
use protocol::{
    ErrorCode, LeaderEpoch, Offset, PartitionId, ProducerId, TopicId, Uuid,
    batch::BatchBuilder,
    messages::{
        k03_metadata::*, k08_offset_commit::*, k09_offset_fetch::*, k12_heartbeat::*, k19_create_topics::*,
        k20_delete_topics::*, k21_delete_records::*, k22_init_producer_id::*, k33_alter_configs::*,
        k37_create_partitions::*, k44_incremental_alter_configs::*,
    },
};

use crate::client::*;

/// Open, but for what it is told; the groups all at once.
#[derive(Default)]
struct Told {
    topics: Mutex<HashMap<String, TopicGate>>,
    groups_fenced: AtomicBool,
}

impl Told {
    fn tell(&self, topic: &str, gate: TopicGate) {
        self.topics.lock().insert(topic.to_owned(), gate);
    }
}

impl Gate for Told {
    fn topic(&self, name: &str) -> TopicGate {
        self.topics.lock().get(name).cloned().unwrap_or(TopicGate::Open)
    }

    fn group(&self, _: &str) -> GroupGate {
        if self.groups_fenced.load(Ordering::SeqCst) { GroupGate::Fenced } else { GroupGate::Open }
    }
}

fn read_only() -> TopicGate {
    TopicGate::ReadOnly { home: "us-east".into() }
}

async fn gated() -> (Broker, Arc<Told>, Client) {
    let gate = Arc::new(Told::default());
    let broker = start_gated(&Arc::new(MemoryStorage::new(1)), settings(), gate.clone()).await;
    let client = Client::connect(broker.kafka_address()).await;
    (broker, gate, client)
}

#[tokio::test]
async fn a_read_only_topic_says_where_to_produce_and_is_read() {
    let (broker, gate, mut client) = gated().await;
    client.create("orders.eu", 1, &[]).await;
    assert_eq!(client.produce("orders.eu", batch(&[1])).await.base_offset, 0);
    gate.tell("orders.eu", read_only());
    broker.gates_changed().await.unwrap();
    let refused = client.produce("orders.eu", batch(&[2])).await;
    assert_eq!(refused.error_code, ErrorCode::POLICY_VIOLATION);
    assert_eq!(
        refused.error_message.as_deref(),
        Some("topic orders.eu is a read-only replica; its home is us-east: produce there")
    );
    let fetched = client.fetch("orders.eu", 0).await;
    assert_eq!((fetched.error_code, fetched.high_watermark), (ErrorCode::NONE, 1));
}

#[tokio::test]
async fn producers_of_a_fenced_topic_try_again_and_readers_go_on() {
    let (broker, gate, mut client) = gated().await;
    client.create("t", 1, &[]).await;
    client.produce("t", batch(&[1])).await;
    gate.tell("t", TopicGate::Fenced);
    broker.gates_changed().await.unwrap();
    let refused = client.produce("t", batch(&[2])).await;
    assert_eq!(refused.error_code, ErrorCode::NOT_LEADER_OR_FOLLOWER);
    assert!(refused.error_message.is_some_and(|message| message.contains("topic t is fenced")));
    assert_eq!(client.fetch("t", 0).await.high_watermark, 1);
    gate.tell("t", TopicGate::Open);
    broker.gates_changed().await.unwrap();
    assert_eq!(client.produce("t", batch(&[2])).await.base_offset, 1);
}

/// The gate still says open, the log does not: what was let in comes to a log that was closed in between.
#[tokio::test]
async fn a_write_that_comes_too_late_is_told_to_try_again() {
    let (broker, _, mut client) = gated().await;
    client.create("t", 1, &[]).await;
    client.produce("t", batch(&[1])).await;
    let id = client.topic_id("t").await;
    let log = broker.handles().log(id, PartitionId(0)).await.unwrap();
    log.set_intake(Intake::Closed).await.unwrap();
    let late = client.produce("t", batch(&[2])).await;
    assert_eq!(late.error_code, ErrorCode::NOT_LEADER_OR_FOLLOWER);
    assert_eq!(client.fetch("t", 0).await.high_watermark, 1);
}

#[tokio::test]
async fn no_produce_is_acknowledged_beyond_the_end_that_a_fence_found() {
    let (broker, gate, mut client) = gated().await;
    client.create("t", 1, &[]).await;
    client.produce("t", batch(&[1])).await;
    let id = client.topic_id("t").await;
    let address = broker.kafka_address();
    let producing = (0..4).map(|_| {
        tokio::spawn(async move {
            let (mut client, mut last) = (Client::connect(address).await, -1);
            loop {
                let produced = client.produce("t", batch(&[1])).await;
                match produced.error_code {
                    ErrorCode::NONE => last = produced.base_offset,
                    ErrorCode::NOT_LEADER_OR_FOLLOWER => return last,
                    other => panic!("{other:?}"),
                }
            }
        })
    });
    let producing: Vec<_> = producing.collect();
    let under_way = async { while client.fetch("t", 0).await.high_watermark < 20 {} };
    tokio::time::timeout(PATIENCE, under_way).await.expect("producers get on");
    gate.tell("t", TopicGate::Fenced);
    broker.gates_changed().await.unwrap();
    let ends = broker.handles().log(id, PartitionId(0)).await.unwrap().ends();
    assert_eq!(ends.durable_end, ends.log_end);
    for producer in producing {
        assert!(producer.await.unwrap() < ends.log_end.0);
    }
    assert_eq!(client.fetch("t", 0).await.high_watermark, ends.log_end.0);
}

#[tokio::test]
async fn a_topic_that_has_its_home_elsewhere_is_changed_there() {
    let (broker, gate, mut client) = gated().await;
    client.create("t", 1, &[]).await;
    gate.tell("t", read_only());
    gate.tell("new", read_only());
    broker.gates_changed().await.unwrap();
    let policy = ErrorCode::POLICY_VIOLATION;

    let new = CreateTopicsRequestTopic {
        name: "new".into(),
        num_partitions: 1,
        replication_factor: 1,
        ..Default::default()
    };
    let request = CreateTopicsRequest { topics: vec![new], timeout_ms: 1_000, ..Default::default() };
    let created: CreateTopicsResponse = client.call(7, &request).await;
    assert_eq!(created.topics[0].error_code, policy);
    let message = created.topics[0].error_message.as_deref().expect("it says why");
    assert_eq!(message, "topic new is a read-only replica; its home is us-east: change it there");

    let asked = MetadataRequestTopic { name: Some("new".into()), ..Default::default() };
    let request =
        MetadataRequest { topics: Some(vec![asked]), allow_auto_topic_creation: true, ..Default::default() };
    let described: MetadataResponse = client.call(12, &request).await;
    assert_eq!(described.topics[0].error_code, policy);

    let topic = DeleteTopicsRequestState { name: Some("t".into()), ..Default::default() };
    let request = DeleteTopicsRequest { topics: vec![topic], timeout_ms: 1_000, ..Default::default() };
    let deleted: DeleteTopicsResponse = client.call(6, &request).await;
    assert_eq!(deleted.responses[0].error_code, policy);

    let topic = CreatePartitionsRequestTopic { name: "t".into(), count: 2, ..Default::default() };
    let request = CreatePartitionsRequest { topics: vec![topic], timeout_ms: 1_000, ..Default::default() };
    let grown: CreatePartitionsResponse = client.call(3, &request).await;
    assert_eq!(grown.results[0].error_code, policy);

    let resource =
        AlterConfigsRequestResource { resource_type: 2, resource_name: "t".into(), ..Default::default() };
    let request = AlterConfigsRequest { resources: vec![resource], ..Default::default() };
    let altered: AlterConfigsResponse = client.call(2, &request).await;
    assert_eq!(altered.responses[0].error_code, policy);

    let resource = IncrementalAlterConfigsRequestResource {
        resource_type: 2,
        resource_name: "t".into(),
        ..Default::default()
    };
    let request = IncrementalAlterConfigsRequest { resources: vec![resource], ..Default::default() };
    let altered: IncrementalAlterConfigsResponse = client.call(1, &request).await;
    assert_eq!(altered.responses[0].error_code, policy);

    let partition = DeleteRecordsRequestPartition { partition_index: 0, offset: 0 };
    let topic = DeleteRecordsRequestTopic { name: "t".into(), partitions: vec![partition] };
    let request = DeleteRecordsRequest { topics: vec![topic], timeout_ms: 1_000 };
    let deleted: DeleteRecordsResponse = client.call(2, &request).await;
    assert_eq!(deleted.topics[0].partitions[0].error_code, policy);
}

fn commit(offset: i64) -> OffsetCommitRequest {
    let partition = OffsetCommitRequestPartition {
        partition_index: 0,
        committed_offset: offset,
        committed_leader_epoch: -1,
        ..Default::default()
    };
    let topic =
        OffsetCommitRequestTopic { name: "t".into(), partitions: vec![partition], ..Default::default() };
    OffsetCommitRequest {
        group_id: "g".into(),
        generation_id_or_member_epoch: -1,
        topics: vec![topic],
        ..Default::default()
    }
}

#[tokio::test]
async fn a_fenced_groups_members_find_no_coordinator_but_its_offsets_are_read() {
    let (_broker, gate, mut client) = gated().await;
    client.create("t", 1, &[]).await;
    let committed: OffsetCommitResponse = client.call(8, &commit(5)).await;
    assert_eq!(committed.topics[0].partitions[0].error_code, ErrorCode::NONE);
    gate.groups_fenced.store(true, Ordering::SeqCst);
    let refused: OffsetCommitResponse = client.call(8, &commit(6)).await;
    assert_eq!(refused.topics[0].partitions[0].error_code, ErrorCode::NOT_COORDINATOR);
    let heartbeat = HeartbeatRequest { group_id: "g".into(), member_id: "m".into(), ..Default::default() };
    let refused: HeartbeatResponse = client.call(4, &heartbeat).await;
    assert_eq!(refused.error_code, ErrorCode::NOT_COORDINATOR);
    let group = OffsetFetchRequestGroup { group_id: "g".into(), topics: None, ..Default::default() };
    let request = OffsetFetchRequest { groups: vec![group], ..Default::default() };
    let fetched: OffsetFetchResponse = client.call(8, &request).await;
    assert_eq!(fetched.groups[0].error_code, ErrorCode::NONE);
    assert_eq!(fetched.groups[0].topics[0].partitions[0].committed_offset, 5);
}

const REPLICA: TopicId = TopicId(Uuid::from_u128(0x0a0b_0c0d));

fn replica() -> ReplicaTopic {
    ReplicaTopic {
        name: "orders.eu".into(),
        id: REPLICA,
        leader_epochs: vec![LeaderEpoch(6)],
        configs: [("retention.ms".to_owned(), "-1".to_owned())].into(),
    }
}

fn given(offset: i64, sequence: i32) -> BytesMut {
    let batch = BatchBuilder::new().base_offset(Offset(offset)).leader_epoch(LeaderEpoch(6));
    let batch = batch.producer(ProducerId(40), protocol::ProducerEpoch(0), protocol::Sequence(sequence));
    batch.record(7, Some(b"key"), Some(b"mirrored"), &[]).build().unwrap()
}

/// A mirror's life in one: a topic from elsewhere is filled before and while it is served, and then changes its home.
#[tokio::test]
async fn a_replica_is_filled_read_and_in_the_end_taken_over() {
    let storage = Arc::new(MemoryStorage::new(1));
    let gate = Arc::new(Told::default());
    gate.tell("orders.eu", read_only());
    let mut registry = Registry::default();
    let opened = Broker::open(
        settings(),
        LogDirSettings::default(),
        std::path::Path::new("/data"),
        Components { clock: Arc::new(SystemClock::new()), storage: storage.clone() },
        &mut registry,
    );
    let opened = opened.await.expect("it opens");
    let handles = opened.handles().clone();
    handles.metadata().create_replica(replica()).await.unwrap();
    let local = handles.metadata().create_topic(NewTopic::named("local")).await.unwrap();
    let log = handles.log(REPLICA, PartitionId(0)).await.unwrap();
    assert_eq!(log.intake(), Intake::Closed, "nobody has said yet who may append");
    log.start_at(Offset(100)).await.unwrap();

    let broker = opened.serve(gate.clone()).await.expect("it serves");
    assert_eq!(log.intake(), Intake::Replica);
    assert_eq!(handles.log(local.id, PartitionId(0)).await.unwrap().intake(), Intake::Writers);
    for (offset, sequence) in [(100, 0), (104, 1)] {
        let append = Append { log: log.clone(), batch: given(offset, sequence), place: Place::AsGiven };
        assert!(handles.log_dir().submit(vec![append], Ack::Synced).await.await[0].is_ok());
    }
    let mut client = Client::connect(broker.kafka_address()).await;
    assert_eq!(client.topic_id("orders.eu").await, REPLICA);
    assert_eq!(client.fetch("orders.eu", 100).await.high_watermark, 105);
    handles.metadata().put_ownership("orders", "generation 1").await.unwrap();
    drop((broker, handles, log));

    // Power goes; afterwards this datacenter becomes the home.
    let storage = Arc::new(storage.cut_power(5));
    let broker = start_gated(&storage, settings(), gate.clone()).await;
    let handles = broker.handles();
    let image = handles.metadata().image();
    assert_eq!(image.ownership_of("orders"), Some("generation 1"));
    let topic = image.topic("orders.eu").expect("it is there");
    assert!(topic.id == REPLICA && topic.partitions[0].leader_epoch >= LeaderEpoch(6));
    let log = handles.log(REPLICA, PartitionId(0)).await.unwrap();
    assert_eq!(log.ends(), LogEnds { log_start: Offset(100), ..LogEnds::empty_at(Offset(105)) });

    let largest = log.forget_producers().await.unwrap().expect("a producer is known");
    handles.metadata().advance_producer_ids(largest).await.unwrap();
    let at_least = LeaderEpoch(log.latest_epoch().unwrap().0 + 5);
    handles.metadata().raise_topic_epochs(vec![REPLICA], at_least).await.unwrap();
    gate.tell("orders.eu", TopicGate::Open);
    handles.gates_changed().await.unwrap();
    let mut client = Client::connect(broker.kafka_address()).await;
    let asked = InitProducerIdRequest { transactional_id: None, ..Default::default() };
    let fresh: InitProducerIdResponse = client.call(4, &asked).await;
    assert!(fresh.producer_id > largest.0, "{fresh:?}");
    for sequence in 0..2 {
        // The id of the mirrored producer, its epoch and sequence.
        let produced = client.produce("orders.eu", given(0, sequence)).await;
        assert_eq!((produced.error_code, produced.base_offset), (ErrorCode::NONE, 105 + i64::from(sequence)));
    }
    assert_eq!(log.latest_epoch(), Some(at_least));
}
