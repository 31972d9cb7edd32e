//! Creating and deleting topics.

use std::collections::BTreeMap;

use protocol::TopicId;

use super::{Rules, config, partitions};
use crate::metadata::{
    change::{InternalTopic, NewTopic, Refusal},
    identity,
    image::Image,
    record::{MetadataRecord, RemoveTopicRecord, TopicRecord},
    topic_config::TopicConfig,
    topic_name,
};

/// Kafka's order of checks: the name, then whether it is free, the settings, the partitions.
pub(super) fn create(
    image: &Image,
    topic: &NewTopic,
    rules: Rules<'_>,
) -> Result<Vec<MetadataRecord>, Refusal> {
    let name = topic.name.as_str();
    topic_name::check(name)?;
    if name == topic_name::CLUSTER_METADATA {
        return Err(Refusal::ClusterMetadata);
    }
    if image.topic(name).is_some() {
        return Err(Refusal::Exists(topic.name.detached()));
    }
    if topic_name::is_internal(name) {
        return Err(Refusal::Internal(topic.name.detached()));
    }
    if let Some(existing) = image.colliding(name) {
        return Err(Refusal::Collides { name: topic.name.detached(), existing: existing.clone() });
    }
    let overrides = config::replacement(&topic.configs)?;
    TopicConfig::resolve(&overrides, image.defaults())?;
    let count = partitions::count(image, topic, rules.broker_id)?;
    partitions::check_room(image, count)?;
    record(image, name, count, overrides, rules)
}

pub(super) fn ensure_internal(
    image: &Image,
    topic: InternalTopic,
    rules: Rules<'_>,
) -> Result<Vec<MetadataRecord>, Refusal> {
    if image.topic(topic.name()).is_some() {
        return Ok(Vec::new());
    }
    match topic {
        InternalTopic::ConsumerOffsets { partitions } => {
            partitions::check_count(partitions)?;
            record(image, topic.name(), partitions, consumer_offsets_overrides(), rules)
        }
    }
}

pub(super) fn delete(image: &Image, id: TopicId) -> Result<Vec<MetadataRecord>, Refusal> {
    let topic = image.topic_by_id(id).ok_or(Refusal::UnknownTopicId(id))?;
    if topic.internal {
        return Err(Refusal::Internal(topic.name.clone()));
    }
    let name = topic.name.as_str().to_owned();
    Ok(vec![MetadataRecord::RemoveTopic(RemoveTopicRecord { version: 1, id, name })])
}

fn record(
    image: &Image,
    name: &str,
    partitions: i32,
    overrides: BTreeMap<String, String>,
    rules: Rules<'_>,
) -> Result<Vec<MetadataRecord>, Refusal> {
    let taken = |id| image.topic_by_id(TopicId(id)).is_some();
    let id = TopicId(identity::fresh(rules.ids, taken).ok_or(Refusal::NoFreshId)?);
    let name = name.to_owned();
    Ok(vec![MetadataRecord::Topic(TopicRecord { version: 1, name, id, partitions, overrides })])
}

/// Kafka's, and write.caching off whatever the broker's default: committed offsets are synced before the answer.
fn consumer_offsets_overrides() -> BTreeMap<String, String> {
    [("cleanup.policy", "compact"), ("segment.bytes", "104857600"), ("write.caching", "false")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}
