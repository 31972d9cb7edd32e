//! DeleteTopics (key 20), versions 1-6.
//!
//! A topic that is named twice, in whatever way, is not deleted. Internal topics are not deleted; Kafka would, and lose every
//! group's offsets. A topic that has its home elsewhere is deleted there.
//!
//! - 5: error messages; 6: topics by name or by id.

use std::collections::HashSet;

use bytestring::ByteString;
use protocol::{
    TopicId, TopicName,
    messages::k20_delete_topics::{
        DeleteTopicsRequest, DeleteTopicsRequestState, DeleteTopicsResponse, DeleteTopicsResponseTopic,
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
    metadata::{Change, Image, Metadata, Refusal},
};

pub async fn handle(
    metadata: &Metadata,
    gate: &dyn Gate,
    cx: &RequestContext,
    request: DeleteTopicsRequest,
) -> DeleteTopicsResponse {
    let image = metadata.image();
    let targets = targets(request, cx.version);
    let given_twice = repeated(targets.iter());
    let found: Vec<_> = targets.iter().map(|target| target.find(&image)).collect();
    let mut seen = HashSet::new();
    let distinct: Vec<_> =
        targets.iter().zip(found).filter(|(target, _)| seen.insert((*target).clone())).collect();
    let met_twice = repeated(distinct.iter().filter_map(|(_, found)| found.as_ref().ok()));
    let wanted = distinct.iter().map(|(target, found)| match found {
        _ if given_twice.contains(target) => Err(Failure::invalid_request(target.repeated())),
        Ok(id) if met_twice.contains(id) => {
            Err(Failure::invalid_request("The provided topic name maps to an ID that was already supplied."))
        }
        Ok(id) => {
            let name = image.topic_by_id(*id).map_or("", |topic| topic.name.as_str());
            gated::check_change(gate, name).map(|()| Change::DeleteTopic(*id))
        }
        Err(failure) => Err(failure.clone()),
    });
    let settled = settle(metadata, false, wanted.collect()).await;
    let answers = distinct.iter().zip(settled);
    let responses = answers.map(|((target, found), outcome)| {
        let known = found.as_ref().ok().and_then(|id| image.topic_by_id(*id));
        let (name, id) = known.map_or_else(|| target.given(), |topic| (Some(topic.name.0.clone()), topic.id));
        let (error_code, error_message) = match outcome {
            Ok(_) => Default::default(),
            Err(failure) => (failure.code, Some(failure.message)),
        };
        DeleteTopicsResponseTopic { name, topic_id: id.0, error_code, error_message }
    });
    DeleteTopicsResponse { responses: responses.collect(), ..Default::default() }
}

/// How a request names a topic.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Target {
    Name(ByteString),
    Id(TopicId),
    Both(ByteString, TopicId),
    Neither,
}

fn targets(request: DeleteTopicsRequest, version: i16) -> Vec<Target> {
    if version < 6 {
        return request.topic_names.into_iter().map(Target::Name).collect();
    }
    let target = |topic: DeleteTopicsRequestState| match (topic.name, TopicId(topic.topic_id)) {
        (Some(name), TopicId::ZERO) => Target::Name(name),
        (Some(name), id) => Target::Both(name, id),
        (None, TopicId::ZERO) => Target::Neither,
        (None, id) => Target::Id(id),
    };
    request.topics.into_iter().map(target).collect()
}

impl Target {
    fn find(&self, image: &Image) -> Result<TopicId, Failure> {
        match self {
            Self::Name(name) => match image.topic(name) {
                Some(topic) => Ok(topic.id),
                None => Err(Refusal::UnknownTopic(TopicName(name.clone())).into()),
            },
            Self::Id(id) => image
                .topic_by_id(*id)
                .map(|topic| topic.id)
                .ok_or_else(|| Refusal::UnknownTopicId(*id).into()),
            Self::Both(..) => {
                Err(Failure::invalid_request("You may not specify both topic name and topic id."))
            }
            Self::Neither => Err(Failure::invalid_request("Neither topic name nor id were specified.")),
        }
    }

