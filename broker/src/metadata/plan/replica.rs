//! Topics that have their home elsewhere: made and kept as the home says.

use std::collections::BTreeMap;

use protocol::{LeaderEpoch, TopicId};

use super::{config, partitions};
use crate::{
    metadata::{
        change::{Refusal, ReplicaTopic},
        image::{Image, PartitionState, Topic},
        record::{MetadataRecord, PartitionEpochsRecord, PartitionsRecord, TopicRecord},
        topic_config::TopicConfig,
        topic_name,
    },
    settings::TopicSettings,
};

/// Kafka keeps ids up to this one for itself.
const RESERVED_IDS: u128 = 1;

/// An override of the home that this broker does not take, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedConfig {
    pub name: String,
    pub why: String,
}

pub(super) fn create(image: &Image, replica: &ReplicaTopic) -> Result<Vec<MetadataRecord>, Refusal> {
    let (name, id) = (replica.name.as_str(), replica.id);
    if there(image, replica)?.is_some() {
        return Ok(Vec::new());
    }
    check_new(image, replica)?;
    let count = count(replica)?;
    partitions::check_room(image, count)?;
    let (overrides, _) = usable(&replica.configs, image.defaults());
    let topic = TopicRecord { version: 1, name: name.to_owned(), id, partitions: count, overrides };
    let fresh = PartitionState { leader_epoch: image.leader_epoch() };
    let epochs = raised(id, &vec![fresh; replica.leader_epochs.len()], &replica.leader_epochs);
    Ok([MetadataRecord::Topic(topic)].into_iter().chain(epochs).collect())
}

pub(super) fn follow(image: &Image, replica: &ReplicaTopic) -> Result<Vec<MetadataRecord>, Refusal> {
    let unknown = || Refusal::UnknownTopic(replica.name.detached());
    let topic = there(image, replica)?.ok_or_else(unknown)?;
    let (count, current) = (count(replica)?, topic.partition_count());
    let mut records = Vec::new();
    let mut partitions = topic.partitions.clone();
    if count > current {
        partitions::check_room(image, count - current)?;
        let grown = PartitionsRecord { version: 1, id: topic.id, partitions: count };
        records.push(MetadataRecord::Partitions(grown));
        let fresh = PartitionState { leader_epoch: image.leader_epoch() };
        partitions.resize(replica.leader_epochs.len(), fresh);
    }
    records.extend(raised(topic.id, &partitions, &replica.leader_epochs));
    let (overrides, _) = usable(&replica.configs, image.defaults());
    records.extend(config::difference(topic, &overrides));
    Ok(records)
}

pub(super) fn raise_epochs(
    image: &Image,
    topics: &[TopicId],
    at_least: LeaderEpoch,
) -> Result<Vec<MetadataRecord>, Refusal> {
    let mut records = Vec::new();
    for id in topics {
        let topic = image.topic_by_id(*id).ok_or(Refusal::UnknownTopicId(*id))?;
        let wanted = vec![at_least; topic.partitions.len()];
        records.extend(raised(*id, &topic.partitions, &wanted));
    }
    Ok(records)
}

/// The overrides that can be taken, one after the other, and those that cannot.
pub fn usable(
    configs: &BTreeMap<String, String>,
    defaults: &TopicSettings,
) -> (BTreeMap<String, String>, Vec<SkippedConfig>) {
    let (mut overrides, mut skipped) = (BTreeMap::new(), Vec::new());
    for (name, value) in configs {
        let why = match config::bounded(value) {
            Err(refusal) => refusal.to_string(),
            Ok(value) => {
                overrides.insert(name.clone(), value);
                match TopicConfig::resolve(&overrides, defaults) {
                    Ok(_) => continue,
                    Err(invalid) => invalid.to_string(),
                }
            }
        };
        overrides.remove(name);
        skipped.push(SkippedConfig { name: name.clone(), why });
    }
    (overrides, skipped)
}

/// The topic of that name and id.
fn there<'a>(image: &'a Image, replica: &ReplicaTopic) -> Result<Option<&'a Topic>, Refusal> {
    let (name, id) = (&replica.name, replica.id);
    match (image.topic(name.as_str()), image.topic_by_id(id)) {
        (Some(topic), _) if topic.internal => Err(Refusal::Internal(topic.name.clone())),
        (Some(topic), _) if topic.id == id => Ok(Some(topic)),
        (Some(topic), _) => Err(Refusal::OtherId { name: topic.name.clone(), existing: topic.id, asked: id }),
        (None, Some(other)) => Err(Refusal::IdTaken { id, existing: other.name.clone() }),
        (None, None) => Ok(None),
    }
}

fn check_new(image: &Image, replica: &ReplicaTopic) -> Result<(), Refusal> {
    let name = replica.name.as_str();
    topic_name::check(name)?;
    if name == topic_name::CLUSTER_METADATA {
        return Err(Refusal::ClusterMetadata);
    }
    if topic_name::is_internal(name) {
        return Err(Refusal::Internal(replica.name.detached()));
    }
    if replica.id.0.as_u128() <= RESERVED_IDS {
        return Err(Refusal::ReservedId(replica.id));
    }
    match image.colliding(name) {
        Some(existing) => {
            Err(Refusal::Collides { name: replica.name.detached(), existing: existing.clone() })
        }
        None => Ok(()),
    }
}

fn count(replica: &ReplicaTopic) -> Result<i32, Refusal> {
    let count = i32::try_from(replica.leader_epochs.len()).unwrap_or(i32::MAX);
    partitions::check_count(count)?;
    Ok(count)
}

/// The record that raises epochs, if any goes up. It names all of them, so that the last one of its key says everything.
fn raised(id: TopicId, current: &[PartitionState], wanted: &[LeaderEpoch]) -> Option<MetadataRecord> {
    let wanted = wanted.iter().copied().chain(std::iter::repeat(LeaderEpoch::NONE));
    let after: Vec<_> =
        current.iter().zip(wanted).map(|(partition, wanted)| partition.leader_epoch.max(wanted).0).collect();
    let changed = current.iter().zip(&after).any(|(before, after)| before.leader_epoch.0 != *after);
    let record = PartitionEpochsRecord { version: 1, id, leader_epochs: after };
    changed.then_some(MetadataRecord::PartitionEpochs(record))
}

#[cfg(test)]
mod tests;
