//! CreateTopics (key 19), versions 2-7.
//!
//! Each topic is created or refused on its own; a name given twice is refused. Replicas can only be on this broker.
//! A name that has its home elsewhere is refused. `timeout_ms` is not needed: the answer comes when the topics are on stable storage.
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
    gated,
    settle::{repeated, settle},
};
use crate::{
    gate::Gate,
    metadata::{
        Change, Image, Metadata, NewTopic, Refusal, Topic,
        topic_config::{TOPIC_CONFIGS, describe},
    },
};

pub async fn handle(
    metadata: &Metadata,
    gate: &dyn Gate,
    _cx: &RequestContext,
    request: CreateTopicsRequest,
) -> CreateTopicsResponse {
    let repeats = repeated(request.topics.iter().map(|topic| topic.name.clone()));
    let names: Vec<_> = request.topics.iter().map(|topic| topic.name.clone()).collect();
    let wanted = request.topics.into_iter().map(|topic| {
        if repeats.contains(&topic.name) {
            return Err(Failure::invalid_request("Duplicate topic name."));
        }
        gated::check_change(gate, &topic.name)?;
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

#[cfg(test)]
mod tests {
    use protocol::{ErrorCode, TopicId, messages::k19_create_topics::*};

    use super::*;
    use crate::{
        gate::OpenGate,
        metadata::testing::{context, over_the_wire, with_topics},
    };

    async fn ask(metadata: &Metadata, version: i16, request: CreateTopicsRequest) -> CreateTopicsResponse {
        let request = over_the_wire(&request, version);
        over_the_wire(&handle(metadata, &OpenGate, &context(version), request).await, version)
    }

    fn topic(name: &'static str, num_partitions: i32, replication_factor: i16) -> CreateTopicsRequestTopic {
        let name = ByteString::from_static(name);
        CreateTopicsRequestTopic { name, num_partitions, replication_factor, ..Default::default() }
    }

    fn request(topics: Vec<CreateTopicsRequestTopic>) -> CreateTopicsRequest {
        CreateTopicsRequest { topics, ..Default::default() }
    }

    fn retention(value: &'static str) -> Vec<CreateTopicsRequestConfig> {
        let value = Some(ByteString::from_static(value));
        vec![CreateTopicsRequestConfig { name: "retention.ms".into(), value }]
    }

    #[tokio::test]
    async fn every_version_creates_and_tells_what_it_can() {
        let metadata = with_topics(&[]).await;
        for (version, name) in (2..=7).zip(["t2", "t3", "t4", "t5", "t6", "t7"]) {
            let wanted = CreateTopicsRequestTopic { configs: retention("5"), ..topic(name, 3, 1) };
            let answer = ask(&metadata, version, request(vec![wanted])).await;
            let [created] = &answer.topics[..] else { panic!("one topic") };
            assert_eq!((created.error_code, &created.error_message), (ErrorCode::NONE, &None));
            let there = metadata.image().topic(name).cloned().expect("it is created");
            assert_eq!((there.partition_count(), there.config.retention_ms), (3, 5));
            if version >= 5 {
                assert_eq!((created.num_partitions, created.replication_factor), (3, 1));
                let configs = created.configs.as_deref().expect("they are told");
                assert_eq!(configs.len(), TOPIC_CONFIGS.len());
                let set = configs.iter().find(|config| config.name == "retention.ms").expect("listed");
                assert_eq!((set.value.as_deref(), set.config_source), (Some("5"), 1));
                let default = configs.iter().find(|config| config.name == "segment.ms").expect("listed");
                assert_eq!((default.value.as_deref(), default.config_source), (Some("604800000"), 5));
            }
            let id = TopicId(created.topic_id);
            assert_eq!(id, if version >= 7 { there.id } else { TopicId::ZERO });
        }
    }

    #[tokio::test]
    async fn each_topic_is_answered_on_its_own() {
        let metadata = with_topics(&["there"]).await;
        let assignments =
            vec![CreateTopicsRequestReplicaAssignment { partition_index: 0, broker_ids: vec![7] }];
        let elsewhere =
            CreateTopicsRequestTopic { assignments: assignments.clone(), ..topic("elsewhere", -1, -1) };
        let both = CreateTopicsRequestTopic { assignments, ..topic("both", 1, -1) };
        let bad_setting = CreateTopicsRequestTopic { configs: retention("x"), ..topic("setting", 1, 1) };
        let cases = vec![
            (topic("new", -1, -1), ErrorCode::NONE),
            (topic("there", 1, 1), ErrorCode::TOPIC_ALREADY_EXISTS),
            (topic("bad name", 1, 1), ErrorCode::INVALID_TOPIC_EXCEPTION),
            (topic("none", 0, 1), ErrorCode::INVALID_PARTITIONS),
            (topic("many", 100_001, 1), ErrorCode::INVALID_PARTITIONS),
            (topic("replicated", 1, 3), ErrorCode::INVALID_REPLICATION_FACTOR),
            (elsewhere, ErrorCode::INVALID_REPLICA_ASSIGNMENT),
            (both, ErrorCode::INVALID_REQUEST),
            (bad_setting, ErrorCode::INVALID_CONFIG),
            (topic("twice", 1, 1), ErrorCode::INVALID_REQUEST),
            (topic("twice", 1, 1), ErrorCode::INVALID_REQUEST),
            (topic("__cluster_metadata", 1, 1), ErrorCode::INVALID_REQUEST),
            (topic("__consumer_offsets", 1, 1), ErrorCode::INVALID_TOPIC_EXCEPTION),
        ];
        let (topics, expected): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
        let answer = ask(&metadata, 7, request(topics)).await;
        let codes: Vec<_> = answer.topics.iter().map(|topic| topic.error_code).collect();
        assert_eq!(codes, expected);
        assert!(answer.topics.iter().skip(1).all(|topic| topic.error_message.is_some()));
        let names: Vec<_> = metadata.image().topics().map(|topic| topic.name.to_string()).collect();
        assert_eq!(names, ["new", "there"]);
    }

    #[tokio::test]
    async fn validation_answers_like_creation_and_creates_nothing() {
        let metadata = with_topics(&[]).await;
        let topics = vec![topic("new", 4, 1), topic("none", 0, 1)];
        let only = CreateTopicsRequest { validate_only: true, ..request(topics) };
        let answer = ask(&metadata, 7, only).await;
        assert_eq!(answer.topics[0].error_code, ErrorCode::NONE);
        assert_eq!(answer.topics[0].num_partitions, 4);
        assert_eq!(answer.topics[1].error_code, ErrorCode::INVALID_PARTITIONS);
        assert_eq!(metadata.image().topic_count(), 0);
    }
}
