//! The state of the cluster at one moment: what the records so far add up to.
//!
//! 1. An image never changes; a change makes a new one that shares nearly everything with the old. A clone costs a few
//!    reference counts, a changed topic O(log topics) plus that topic itself.
//! 2. [`Image::apply`] is pure and total: replaying the stored records gives the live image again.

use std::{collections::BTreeMap, sync::Arc};

use protocol::{LeaderEpoch, ProducerId, TopicId, TopicName};
use rpds::{HashTrieMapSync, RedBlackTreeMapSync};

use super::{
    record::{MetadataRecord, PartitionEpochsRecord, PartitionsRecord, TopicConfigRecord, TopicRecord},
    topic_config::{InvalidConfig, TopicConfig},
    topic_name,
};
use crate::settings::TopicSettings;

#[derive(Debug, Clone)]
pub struct Image {
    cluster_id: Arc<str>,
    topics: RedBlackTreeMapSync<TopicName, Arc<Topic>>,
    names: HashTrieMapSync<TopicId, TopicName>,
    /// Names with '.' or '_', by what they collide by.
    collisions: HashTrieMapSync<String, TopicName>,
    /// Of all topics.
    partitions: usize,
    next_producer_id: ProducerId,
    producer_id_floor: ProducerId,
    /// No partition's epoch is below it; new ones start with it.
    leader_epoch: LeaderEpoch,
    /// By failover unit.
    ownership: RedBlackTreeMapSync<String, Arc<str>>,
    defaults: Arc<TopicSettings>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Topic {
    pub name: TopicName,
    pub id: TopicId,
    pub partitions: Vec<PartitionState>,
    /// Typed and effective: the overrides over the broker's defaults.
    pub config: TopicConfig,
    pub overrides: BTreeMap<String, String>,
    pub internal: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionState {
    pub leader_epoch: LeaderEpoch,
}

impl Topic {
    pub fn partition_count(&self) -> i32 {
        i32::try_from(self.partitions.len()).unwrap_or(i32::MAX)
    }

    pub fn partition(&self, index: i32) -> Option<&PartitionState> {
        self.partitions.get(usize::try_from(index).ok()?)
    }
}

impl Image {
    /// Before the first record: no topics and an empty cluster id.
    pub fn new(defaults: Arc<TopicSettings>) -> Self {
        Self {
            cluster_id: Arc::from(""),
            topics: RedBlackTreeMapSync::new_sync(),
            names: HashTrieMapSync::new_sync(),
            collisions: HashTrieMapSync::new_sync(),
            partitions: 0,
            next_producer_id: ProducerId(0),
            producer_id_floor: ProducerId(0),
            leader_epoch: LeaderEpoch(0),
            ownership: RedBlackTreeMapSync::new_sync(),
            defaults,
        }
    }

    /// Empty only before the cluster's first start.
    pub fn cluster_id(&self) -> &str {
        &self.cluster_id
    }

    pub fn topic(&self, name: &str) -> Option<&Arc<Topic>> {
        self.topics.get(name)
    }

    pub fn topic_by_id(&self, id: TopicId) -> Option<&Arc<Topic>> {
        self.topics.get(self.names.get(&id)?)
    }

    /// All topics by name.
    pub fn topics(&self) -> impl Iterator<Item = &Arc<Topic>> {
        self.topics.values()
    }

    /// The topics whose names are `first` or greater, by name.
    pub fn topics_from(&self, first: &str) -> impl Iterator<Item = &Arc<Topic>> {
        self.topics.range(TopicName::from(first)..).map(|(_, topic)| topic)
    }

    pub fn topic_count(&self) -> usize {
        self.topics.size()
    }

    /// Partitions of all topics together.
    pub fn partition_count(&self) -> usize {
        self.partitions
    }

    /// The topic that a new one of this name would collide with: Kafka's metrics cannot tell '.' from '_'.
    pub fn colliding(&self, name: &str) -> Option<&TopicName> {
        self.collisions.get(&topic_name::collision_key(name)?)
    }

    /// The first producer id that no block holds yet.
    pub fn next_producer_id(&self) -> ProducerId {
        self.next_producer_id
    }

    /// Smaller ids must not be handed out, whoever has set a block of them aside.
    pub fn producer_id_floor(&self) -> ProducerId {
        self.producer_id_floor
    }

    /// The ownership record of every failover unit that has one.
    pub fn ownership(&self) -> impl Iterator<Item = (&str, &str)> {
        self.ownership.iter().map(|(unit, record)| (unit.as_str(), &**record))
    }

    pub fn ownership_of(&self, unit: &str) -> Option<&str> {
        self.ownership.get(unit).map(|record| &**record)
    }

    /// The largest leader epoch of any partition.
    pub(super) fn largest_leader_epoch(&self) -> LeaderEpoch {
        let partitions = self.topics().flat_map(|topic| &topic.partitions);
        partitions.map(|partition| partition.leader_epoch).fold(self.leader_epoch, LeaderEpoch::max)
    }

    /// The leader epoch of a partition that is made now.
    pub fn leader_epoch(&self) -> LeaderEpoch {
        self.leader_epoch
    }

    /// What topics are made of that say nothing else.
    pub fn defaults(&self) -> &TopicSettings {
        &self.defaults
    }

    /// Folds in one record.
    ///
    /// A record about a topic that is not there changes nothing: compaction by key may have dropped the topic's own record,
    /// once it was removed, before those that came between.
    pub fn apply(&mut self, record: &MetadataRecord) -> Result<(), InvalidConfig> {
        match record {
            MetadataRecord::Cluster(cluster) => self.cluster_id = Arc::from(cluster.cluster_id.as_str()),
            MetadataRecord::Topic(topic) => self.apply_topic(topic)?,
            MetadataRecord::RemoveTopic(removed) => self.remove(removed.id),
            MetadataRecord::Partitions(grown) => self.apply_partitions(grown),
            MetadataRecord::TopicConfig(change) => self.apply_config(change)?,
            MetadataRecord::ProducerIds(block) => {
                self.next_producer_id = block.next_producer_id;
                self.producer_id_floor = block.floor;
            }
            MetadataRecord::LeaderEpoch(raised) => self.raise_leader_epochs(LeaderEpoch(raised.leader_epoch)),
            MetadataRecord::PartitionEpochs(raised) => self.raise_partition_epochs(raised),
            MetadataRecord::Ownership(owned) => {
                self.ownership.insert_mut(owned.unit.clone(), Arc::from(owned.record.as_str()));
            }
        }
        Ok(())
    }

    fn apply_topic(&mut self, record: &TopicRecord) -> Result<(), InvalidConfig> {
        let config = TopicConfig::resolve(&record.overrides, &self.defaults)?;
        self.remove(record.id);
        if let Some(older) = self.topic(&record.name).map(|topic| topic.id) {
            self.remove(older);
        }
        self.put(Topic {
            name: TopicName::from(record.name.as_str()),
            id: record.id,
            partitions: vec![self.new_partition(); usize::try_from(record.partitions).unwrap_or(0)],
            config,
            overrides: record.overrides.clone(),
            internal: topic_name::is_internal(&record.name),
        });
        Ok(())
    }

    fn apply_partitions(&mut self, record: &PartitionsRecord) {
        if let Some(topic) = self.topic_by_id(record.id) {
            let mut topic = Topic::clone(topic);
            let count = usize::try_from(record.partitions).unwrap_or(0).max(topic.partitions.len());
            topic.partitions.resize(count, self.new_partition());
            self.put(topic);
        }
    }

    fn new_partition(&self) -> PartitionState {
        PartitionState { leader_epoch: self.leader_epoch }
    }

    fn raise_leader_epochs(&mut self, leader_epoch: LeaderEpoch) {
        self.leader_epoch = self.leader_epoch.max(leader_epoch);
        let topics: Vec<Arc<Topic>> = self.topics().cloned().collect();
        for mut topic in topics {
            for partition in &mut Arc::make_mut(&mut topic).partitions {
                partition.leader_epoch = partition.leader_epoch.max(self.leader_epoch);
            }
            self.topics.insert_mut(topic.name.clone(), topic);
        }
    }

    /// A list that is longer than the topic makes it grow: compaction may have moved the record of the growth behind this one.
    fn raise_partition_epochs(&mut self, record: &PartitionEpochsRecord) {
        let Some(topic) = self.topic_by_id(record.id) else { return };
        let mut topic = Topic::clone(topic);
        let count = record.leader_epochs.len().max(topic.partitions.len());
        topic.partitions.resize(count, self.new_partition());
        for (partition, epoch) in topic.partitions.iter_mut().zip(&record.leader_epochs) {
            partition.leader_epoch = partition.leader_epoch.max(LeaderEpoch(*epoch));
        }
        self.put(topic);
    }

    fn apply_config(&mut self, record: &TopicConfigRecord) -> Result<(), InvalidConfig> {
        let Some(topic) = self.topic_by_id(record.id) else { return Ok(()) };
        let mut topic = Topic::clone(topic);
        match &record.value {
            Some(value) => drop(topic.overrides.insert(record.name.clone(), value.clone())),
            None => drop(topic.overrides.remove(&record.name)),
        }
        topic.config = TopicConfig::resolve(&topic.overrides, &self.defaults)?;
        self.put(topic);
        Ok(())
    }

    /// Adds the topic, or puts it in the place of its older self.
    fn put(&mut self, topic: Topic) {
        let before = self.topic(topic.name.as_str()).map_or(0, |before| before.partitions.len());
        self.partitions = self.partitions + topic.partitions.len() - before;
        self.names.insert_mut(topic.id, topic.name.clone());
        if let Some(key) = topic_name::collision_key(&topic.name.0) {
            self.collisions.insert_mut(key, topic.name.clone());
        }
        self.topics.insert_mut(topic.name.clone(), Arc::new(topic));
    }

    fn remove(&mut self, id: TopicId) {
        let Some(name) = self.names.get(&id).cloned() else { return };
        self.names.remove_mut(&id);
        self.partitions -= self.topic(name.as_str()).map_or(0, |topic| topic.partitions.len());
        self.topics.remove_mut(&name);
        if let Some(key) = topic_name::collision_key(name.as_str()) {
            self.collisions.remove_mut(&key);
        }
    }
}

/// Equal when every topic, id and position is: for comparing a live image with a replayed one.
impl PartialEq for Image {
    fn eq(&self, other: &Self) -> bool {
        self.cluster_id == other.cluster_id
            && self.next_producer_id == other.next_producer_id
            && self.producer_id_floor == other.producer_id_floor
            && self.ownership == other.ownership
            && self.leader_epoch == other.leader_epoch
            && self.names == other.names
            && self.collisions == other.collisions
            && self.topics == other.topics
    }
}
