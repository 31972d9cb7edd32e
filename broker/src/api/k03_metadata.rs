//! Metadata (key 3), versions 0-13: brokers, controller, topics with their partitions.
//!
//! This broker is the only one, leads every partition and is its only replica. A missing topic is created on the way if both
//! the broker's settings and the request allow it; unlike Kafka's, the answer then already has its partitions. A missing internal topic is not
//! created by asking: its coordinator does when it is needed. Nor is a topic that has its home elsewhere (POLICY_VIOLATION).
//!
//! - 0: an empty list asks for all topics; from 1, null does.
//! - 4: the request says whether missing topics may be created; before, they may.
//! - 8-10: authorized operations of the cluster, from 8 those of topics.
//! - 10: topic ids in the answer; 12: topics can be asked for by id.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use bytestring::ByteString;
use protocol::{
    ErrorCode, TopicId,
    messages::k03_metadata::{
        MetadataRequest, MetadataRequestTopic, MetadataResponse, MetadataResponseBroker,
        MetadataResponsePartition, MetadataResponseTopic,
    },
};

use super::{RequestContext, authorized_operations, failure::Failure, gated, settle::settle};
use crate::{
    gate::Gate,
    metadata::{BrokerEndpoint, Change, Image, Metadata, NewTopic, Refusal, Topic, topic_name},
};

pub async fn handle(
    metadata: &Metadata,
    gate: &dyn Gate,
    broker: &BrokerEndpoint,
    cx: &RequestContext,
    request: MetadataRequest,
) -> MetadataResponse {
    let mut topics = match wanted(&request, cx.version) {
        Wanted::All => metadata.image().topics().map(|topic| describe(topic, broker)).collect(),
        Wanted::Ids(ids) => by_id(&metadata.image(), broker, ids),
        Wanted::Names(names) => {
            by_name(metadata, gate, broker, names, request.allow_auto_topic_creation).await
        }
        Wanted::Refused(topics) => topics,
    };
    let operations = authorized_operations::of_topic(request.include_topic_authorized_operations);
    for topic in topics.iter_mut().filter(|topic| topic.name.is_some()) {
        topic.topic_authorized_operations = operations;
    }
    MetadataResponse {
        brokers: vec![MetadataResponseBroker {
            node_id: broker.id.0,
            host: broker.host.clone(),
            port: i32::from(broker.port),
            rack: broker.rack.clone(),
        }],
        cluster_id: Some(ByteString::from(metadata.image().cluster_id())),
        controller_id: broker.id.0,
        topics,
        cluster_authorized_operations: authorized_operations::of_cluster(
            request.include_cluster_authorized_operations,
        ),
        ..Default::default()
    }
}

/// What a request asks for; repeated topics count once, the order stays.
enum Wanted {
    All,
    Names(Vec<ByteString>),
    Ids(Vec<TopicId>),
    /// The request is malformed: an error for each of its topics.
    Refused(Vec<MetadataResponseTopic>),
}

fn wanted(request: &MetadataRequest, version: i16) -> Wanted {
    let topics = match &request.topics {
        None => return Wanted::All,
        Some(topics) if topics.is_empty() && version == 0 => return Wanted::All,
        Some(topics) => topics,
    };
    let has_id = |topic: &MetadataRequestTopic| TopicId(topic.topic_id) != TopicId::ZERO;
    if version < 12 && topics.iter().any(|topic| topic.name.is_none() || has_id(topic)) {
        return Wanted::Refused(topics.iter().map(refuse).collect());
    }
    // As in Kafka, one topic id makes it a request by ids.
    if topics.iter().any(has_id) {
        let ids = topics.iter().filter(|topic| has_id(topic)).map(|topic| TopicId(topic.topic_id));
        return Wanted::Ids(distinct(ids));
    }
    if topics.iter().any(|topic| topic.name.is_none()) {
        return Wanted::Refused(topics.iter().map(refuse).collect());
    }
    Wanted::Names(distinct(topics.iter().filter_map(|topic| topic.name.clone())))
}

