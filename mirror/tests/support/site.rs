//! A datacenter without a broker: logs in a directory, topics in a map, all ports of the mirror over them.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use bytes::BytesMut;
use core_log::{
    Ack, Append, Batches, Clock, Intake, Log, LogConfig, LogDir, LogDirSettings, LogEnds, Place, ReadError,
    ReadLimit, Storage, Waiter, Watch, clock::SystemClock,
};
use mirror::ports::{
    AllPartitions, Arrival, BatchSink, BatchSource, BoxFuture, Catalog, CatalogTopic, DiskReads, GroupCommit,
    GroupEvent, GroupOffset, GroupOffsets, GroupStore, LogPartition, MergedTopic, OwnershipRecord,
    OwnershipStore, PortError, Ports, ReplicaTopic, Settled, SinkPartition, SourcePartition, TopicCatalog,
};
use parking_lot::Mutex;
use protocol::{
    GroupId, LeaderEpoch, Offset, PartitionId, ProducerId, TopicId, TopicName, TopicPartition, Uuid,
    batch::{BatchBuilder, Compression},
};
use tokio::sync::{broadcast, watch};

/// One datacenter. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Site(Arc<State>);

struct State {
    dir: Arc<LogDir>,
    reads: DiskReads,
    config: LogConfig,
    logs: Mutex<HashMap<(TopicId, PartitionId), Arc<Log>>>,
    /// Topics that producers here write.
    own: Mutex<HashSet<TopicId>>,
    catalog: watch::Sender<Arc<Catalog>>,
    /// Counts opened logs.
    opened: watch::Sender<usize>,
    /// While closed, appends of links wait.
    valve: watch::Receiver<bool>,
    groups: Mutex<BTreeMap<GroupId, Offsets>>,
    active: Mutex<Vec<GroupId>>,
    group_events: broadcast::Sender<GroupEvent>,
    records: Mutex<BTreeMap<String, String>>,
    producer_ids: AtomicI64,
}

type Offsets = BTreeMap<(TopicName, PartitionId), GroupOffset>;

/// An open valve: `true` closes it.
pub(crate) fn valve() -> (watch::Sender<bool>, watch::Receiver<bool>) {
    watch::channel(false)
}

/// A batch of records with these values, uncompressed.
pub(crate) fn batch(compression: Compression, values: &[&[u8]]) -> BytesMut {
    let builder = BatchBuilder::new().compression(compression);
    values
        .iter()
        .fold(builder, |builder, value| builder.record(1_000, None, Some(value), &[]))
        .build()
        .unwrap()
}

impl Site {
    pub(crate) fn new(storage: Arc<dyn Storage>, root: &Path) -> Self {
        Self::with(storage, root, LogConfig::default(), valve().1)
    }

