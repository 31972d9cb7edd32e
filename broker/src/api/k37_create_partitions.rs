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
    gated,
    settle::{repeated, settle},
};
use crate::{
    gate::Gate,
    metadata::{Change, Metadata, NewPartitions},
};

pub async fn handle(
    metadata: &Metadata,
    gate: &dyn Gate,
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
        gated::check_change(gate, &topic.name)?;
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

#[cfg(test)]
mod tests {
    use bytestring::ByteString;
    use protocol::messages::k37_create_partitions::CreatePartitionsRequestAssignment;

    use super::*;
    use crate::{
        gate::OpenGate,
        metadata::testing::{context, over_the_wire, with_topics},
    };

    async fn ask(
        metadata: &Metadata,
        version: i16,
        request: CreatePartitionsRequest,
    ) -> CreatePartitionsResponse {
        let request = over_the_wire(&request, version);
        over_the_wire(&handle(metadata, &OpenGate, &context(version), request).await, version)
    }

    fn topic(name: &'static str, count: i32) -> CreatePartitionsRequestTopic {
        CreatePartitionsRequestTopic { name: ByteString::from_static(name), count, assignments: None }
    }

    #[tokio::test]
    async fn each_topic_has_its_result_in_every_version() {
        for version in 0..=3 {
            let metadata = with_topics(&["a", "b", "c", "d"]).await;
            let elsewhere = vec![CreatePartitionsRequestAssignment { broker_ids: vec![9] }];
            let topics = vec![
                topic("a", 3),
                topic("b", 1),
                topic("none", 3),
                topic("c", 2),
                topic("c", 3),
                CreatePartitionsRequestTopic { assignments: Some(elsewhere), ..topic("d", 2) },
            ];
            let request = CreatePartitionsRequest { topics, ..Default::default() };
            let answer = ask(&metadata, version, request).await;
            let results: Vec<_> =
                answer.results.iter().map(|result| (&*result.name, result.error_code)).collect();
            let expected = [
                ("a", ErrorCode::NONE),
                ("b", ErrorCode::INVALID_PARTITIONS),
                ("none", ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
                ("c", ErrorCode::INVALID_REQUEST),
                ("d", ErrorCode::INVALID_REPLICA_ASSIGNMENT),
            ];
            assert_eq!(results, expected);
            assert_eq!(metadata.image().topic("a").expect("there").partition_count(), 3);
            assert_eq!(metadata.image().partition_count(), 6);
        }
    }

    #[tokio::test]
    async fn validation_grows_nothing() {
        let metadata = with_topics(&["a"]).await;
        let topics = vec![topic("a", 3)];
        let request = CreatePartitionsRequest { topics, validate_only: true, ..Default::default() };
        let answer = ask(&metadata, 3, request).await;
        assert_eq!(answer.results[0].error_code, ErrorCode::NONE);
        assert_eq!(metadata.image().partition_count(), 1);
    }
}
