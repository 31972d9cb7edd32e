//! CreateTopics (key 19), versions 2-7.
//!
//! Each topic is created or refused on its own; a name given twice is refused. Replicas can only be on this broker.
//! `timeout_ms` is not needed: the answer comes when the topics are on stable storage.
//!
//! - 5: the answer has partition count, replication factor and settings; 7: the topic id.

use std::sync::Arc;

use bytestring::ByteString;
use protocol::{
    TopicName,
    messages::k19_create_topics::{
        CreateTopicsRequest, CreateTopicsRequestTopic, CreateTopicsResponse, CreateTopicsResponseConfig,
        CreateTopicsResponseTopic,
    },
};

use super::{
    RequestContext,
    failure::Failure,
    settle::{repeated, settle},
};
use crate::metadata::{
    Change, Image, Metadata, NewTopic, Refusal, Topic,
    topic_config::{TOPIC_CONFIGS, describe},
};

pub async fn handle(
    metadata: &Metadata,
    _cx: &RequestContext,
    request: CreateTopicsRequest,
) -> CreateTopicsResponse {
    let repeats = repeated(request.topics.iter().map(|topic| topic.name.clone()));
    let names: Vec<_> = request.topics.iter().map(|topic| topic.name.clone()).collect();
    let wanted = request.topics.into_iter().map(|topic| {
        if repeats.contains(&topic.name) {
            return Err(Failure::invalid_request("Duplicate topic name."));
        }
        Ok(Change::CreateTopic(new_topic(topic)))
    });
    let settled = settle(metadata, request.validate_only, wanted.collect()).await;
    let topics = names.into_iter().zip(settled).map(|(name, outcome)| answer(name, outcome));
    CreateTopicsResponse { topics: topics.collect(), ..Default::default() }
}

fn new_topic(topic: CreateTopicsRequestTopic) -> NewTopic {
    let assignments = topic.assignments.into_iter();
    let configs = topic.configs.into_iter();
    NewTopic {
        name: TopicName(topic.name).detached(),
        partitions: topic.num_partitions,
        replication_factor: topic.replication_factor,
        assignments: assignments.map(|given| (given.partition_index, given.broker_ids)).collect(),
        configs: configs
            .map(|config| (config.name.to_string(), config.value.map(|value| value.to_string())))
            .collect(),
    }
}

fn answer(name: ByteString, outcome: Result<Arc<Image>, Failure>) -> CreateTopicsResponseTopic {
    let unknown = || Refusal::UnknownTopic(TopicName(name.clone())).into();
    match outcome.and_then(|image| image.topic(&name).map(|topic| created(topic, &image)).ok_or_else(unknown))
    {
        Ok(created) => created,
        Err(failure) => CreateTopicsResponseTopic {
            name,
            error_code: failure.code,
            error_message: Some(failure.message),
            ..Default::default()
        },
    }
}

fn created(topic: &Topic, image: &Image) -> CreateTopicsResponseTopic {
    let configs = TOPIC_CONFIGS.iter().map(|key| {
        let described = describe(key, &topic.overrides, image.defaults());
        CreateTopicsResponseConfig {
            name: ByteString::from_static(key.name),
            value: Some(described.value.into()),
            config_source: described.source as i8,
            ..Default::default()
        }
    });
    CreateTopicsResponseTopic {
        name: topic.name.0.clone(),
        topic_id: topic.id.0,
        error_message: None,
        num_partitions: topic.partition_count(),
        replication_factor: 1,
        configs: Some(configs.collect()),
        ..Default::default()
    }
}