    pub(crate) fn with(
        storage: Arc<dyn Storage>,
        root: &Path,
        config: LogConfig,
        valve: watch::Receiver<bool>,
    ) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let dir = LogDir::open(storage, clock, root, LogDirSettings::default()).unwrap();
        Self(Arc::new(State {
            dir,
            reads: DiskReads::new(tokio::runtime::Handle::current(), 2),
            config,
            logs: Mutex::default(),
            own: Mutex::default(),
            catalog: watch::Sender::new(Arc::default()),
            opened: watch::Sender::new(0),
            valve,
            groups: Mutex::default(),
            active: Mutex::default(),
            group_events: broadcast::channel(1024).0,
            records: Mutex::default(),
            producer_ids: AtomicI64::new(1_000),
        }))
    }

    pub(crate) fn ports(&self) -> Ports {
        let site = Arc::new(self.clone());
        Ports {
            source: site.clone(),
            sink: site.clone(),
            catalog: site.clone(),
            groups: site.clone(),
            ownership: site,
            assignment: Arc::new(AllPartitions::new()),
        }
    }

    pub(crate) fn create_topic(&self, name: &str, id: u128, partitions: usize) -> TopicId {
        let id = TopicId(Uuid::from_u128(id));
        // Before anybody can find the topic.
        self.0.own.lock().insert(id);
        self.put(CatalogTopic {
            name: name.into(),
            id,
            leader_epochs: vec![LeaderEpoch(0); partitions],
            configs: BTreeMap::new(),
            compacted: false,
        });
        (0..partitions).for_each(|partition| drop(self.open(id, partition as i32)));
        id
    }

    pub(crate) async fn delete_topic(&self, id: TopicId, partition: i32) {
        self.0.catalog.send_modify(|catalog| drop(Arc::make_mut(catalog).topics.remove(&id)));
        let log = self.0.logs.lock().remove(&(id, PartitionId(partition))).unwrap();
        self.0.dir.remove(&log).await.unwrap();
    }

    fn put(&self, topic: CatalogTopic) {
        self.0.catalog.send_modify(|catalog| {
            Arc::make_mut(catalog).topics.insert(topic.id, Arc::new(topic));
        });
    }

    fn open(&self, id: TopicId, partition: i32) -> Option<Arc<Log>> {
        let key = (id, PartitionId(partition));
        if let Some(log) = self.0.logs.lock().get(&key) {
            return Some(Arc::clone(log));
        }
        let topic = self.0.catalog.borrow().topics.get(&id).cloned()?;
        let intake = if self.0.own.lock().contains(&id) { Intake::Writers } else { Intake::Replica };
        let config = LogConfig { intake, ..self.0.config };
        let name = TopicPartition::new(topic.name.clone(), partition);
        let log = self.0.dir.log(&name, id, config).unwrap();
        let log = Arc::clone(self.0.logs.lock().entry(key).or_insert(log));
        self.0.opened.send_modify(|count| *count += 1);
        Some(log)
    }

    pub(crate) fn log(&self, id: TopicId, partition: i32) -> Option<Arc<Log>> {
        self.0.logs.lock().get(&(id, PartitionId(partition))).cloned()
    }

    /// Appends as a producer would, durably.
    pub(crate) async fn produce(&self, id: TopicId, partition: i32, batches: Vec<BytesMut>) {
        self.produce_at(0, id, partition, batches).await;
    }

    /// In this leader epoch.
    pub(crate) async fn produce_at(&self, epoch: i32, id: TopicId, partition: i32, batches: Vec<BytesMut>) {
        let log = self.log(id, partition).unwrap();
        let place = Place::Next { leader_epoch: LeaderEpoch(epoch) };
        let appends =
            batches.into_iter().map(|batch| Append { log: Arc::clone(&log), batch, place }).collect();
        let ticket = self.0.dir.submit(appends, Ack::Synced).await;
        for outcome in ticket.await {
            outcome.unwrap();
        }
    }

    /// Waits until a partition is there and durable up to `end`.
    pub(crate) async fn reaches(&self, id: TopicId, partition: i32, end: i64) {
        let mut opened = self.0.opened.subscribe();
        opened.wait_for(|_| self.log(id, partition).is_some()).await.unwrap();
        let log = self.log(id, partition).unwrap();
        let waiter = Waiter::new();
        let _watch = log.watch(&waiter);
        while log.ends().durable_end < Offset(end) {
            waiter.woken().await;
        }
    }

    /// All bytes of a partition.
    pub(crate) fn bytes(&self, id: TopicId, partition: i32) -> Vec<u8> {
        let log = self.log(id, partition).unwrap();
        let ends = log.ends();
        let (mut at, mut all) = (ends.log_start, Vec::new());
        while at < ends.log_end {
            let limit = ReadLimit { max_bytes: 1 << 20, until: ends.log_end, at_least_one: true };
            let batches = log.read(at, limit).unwrap();
            batches.pieces.iter().for_each(|piece| all.extend_from_slice(piece));
            at = batches.next_offset;
        }
        all
    }

    pub(crate) fn commit_here(&self, group: &str, topic: TopicId, partition: i32, offset: i64) {
        let name = self.0.catalog.borrow().topics.get(&topic).unwrap().name.clone();
        let offset = GroupOffset {
            topic: name.clone(),
            topic_id: topic,
            partition: PartitionId(partition),
            offset: Offset(offset),
            leader_epoch: LeaderEpoch::NONE,
            metadata: "".into(),
        };
        let group = GroupId::from(group);
        let key = (name, PartitionId(partition));
        self.0.groups.lock().entry(group.clone()).or_default().insert(key, offset.clone());
        let _ = self.0.group_events.send(GroupEvent::Committed { group, offset });
    }

    pub(crate) fn committed(&self, group: &str, topic: &str, partition: i32) -> Option<i64> {
        let groups = self.0.groups.lock();
        let offset = groups.get(group)?.get(&(topic.into(), PartitionId(partition)))?;
        Some(offset.offset.0)
    }

    pub(crate) fn group_events(&self) -> broadcast::Receiver<GroupEvent> {
        self.0.group_events.subscribe()
    }

    fn partition_of(&self, topic: TopicId, partition: PartitionId) -> Result<LogPartition, PortError> {
        let found = self.open(topic, partition.0);
        let log = found.ok_or(PortError::NotFound("no such topic".into()))?;
        Ok(LogPartition::new(log, Arc::clone(&self.0.dir), self.0.reads.clone()))
    }
}

