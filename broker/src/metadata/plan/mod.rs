//! Decides a change: the records that make it so, or why not. Pure: an image and a change in, values out.

mod config;
mod partitions;
mod topic;

use protocol::{BrokerId, ProducerId};

use super::{
    change::{Change, Refusal},
    identity::IdSource,
    image::Image,
    record::{LeaderEpochRecord, MetadataRecord, ProducerIdsRecord},
};
use crate::limits;

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
    }
}

fn take_producer_ids(image: &Image) -> Result<Vec<MetadataRecord>, Refusal> {
    let next = image.next_producer_id().0.checked_add(limits::PRODUCER_ID_BLOCK);
    let next = next.ok_or(Refusal::ProducerIdsExhausted)?;
    Ok(vec![MetadataRecord::ProducerIds(ProducerIdsRecord {
        version: 1,
        next_producer_id: ProducerId(next),
    })])
}

fn raise_leader_epochs(image: &Image) -> Vec<MetadataRecord> {
    // Saturates: two thousand million crashes would only stop the epoch from telling them apart.
    let leader_epoch = image.leader_epoch().0.saturating_add(1);
    vec![MetadataRecord::LeaderEpoch(LeaderEpochRecord { version: 1, leader_epoch })]
}

#[cfg(test)]
mod tests;
