//! DeleteTopics (key 20), versions 1-6.
//!
//! A topic that is named twice, in whatever way, is not deleted. Internal topics are not deleted; Kafka would, and lose every
//! group's offsets.
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
    settle::{repeated, settle},
};
use crate::metadata::{Change, Image, Metadata, Refusal};

pub async fn handle(
    metadata: &Metadata,
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
        Ok(id) => Ok(Change::DeleteTopic(*id)),
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