impl BatchSource for Site {
    fn partition(
        &self,
        topic: TopicId,
        partition: PartitionId,
    ) -> BoxFuture<'_, Result<Arc<dyn SourcePartition>, PortError>> {
        Box::pin(
            async move { Ok(Arc::new(self.partition_of(topic, partition)?) as Arc<dyn SourcePartition>) },
        )
    }
}

impl BatchSink for Site {
    fn partition(
        &self,
        topic: TopicId,
        partition: PartitionId,
    ) -> BoxFuture<'_, Result<Arc<dyn SinkPartition>, PortError>> {
        Box::pin(async move {
            let inner = self.partition_of(topic, partition)?;
            Ok(Arc::new(Valved { inner, closed: self.0.valve.clone() }) as Arc<dyn SinkPartition>)
        })
    }

    fn producer_id(&self) -> BoxFuture<'_, Result<ProducerId, PortError>> {
        let id = self.0.producer_ids.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move { Ok(ProducerId(id)) })
    }
}

/// A log whose appends can be held up.
struct Valved {
    inner: LogPartition,
    closed: watch::Receiver<bool>,
}

impl SinkPartition for Valved {
    fn ends(&self) -> LogEnds {
        SinkPartition::ends(&self.inner)
    }

    fn offline(&self) -> Option<Arc<str>> {
        SinkPartition::offline(&self.inner)
    }

    fn watch(&self, waiter: &Arc<Waiter>) -> Watch {
        SinkPartition::watch(&self.inner, waiter)
    }

    fn latest_epoch(&self) -> Option<LeaderEpoch> {
        SinkPartition::latest_epoch(&self.inner)
    }

    fn append(&self, batches: Vec<BytesMut>, arrival: Arrival) -> BoxFuture<'_, Settled> {
        Box::pin(async move {
            let _ = self.closed.clone().wait_for(|closed| !*closed).await.map(drop);
            self.inner.append(batches, arrival).await
        })
    }

    fn advance_start(&self, offset: Offset) -> BoxFuture<'_, Result<Offset, PortError>> {
        self.inner.advance_start(offset)
    }

    fn start_at(&self, offset: Offset) -> BoxFuture<'_, Result<LogEnds, PortError>> {
        self.inner.start_at(offset)
    }

    fn truncate_to(&self, offset: Offset) -> BoxFuture<'_, Result<Offset, PortError>> {
        self.inner.truncate_to(offset)
    }

    fn read(&self, from: Offset, limit: ReadLimit) -> BoxFuture<'_, Result<Batches, ReadError>> {
        SinkPartition::read(&self.inner, from, limit)
    }

    fn set_intake(&self, intake: Intake) -> BoxFuture<'_, Result<LogEnds, PortError>> {
        self.inner.set_intake(intake)
    }

    fn forget_producers(&self) -> BoxFuture<'_, Result<Option<ProducerId>, PortError>> {
        self.inner.forget_producers()
    }
}

impl TopicCatalog for Site {
    fn subscribe(&self) -> watch::Receiver<Arc<Catalog>> {
        self.0.catalog.subscribe()
    }

