//! CreatePartitions (key 37), versions 0-3: more partitions for a topic.
//!
//! Each topic is grown or refused on its own; a name given twice is refused once. New partitions can only be on this broker.

use std::collections::HashSet;

use protocol::{
    ErrorCode, TopicName,
    messages::k37_create_partitions::{
        CreatePartitionsRequest, CreatePartitionsRequestTopic, CreatePartitionsResponse,
        CreatePartitionsResponseTopic,
    },
};

use super::{
    RequestContext,
    failure::Failure,
    settle::{repeated, settle},
};
use crate::metadata::{Change, Metadata, NewPartitions};

pub async fn handle(
    metadata: &Metadata,
    _cx: &RequestContext,
    mut request: CreatePartitionsRequest,
) -> CreatePartitionsResponse {
    let repeats = repeated(request.topics.iter().map(|topic| topic.name.clone()));
    let mut seen = HashSet::new();
    request.topics.retain(|topic| seen.insert(topic.name.clone()));
    let names: Vec<_> = request.topics.iter().map(|topic| topic.name.clone()).collect();
    let wanted = request.topics.into_iter().map(|topic| {
        if repeats.contains(&topic.name) {
            return Err(Failure::invalid_request("Duplicate topic name."));
        }
        Ok(Change::AddPartitions(growth(topic)))
    });
    let settled = settle(metadata, request.validate_only, wanted.collect()).await;
    let results = names.into_iter().zip(settled).map(|(name, outcome)| match outcome {
        Ok(_) => CreatePartitionsResponseTopic { name, error_code: ErrorCode::NONE, error_message: None },
        Err(failure) => CreatePartitionsResponseTopic {
            name,
            error_code: failure.code,
            error_message: Some(failure.message),
        },
    });
    CreatePartitionsResponse { results: results.collect(), ..Default::default() }
}

fn growth(topic: CreatePartitionsRequestTopic) -> NewPartitions {
    let replicas = topic
        .assignments
        .map(|assignments| assignments.into_iter().map(|assignment| assignment.broker_ids).collect());
    NewPartitions { topic: TopicName(topic.name), count: topic.count, assignments: replicas }
}
