//! How many partitions a topic gets, and growing it.

use std::collections::BTreeSet;

use protocol::BrokerId;

use super::Rules;
use crate::{
    limits,
    metadata::{
        change::{InvalidAssignment, NewPartitions, NewTopic, Refusal},
        image::Image,
        record::{MetadataRecord, PartitionsRecord},
    },
};

/// Partitions of all topics together: what one node is built for, ten times over.
pub(crate) const PARTITIONS_MAX: usize = 1_000_000;

/// The partition count that a new topic asks for.
pub(super) fn count(image: &Image, topic: &NewTopic, broker_id: BrokerId) -> Result<i32, Refusal> {
    if !topic.assignments.is_empty() {
        return assigned_count(topic, broker_id);
    }
    match topic.replication_factor {
        -1 | 1 => {}
        factor if factor <= 0 => return Err(Refusal::FactorNotPositive),
        factor => return Err(Refusal::FactorTooLarge(factor)),
    }
    let count = if topic.partitions == -1 { image.defaults().partitions } else { topic.partitions };
    check_count(count)?;
    Ok(count)
}

pub(super) fn check_count(count: i32) -> Result<(), Refusal> {
    match count {
        ..=0 => Err(Refusal::PartitionsNotPositive),
        1..=limits::PARTITIONS_PER_TOPIC_MAX => Ok(()),
        _ => Err(Refusal::TooManyPartitions { asked: count, max: limits::PARTITIONS_PER_TOPIC_MAX }),
    }
}

/// Whether the cluster may have so many more partitions.
pub(super) fn check_room(image: &Image, added: i32) -> Result<(), Refusal> {
    let after = image.partition_count().saturating_add(usize::try_from(added).unwrap_or(0));
    if after > PARTITIONS_MAX { Err(Refusal::ClusterFull { max: PARTITIONS_MAX }) } else { Ok(()) }
}

pub(super) fn add(
    image: &Image,
    growth: &NewPartitions,
    rules: Rules<'_>,
) -> Result<Vec<MetadataRecord>, Refusal> {
    let unknown = || Refusal::UnknownTopic(growth.topic.detached());
    let topic = image.topic(growth.topic.as_str()).ok_or_else(unknown)?;
    if topic.internal {
        return Err(Refusal::Internal(topic.name.clone()));
    }
    let current = topic.partition_count();
    if growth.count == current {
        return Err(Refusal::PartitionsUnchanged(current));
    }
    if growth.count < current {
        return Err(Refusal::PartitionsShrink { topic: topic.name.clone(), current, asked: growth.count });
    }
    check_count(growth.count)?;
    let added = growth.count - current;
    if let Some(assignments) = &growth.assignments {
        if i32::try_from(assignments.len()) != Ok(added) {
            let given = assignments.len();
            return Err(Refusal::InvalidAssignment(InvalidAssignment::Count { added, given }));
        }
        assignments.iter().try_for_each(|replicas| check_replicas(replicas, rules.broker_id))?;
    }
    check_room(image, added)?;
    let grown = PartitionsRecord { version: 1, id: topic.id, partitions: growth.count };
    Ok(vec![MetadataRecord::Partitions(grown)])
}

fn assigned_count(topic: &NewTopic, broker_id: BrokerId) -> Result<i32, Refusal> {
    if topic.replication_factor != -1 {
        return Err(Refusal::CountsAndAssignments("replication factor"));
    }
    if topic.partitions != -1 {
        return Err(Refusal::CountsAndAssignments("numPartitions"));
    }
    let mut seen = BTreeSet::new();
    for (partition, replicas) in &topic.assignments {
        if !seen.insert(*partition) {
            return Err(Refusal::InvalidAssignment(InvalidAssignment::Repeated(*partition)));
        }
        check_replicas(replicas, broker_id)?;
    }
    if !seen.iter().copied().eq((0..).take(seen.len())) {
        return Err(Refusal::InvalidAssignment(InvalidAssignment::NotConsecutive));
    }
    let count = i32::try_from(seen.len()).unwrap_or(i32::MAX);
    check_count(count)?;
    Ok(count)
}

/// Exactly this broker: it is the only one.
fn check_replicas(replicas: &[i32], broker_id: BrokerId) -> Result<(), Refusal> {
    let wrong = match replicas {
        [] => InvalidAssignment::Empty,
        [only] if *only == broker_id.0 => return Ok(()),
        _ => match replicas.iter().find(|replica| **replica != broker_id.0) {
            Some(other) => InvalidAssignment::UnknownBroker(*other),
            None => InvalidAssignment::RepeatedBroker(broker_id.0),
        },
    };
    Err(Refusal::InvalidAssignment(wrong))
}
