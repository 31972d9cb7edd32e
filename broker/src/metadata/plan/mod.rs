//! Decides a change: the records that make it so, or why not. Pure: an image and a change in, values out.

mod config;
mod partitions;
mod replica;
mod topic;

use protocol::{BrokerId, ProducerId};

use super::{
    change::{Change, Refusal},
    identity::IdSource,
    image::Image,
    record::{LeaderEpochRecord, MetadataRecord, OwnershipRecord, ProducerIdsRecord, VALUE_BYTES_MAX},
};
use crate::limits;

pub use replica::{SkippedConfig, usable as usable_configs};

/// What a plan needs to know besides the image.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// The one broker that replicas can be on.
    pub broker_id: BrokerId,
    pub ids: &'a dyn IdSource,
}

/// The records that carry out `change`; none if what it wants is there already.
pub fn plan(image: &Image, change: &Change, rules: Rules<'_>) -> Result<Vec<MetadataRecord>, Refusal> {
    match change {
        Change::CreateTopic(topic) => topic::create(image, topic, rules),
        Change::EnsureInternalTopic(topic) => topic::ensure_internal(image, *topic, rules),
        Change::DeleteTopic(id) => topic::delete(image, *id),
        Change::AddPartitions(growth) => partitions::add(image, growth, rules),
        Change::AlterTopicConfig(change) => config::alter(image, change),
        Change::TakeProducerIds => take_producer_ids(image),
        Change::RaiseLeaderEpochs => Ok(raise_leader_epochs(image)),
        Change::CreateReplica(topic) => replica::create(image, topic),
        Change::FollowReplica(topic) => replica::follow(image, topic),
        Change::PutOwnership { unit, record } => put_ownership(image, unit, record),
        Change::AdvanceProducerIds { beyond } => advance_producer_ids(image, *beyond),
        Change::RaiseTopicEpochs { topics, at_least } => replica::raise_epochs(image, topics, *at_least),
    }
}

fn take_producer_ids(image: &Image) -> Result<Vec<MetadataRecord>, Refusal> {
    let next = image.next_producer_id().0.checked_add(limits::PRODUCER_ID_BLOCK);
    let next = next.ok_or(Refusal::ProducerIdsExhausted)?;
    Ok(vec![MetadataRecord::ProducerIds(ProducerIdsRecord {
        version: 1,
        next_producer_id: ProducerId(next),
        floor: image.producer_id_floor(),
    })])
}

/// Nobody hands out an id up to `beyond` any more, from whatever block.
fn advance_producer_ids(image: &Image, beyond: ProducerId) -> Result<Vec<MetadataRecord>, Refusal> {
    let wanted = ProducerId(beyond.0.checked_add(1).ok_or(Refusal::ProducerIdsExhausted)?);
    if wanted <= image.producer_id_floor() {
        return Ok(Vec::new());
    }
    Ok(vec![MetadataRecord::ProducerIds(ProducerIdsRecord {
        version: 1,
        next_producer_id: image.next_producer_id().max(wanted),
        floor: wanted,
    })])
}

fn put_ownership(image: &Image, unit: &str, record: &str) -> Result<Vec<MetadataRecord>, Refusal> {
    if image.ownership_of(unit) == Some(record) {
        return Ok(Vec::new());
    }
    let owned = OwnershipRecord { version: 1, unit: unit.to_owned(), record: record.to_owned() };
    let owned = MetadataRecord::Ownership(owned);
    let stored = owned.encode();
    if unit.is_empty() || stored.key.len() + stored.value.map_or(0, |value| value.len()) > VALUE_BYTES_MAX {
        return Err(Refusal::InvalidOwnership { max: VALUE_BYTES_MAX });
    }
    Ok(vec![owned])
}

fn raise_leader_epochs(image: &Image) -> Vec<MetadataRecord> {
    // Above all: a topic that came from elsewhere may have a larger epoch than those made here. Saturates: two thousand million
    // crashes would only stop the epoch from telling them apart.
    let leader_epoch = image.largest_leader_epoch().0.saturating_add(1);
    vec![MetadataRecord::LeaderEpoch(LeaderEpochRecord { version: 1, leader_epoch })]
}

#[cfg(test)]
mod tests;