fn distinct<T: Clone + Eq + std::hash::Hash>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = HashSet::new();
    items.filter(|item| seen.insert(item.clone())).collect()
}

fn refuse(topic: &MetadataRequestTopic) -> MetadataResponseTopic {
    MetadataResponseTopic {
        error_code: ErrorCode::INVALID_REQUEST,
        name: Some(topic.name.clone().unwrap_or_default()),
        topic_id: topic.topic_id,
        ..Default::default()
    }
}

fn by_id(image: &Image, broker: &BrokerEndpoint, ids: Vec<TopicId>) -> Vec<MetadataResponseTopic> {
    let unknown = |id: TopicId| MetadataResponseTopic {
        error_code: ErrorCode::UNKNOWN_TOPIC_ID,
        name: None,
        topic_id: id.0,
        ..Default::default()
    };
    ids.into_iter()
        .map(|id| image.topic_by_id(id).map_or_else(|| unknown(id), |topic| describe(topic, broker)))
        .collect()
}

async fn by_name(
    metadata: &Metadata,
    gate: &dyn Gate,
    broker: &BrokerEndpoint,
    names: Vec<ByteString>,
    may_create: bool,
) -> Vec<MetadataResponseTopic> {
    let image = metadata.image();
    let creatable =
        |name: &&ByteString| image.topic(name).is_none() && topic_name::check(name).is_ok() && !is_ours(name);
    let missing: Vec<_> = if may_create && image.defaults().auto_create {
        names.iter().filter(creatable).cloned().collect()
    } else {
        Vec::new()
    };
    let failures = create(metadata, gate, &missing).await;
    let image = metadata.image();
    names
        .into_iter()
        .map(|name| match image.topic(&name) {
            Some(topic) => describe(topic, broker),
            None => absent(name, &failures),
        })
        .collect()
}

/// Creates topics by the broker's defaults; answers with those that could not be.
async fn create(
    metadata: &Metadata,
    gate: &dyn Gate,
    names: &[ByteString],
) -> HashMap<ByteString, ErrorCode> {
    let wanted = |name: &ByteString| {
        gated::check_change(gate, name).map(|()| Change::CreateTopic(NewTopic::named(name.clone())))
    };
    let outcomes = settle(metadata, false, names.iter().map(wanted).collect()).await;
    let failed = |(name, outcome): (&ByteString, Result<Arc<Image>, Failure>)| {
        outcome.err().map(|failure| (name.clone(), failure.code))
    };
    names.iter().zip(outcomes).filter_map(failed).collect()
}

fn is_ours(name: &str) -> bool {
    topic_name::is_internal(name) || name == topic_name::CLUSTER_METADATA
}

/// A topic that is not there: why it could not be created, that its name is not allowed, or just that.
fn absent(name: ByteString, failures: &HashMap<ByteString, ErrorCode>) -> MetadataResponseTopic {
    let error_code = match topic_name::check(&name) {
        Err(invalid) => Failure::from(Refusal::from(invalid)).code,
        Ok(()) => match failures.get(&name) {
            // Created by somebody else and deleted since.
            Some(&ErrorCode::TOPIC_ALREADY_EXISTS) | None => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            Some(code) => *code,
        },
    };
    let is_internal = topic_name::is_internal(&name);
    MetadataResponseTopic { error_code, name: Some(name), is_internal, ..Default::default() }
}

fn describe(topic: &Arc<Topic>, broker: &BrokerEndpoint) -> MetadataResponseTopic {
    let partitions = (0i32..).zip(&topic.partitions).map(|(index, partition)| MetadataResponsePartition {
        partition_index: index,
        leader_id: broker.id.0,
        leader_epoch: partition.leader_epoch.0,
        replica_nodes: vec![broker.id.0],
        isr_nodes: vec![broker.id.0],
        ..Default::default()
    });
    MetadataResponseTopic {
        name: Some(topic.name.0.clone()),
        topic_id: topic.id.0,
        is_internal: topic.internal,
        partitions: partitions.collect(),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests;