    fn repeated(&self) -> &'static str {
        match self {
            Self::Id(_) => "Duplicate topic id.",
            Self::Name(_) | Self::Both(..) | Self::Neither => "Duplicate topic name.",
        }
    }

    fn given(&self) -> (Option<ByteString>, TopicId) {
        match self {
            Self::Name(name) => (Some(name.clone()), TopicId::ZERO),
            Self::Id(id) => (None, *id),
            Self::Both(name, id) => (Some(name.clone()), *id),
            Self::Neither => (None, TopicId::ZERO),
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::{ErrorCode, Uuid};

    use super::*;
    use crate::{
        gate::OpenGate,
        metadata::{
            InternalTopic,
            testing::{context, over_the_wire, with_topics},
        },
    };

    async fn ask(metadata: &Metadata, version: i16, request: DeleteTopicsRequest) -> DeleteTopicsResponse {
        let request = over_the_wire(&request, version);
        over_the_wire(&handle(metadata, &OpenGate, &context(version), request).await, version)
    }

    fn by_names(names: &[&'static str]) -> DeleteTopicsRequest {
        let topic_names = names.iter().map(|name| ByteString::from_static(name)).collect();
        DeleteTopicsRequest { topic_names, ..Default::default() }
    }

    fn target(name: Option<&'static str>, topic_id: Uuid) -> DeleteTopicsRequestState {
        DeleteTopicsRequestState { name: name.map(ByteString::from_static), topic_id }
    }

    fn codes(response: &DeleteTopicsResponse) -> Vec<(Option<&str>, ErrorCode)> {
        response.responses.iter().map(|topic| (topic.name.as_deref(), topic.error_code)).collect()
    }

    #[tokio::test]
    async fn every_older_version_deletes_by_name() {
        for version in 1..=5 {
            let metadata = with_topics(&["a", "b"]).await;
            let answer = ask(&metadata, version, by_names(&["b", "none"])).await;
            let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
            assert_eq!(codes(&answer), [(Some("b"), ErrorCode::NONE), (Some("none"), unknown)]);
            assert_eq!(answer.responses[1].error_message.is_some(), version >= 5);
            assert_eq!(metadata.image().topic_count(), 1);
        }
    }

    #[tokio::test]
    async fn a_name_given_twice_is_refused_once() {
        let metadata = with_topics(&["a"]).await;
        let answer = ask(&metadata, 5, by_names(&["a", "a"])).await;
        assert_eq!(codes(&answer), [(Some("a"), ErrorCode::INVALID_REQUEST)]);
        assert_eq!(metadata.image().topic_count(), 1);
    }

    #[tokio::test]
    async fn names_and_ids_may_be_mixed_but_must_not_meet() {
        let metadata = with_topics(&["a", "b", "c", "d"]).await;
        let id = |name: &str| metadata.image().topic(name).expect("there").id.0;
        let topics = vec![
            target(Some("a"), Uuid::nil()),
            target(None, id("b")),
            target(Some("c"), Uuid::nil()),
            target(None, id("c")),
            target(Some("d"), id("d")),
            target(None, Uuid::nil()),
            target(None, Uuid::from_u128(99)),
        ];
        let answer = ask(&metadata, 6, DeleteTopicsRequest { topics, ..Default::default() }).await;
        let invalid = ErrorCode::INVALID_REQUEST;
        let expected = [
            (Some("a"), ErrorCode::NONE),
            (Some("b"), ErrorCode::NONE),
            (Some("c"), invalid),
            (Some("c"), invalid),
            (Some("d"), invalid),
            (None, invalid),
            (None, ErrorCode::UNKNOWN_TOPIC_ID),
        ];
        assert_eq!(codes(&answer), expected);
        let names: Vec<_> = metadata.image().topics().map(|topic| topic.name.to_string()).collect();
        assert_eq!(names, ["c", "d"]);
    }

    #[tokio::test]
    async fn internal_topics_stay() {
        let metadata = with_topics(&[]).await;
        let wanted = InternalTopic::ConsumerOffsets { partitions: 5 };
        metadata.ensure_internal_topic(wanted).await.expect("it is made");
        let answer = ask(&metadata, 5, by_names(&["__consumer_offsets"])).await;
        assert_eq!(codes(&answer), [(Some("__consumer_offsets"), ErrorCode::INVALID_TOPIC_EXCEPTION)]);
        assert_eq!(metadata.image().topic_count(), 1);
    }
}
