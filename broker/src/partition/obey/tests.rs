//! Partitions and a gate that changes its mind, at the worst moments.

use std::{
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};

use core_log::{Intake, LogDir, LogDirSettings, clock::SystemClock, storage::MemoryStorage};
use parking_lot::Mutex;
use protocol::PartitionId;

use super::*;
use crate::{
    gate::{Gate, GroupGate, TopicGate},
    metadata::{InternalTopic, Metadata, NewTopic, Topic, testing},
};

/// Says what it is told to.
struct Told(Mutex<TopicGate>);

impl Told {
    fn new(topic: TopicGate) -> Arc<Self> {
        Arc::new(Self(Mutex::new(topic)))
    }

    fn tell(&self, topic: TopicGate) {
        *self.0.lock() = topic;
    }
}

impl Gate for Told {
    fn topic(&self, _: &str) -> TopicGate {
        self.0.lock().clone()
    }

    fn group(&self, _: &str) -> GroupGate {
        GroupGate::Open
    }
}

/// Open the first time it is asked, and fenced from then on.
struct OpenOnce(AtomicUsize);

impl Gate for OpenOnce {
    fn topic(&self, _: &str) -> TopicGate {
        match self.0.fetch_add(1, Ordering::SeqCst) {
            0 => TopicGate::Open,
            _ => TopicGate::Fenced,
        }
    }

    fn group(&self, _: &str) -> GroupGate {
        GroupGate::Open
    }
}

fn read_only() -> TopicGate {
    TopicGate::ReadOnly { home: "us-east".into() }
}

struct World {
    partitions: Partitions,
    metadata: Metadata,
    log_dir: Arc<LogDir>,
    topic: Arc<Topic>,
}

async fn world(gate: Arc<dyn Gate>) -> World {
    let metadata = testing::with_topics(&[]).await;
    let topic = metadata.create_topic(NewTopic { partitions: 8, ..NewTopic::named("t") }).await.unwrap();
    let log_dir = LogDir::open(
        Arc::new(MemoryStorage::new(1)),
        Arc::new(SystemClock::new()),
        Path::new("/data"),
        LogDirSettings::default(),
    );
    let log_dir = log_dir.expect("it opens");
    let partitions = Partitions::new(log_dir.clone(), metadata.clone(), gate);
    World { partitions, metadata, log_dir, topic }
}

impl World {
    async fn find(&self, index: i32) -> Arc<Partition> {
        self.partitions.find(&self.topic, PartitionId(index)).await.expect("it is there")
    }
}

#[tokio::test]
async fn every_open_partition_obeys_when_the_gate_has_changed() {
    let gate = Told::new(TopicGate::Open);
    let world = world(gate.clone()).await;
    let open = [world.find(0).await, world.find(3).await];
    for (told, intake) in [
        (read_only(), Intake::Replica),
        (TopicGate::Fenced, Intake::Closed),
        (TopicGate::Open, Intake::Writers),
    ] {
        gate.tell(told);
        world.partitions.obey_gate().await.unwrap();
        assert!(open.iter().all(|partition| partition.log.intake() == intake), "{intake:?}");
    }
    gate.tell(read_only());
    assert_eq!(world.find(1).await.log.intake(), Intake::Replica, "opened later");
}

#[tokio::test]
async fn internal_topics_are_the_brokers_own_whoever_is_home() {
    let world = world(Told::new(TopicGate::Fenced)).await;
    let internal = InternalTopic::ConsumerOffsets { partitions: 1 };
    let internal = world.metadata.ensure_internal_topic(internal).await.unwrap();
    let offsets = world.partitions.find(&internal, PartitionId(0)).await.unwrap();
    world.partitions.obey_gate().await.unwrap();
    assert_eq!(offsets.log.intake(), Intake::Writers);
}

/// Runs on a runtime whose only thread for the disk can be held.
fn with_one_disk_thread(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build();
    runtime.expect("a runtime").block_on(test);
}

/// Nothing is opened until the answer is dropped.
#[must_use]
fn hold_disk() -> std::sync::mpsc::SyncSender<()> {
    let (release, held) = std::sync::mpsc::sync_channel(1);
    tokio::task::spawn_blocking(move || held.recv());
    release
}

/// The opening has asked the gate and waits for the disk; then the gate changes.
#[test]
fn a_partition_that_is_being_opened_is_not_missed() {
    with_one_disk_thread(async {
        let world = world(Arc::new(OpenOnce(AtomicUsize::new(0)))).await;
        let disk = hold_disk();
        let release = async { drop(disk) };
        let (partition, obeyed, ()) =
            tokio::join!(biased; world.find(0), world.partitions.obey_gate(), release);
        obeyed.unwrap();
        assert_eq!(partition.log.intake(), Intake::Closed);
    });
}

/// Whoever asked went away; the log is opened all the same, with what the gate said then.
#[test]
fn an_opening_that_was_given_up_leaves_no_log_with_an_old_intake() {
    with_one_disk_thread(async {
        let gate = Told::new(TopicGate::Open);
        let world = world(gate.clone()).await;
        let disk = hold_disk();
        tokio::select! {
            biased;
            _ = world.find(0) => panic!("the disk is held"),
            () = std::future::ready(()) => {}
        }
        gate.tell(TopicGate::Fenced);
        drop(disk);
        assert_eq!(world.find(0).await.log.intake(), Intake::Closed);
    });
}

#[tokio::test]
async fn an_offline_log_does_not_keep_the_others_from_obeying() {
    let gate = Told::new(TopicGate::Open);
    let world = world(gate.clone()).await;
    let (gone, other) = (world.find(0).await, world.find(1).await);
    world.log_dir.remove(&gone.log).await.unwrap();
    gate.tell(TopicGate::Fenced);
    world.partitions.obey_gate().await.unwrap();
    assert_eq!(other.log.intake(), Intake::Closed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whatever_the_interleaving_the_last_word_of_the_gate_holds() {
    for round in 0..40 {
        let gate = Told::new(TopicGate::Open);
        let world = Arc::new(world(gate.clone()).await);
        let mut tasks = tokio::task::JoinSet::new();
        for index in 0..8 {
            let world = world.clone();
            tasks.spawn(async move { drop(world.find(index).await) });
        }
        for told in [read_only(), TopicGate::Fenced, read_only()] {
            gate.tell(told);
            let world = world.clone();
            tasks.spawn(async move { world.partitions.obey_gate().await.unwrap() });
            tokio::task::yield_now().await;
        }
        world.partitions.obey_gate().await.unwrap();
        let obeying = |partition: &Arc<Partition>| partition.log.intake() == Intake::Replica;
        assert!(world.partitions.opened().iter().all(obeying), "round {round}: when it returns");
        while let Some(ended) = tasks.join_next().await {
            ended.unwrap();
        }
        let opened = world.partitions.opened();
        assert!(opened.len() == 8 && opened.iter().all(obeying), "round {round}: in the end");
    }
}