    fn create_replica(&self, topic: ReplicaTopic) -> BoxFuture<'_, Result<(), PortError>> {
        let ReplicaTopic { name, id, leader_epochs, configs } = topic;
        self.put(CatalogTopic { name, id, leader_epochs, configs, compacted: false });
        Box::pin(async { Ok(()) })
    }

    fn follow_replica(&self, topic: ReplicaTopic) -> BoxFuture<'_, Result<Vec<String>, PortError>> {
        Box::pin(async move { self.create_replica(topic).await.map(|()| Vec::new()) })
    }

    fn ensure_merged(&self, topic: MergedTopic) -> BoxFuture<'_, Result<Arc<CatalogTopic>, PortError>> {
        let found = self.0.catalog.borrow().topics.values().find(|found| found.name == topic.name).cloned();
        let topic = found.unwrap_or_else(|| {
            let id = u128::from_be_bytes(*b"merged topic id!");
            let id = self.create_topic(topic.name.as_str(), id, topic.partitions as usize);
            Arc::clone(&self.0.catalog.borrow().topics[&id])
        });
        Box::pin(async { Ok(topic) })
    }
}

impl GroupStore for Site {
    fn subscribe(&self) -> broadcast::Receiver<GroupEvent> {
        self.0.group_events.subscribe()
    }

    fn all(&self) -> BoxFuture<'_, Result<Vec<GroupOffsets>, PortError>> {
        let groups = self.0.groups.lock();
        let all = groups.iter().map(|(group, offsets)| GroupOffsets {
            group: group.clone(),
            offsets: offsets.values().cloned().collect(),
        });
        let all = all.collect();
        Box::pin(async { Ok(all) })
    }

    fn settled(&self, group: GroupId) -> BoxFuture<'_, Result<Vec<GroupOffset>, PortError>> {
        let offsets = self.0.groups.lock().get(&group).map(|offsets| offsets.values().cloned().collect());
        Box::pin(async { Ok(offsets.unwrap_or_default()) })
    }

    fn is_active(&self, group: GroupId) -> BoxFuture<'_, Result<bool, PortError>> {
        let active = self.0.active.lock().contains(&group);
        Box::pin(async move { Ok(active) })
    }

    fn commit(&self, group: GroupId, offsets: Vec<GroupCommit>) -> BoxFuture<'_, Result<(), PortError>> {
        for commit in offsets {
            let found =
                self.0.catalog.borrow().topics.values().find(|topic| topic.name == commit.topic).cloned();
            if let Some(topic) = found {
                self.commit_here(group.as_str(), topic.id, commit.partition.0, commit.offset.0);
            }
        }
        Box::pin(async { Ok(()) })
    }

    fn delete_offsets(
        &self,
        group: GroupId,
        partitions: Vec<(TopicName, PartitionId)>,
    ) -> BoxFuture<'_, Result<(), PortError>> {
        let mut groups = self.0.groups.lock();
        let offsets = groups.entry(group).or_default();
        partitions.iter().for_each(|key| drop(offsets.remove(key)));
        Box::pin(async { Ok(()) })
    }
}

impl OwnershipStore for Site {
    fn load(&self) -> BoxFuture<'_, Result<Vec<OwnershipRecord>, PortError>> {
        let records = self.0.records.lock().clone();
        let records = records.into_iter().map(|(unit, record)| OwnershipRecord { unit, record }).collect();
        Box::pin(async { Ok(records) })
    }

    fn save(&self, record: OwnershipRecord) -> BoxFuture<'_, Result<(), PortError>> {
        self.0.records.lock().insert(record.unit, record.record);
        Box::pin(async { Ok(()) })
    }

    fn gates_changed(&self) -> BoxFuture<'_, Result<(), PortError>> {
        Box::pin(async { Ok(()) })
    }

    fn advance_producer_ids(&self, beyond: ProducerId) -> BoxFuture<'_, Result<(), PortError>> {
        self.0.producer_ids.fetch_max(beyond.0 + 1, Ordering::SeqCst);
        Box::pin(async { Ok(()) })
    }

    fn raise_leader_epochs(
        &self,
        topics: Vec<TopicName>,
        at_least: LeaderEpoch,
    ) -> BoxFuture<'_, Result<(), PortError>> {
        self.0.catalog.send_modify(|catalog| {
            for topic in
                Arc::make_mut(catalog).topics.values_mut().filter(|topic| topics.contains(&topic.name))
            {
                let epochs = &mut Arc::make_mut(topic).leader_epochs;
                epochs.iter_mut().for_each(|epoch| *epoch = (*epoch).max(at_least));
            }
        });
        Box::pin(async { Ok(()) })
    }
}
