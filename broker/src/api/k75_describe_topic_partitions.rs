//! DescribeTopicPartitions (key 75), version 0: topics in the order of their names, page by page.
//!
//! A page holds at most as many partitions as the client asks for, and never more than 2,000; the cursor in
//! the answer is where the next page begins. Without names, all topics are described.

use std::collections::BTreeSet;

use bytestring::ByteString;
use protocol::{
    ErrorCode,
    messages::k75_describe_topic_partitions::{
        DescribeTopicPartitionsRequest, DescribeTopicPartitionsRequestCursor,
        DescribeTopicPartitionsResponse, DescribeTopicPartitionsResponseCursor,
        DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic,
    },
};

use super::{RequestContext, authorized_operations};
use crate::metadata::{BrokerEndpoint, Metadata, PartitionState, Topic, topic_name};

/// Kafka's default of `max.request.partition.size.limit`.
const PAGE_PARTITIONS_MAX: i32 = 2_000;

pub async fn handle(
    metadata: &Metadata,
    broker: &BrokerEndpoint,
    _cx: &RequestContext,
    request: DescribeTopicPartitionsRequest,
) -> DescribeTopicPartitionsResponse {
    if !is_sound(&request) {
        return refuse(request);
    }
    let image = metadata.image();
    let from = request.cursor.as_ref().map(|cursor| cursor.topic_name.clone()).unwrap_or_default();
    let mut page = Page::new(broker, &request);
    if request.topics.is_empty() {
        for topic in image.topics_from(&from) {
            if !page.add(&topic.name.0, Some(topic)) {
                break;
            }
        }
    } else {
        let names: BTreeSet<_> = request.topics.into_iter().map(|topic| topic.name).collect();
        for name in names.range(from..) {
            if !page.add(name, image.topic(name).map(AsRef::as_ref)) {
                break;
            }
        }
    }
    DescribeTopicPartitionsResponse {
        topics: page.topics,
        next_cursor: page.next_cursor,
        ..Default::default()
    }
}

/// The cursor has to be about one of the topics that are asked for.
fn is_sound(request: &DescribeTopicPartitionsRequest) -> bool {
    let Some(cursor) = &request.cursor else { return true };
    let asked =
        request.topics.is_empty() || request.topics.iter().any(|topic| topic.name == cursor.topic_name);
    asked && cursor.partition_index >= 0
}

fn refuse(request: DescribeTopicPartitionsRequest) -> DescribeTopicPartitionsResponse {
    let topics = request.topics.into_iter().map(|topic| DescribeTopicPartitionsResponseTopic {
        error_code: ErrorCode::INVALID_REQUEST,
        name: Some(topic.name),
        ..Default::default()
    });
    DescribeTopicPartitionsResponse { topics: topics.collect(), ..Default::default() }
}

/// The answer while it fills.
struct Page<'a> {
    broker: &'a BrokerEndpoint,
    start: Option<DescribeTopicPartitionsRequestCursor>,
    room: usize,
    topics: Vec<DescribeTopicPartitionsResponseTopic>,
    next_cursor: Option<DescribeTopicPartitionsResponseCursor>,
}

impl<'a> Page<'a> {
    fn new(broker: &'a BrokerEndpoint, request: &DescribeTopicPartitionsRequest) -> Self {
        let room = request.response_partition_limit.clamp(1, PAGE_PARTITIONS_MAX);
        Self {
            broker,
            start: request.cursor.clone(),
            room: usize::try_from(room).unwrap_or(1),
            topics: Vec::new(),
            next_cursor: None,
        }
    }

    /// Adds as much of the topic as there is room for; false once the page is full and the next one known.
    fn add(&mut self, name: &ByteString, topic: Option<&Topic>) -> bool {
        if self.room == 0 {
            self.continue_at(name, 0);
            return false;
        }
        let Some(topic) = topic else {
            self.topics.push(absent(name.clone()));
            return true;
        };
        let first = match &self.start {
            Some(start) if start.topic_name == *name => usize::try_from(start.partition_index).unwrap_or(0),
            Some(_) | None => 0,
        };
        let partitions: Vec<_> = topic
            .partitions
            .iter()
            .zip(0i32..)
            .skip(first)
            .take(self.room)
            .map(|(partition, index)| describe(partition, index, self.broker))
            .collect();
        let next = first.saturating_add(partitions.len());
        self.room -= partitions.len();
        self.topics.push(DescribeTopicPartitionsResponseTopic {
            name: Some(topic.name.0.clone()),
            topic_id: topic.id.0,
            is_internal: topic.internal,
            partitions,
            topic_authorized_operations: authorized_operations::of_topic(true),
            ..Default::default()
        });
        if next < topic.partitions.len() {
            self.continue_at(name, next);
            return false;
        }
        true
    }

    fn continue_at(&mut self, topic: &ByteString, partition: usize) {
        self.next_cursor = Some(DescribeTopicPartitionsResponseCursor {
            topic_name: topic.clone(),
            partition_index: i32::try_from(partition).unwrap_or(i32::MAX),
        });
    }
}

fn absent(name: ByteString) -> DescribeTopicPartitionsResponseTopic {
    let error_code = match topic_name::check(&name) {
        Ok(()) => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        Err(_) => ErrorCode::INVALID_TOPIC_EXCEPTION,
    };
    let is_internal = topic_name::is_internal(&name);
    DescribeTopicPartitionsResponseTopic {
        error_code,
        name: Some(name),
        is_internal,
        topic_authorized_operations: authorized_operations::of_topic(true),
        ..Default::default()
    }
}

fn describe(
    partition: &PartitionState,
    index: i32,
    broker: &BrokerEndpoint,
) -> DescribeTopicPartitionsResponsePartition {
    DescribeTopicPartitionsResponsePartition {
        partition_index: index,
        leader_id: broker.id.0,
        leader_epoch: partition.leader_epoch.0,
        replica_nodes: vec![broker.id.0],
        isr_nodes: vec![broker.id.0],
        eligible_leader_replicas: Some(Vec::new()),
        last_known_elr: Some(Vec::new()),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use protocol::messages::k75_describe_topic_partitions::DescribeTopicPartitionsRequestTopic;

    use super::*;
    use crate::metadata::{
        NewTopic,
        testing::{context, endpoint, over_the_wire, with_topics},
    };

    async fn ask(
        metadata: &Metadata,
        request: DescribeTopicPartitionsRequest,
    ) -> DescribeTopicPartitionsResponse {
        let request = over_the_wire(&request, 0);
        over_the_wire(&handle(metadata, &endpoint(), &context(0), request).await, 0)
    }

    /// Topics with so many partitions each.
    async fn cluster(topics: &[(&'static str, i32)]) -> Metadata {
        let metadata = with_topics(&[]).await;
        for (name, partitions) in topics {
            let topic = NewTopic { partitions: *partitions, ..NewTopic::named(*name) };
            metadata.create_topic(topic).await.expect("the name is free");
        }
        metadata
    }

    fn request(names: &[&'static str], limit: i32) -> DescribeTopicPartitionsRequest {
        let topic =
            |name: &&'static str| DescribeTopicPartitionsRequestTopic { name: ByteString::from_static(name) };
        DescribeTopicPartitionsRequest {
            topics: names.iter().map(topic).collect(),
            response_partition_limit: limit,
            cursor: None,
        }
    }

    fn cursor(
        topic_name: &'static str,
        partition_index: i32,
    ) -> Option<DescribeTopicPartitionsRequestCursor> {
        let topic_name = ByteString::from_static(topic_name);
        Some(DescribeTopicPartitionsRequestCursor { topic_name, partition_index })
    }

    type Described = (String, ErrorCode, Vec<i32>);

    fn described(answer: &DescribeTopicPartitionsResponse) -> Vec<Described> {
        let topics = answer.topics.iter().map(|topic| {
            let indexes = topic.partitions.iter().map(|partition| partition.partition_index).collect();
            (topic.name.as_deref().unwrap_or("-").to_owned(), topic.error_code, indexes)
        });
        topics.collect()
    }

    fn next(answer: &DescribeTopicPartitionsResponse) -> Option<(&str, i32)> {
        answer.next_cursor.as_ref().map(|cursor| (&*cursor.topic_name, cursor.partition_index))
    }

    /// All pages one after the other, as a client reads them.
    async fn all_pages(metadata: &Metadata, names: &[&'static str], limit: i32) -> Vec<(String, i32)> {
        let mut asking = request(names, limit);
        let mut read = Vec::new();
        loop {
            let answer = ask(metadata, asking.clone()).await;
            let partitions: usize = answer.topics.iter().map(|topic| topic.partitions.len()).sum();
            assert!(partitions <= usize::try_from(limit).expect("positive"));
            for (name, _, indexes) in described(&answer) {
                read.extend(indexes.into_iter().map(|index| (name.clone(), index)));
            }
            let Some(next) = answer.next_cursor else { return read };
            asking.cursor = Some(DescribeTopicPartitionsRequestCursor {
                topic_name: next.topic_name,
                partition_index: next.partition_index,
            });
        }
    }

    #[tokio::test]
    async fn topics_are_sorted_and_absent_ones_are_errors() {
        let metadata = cluster(&[("b", 2), ("a", 1)]).await;
        let answer = ask(&metadata, request(&["b", "none", "a", "bad name"], 2_000)).await;
        let expected = [
            ("a".to_owned(), ErrorCode::NONE, vec![0]),
            ("b".to_owned(), ErrorCode::NONE, vec![0, 1]),
            ("bad name".to_owned(), ErrorCode::INVALID_TOPIC_EXCEPTION, vec![]),
            ("none".to_owned(), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, vec![]),
        ];
        assert_eq!(described(&answer), expected);
        assert_eq!(next(&answer), None);
        let partition = &answer.topics[1].partitions[1];
        assert_eq!((partition.leader_id, partition.leader_epoch), (1_001, 0));
        assert_eq!((&partition.replica_nodes, &partition.isr_nodes), (&vec![1_001], &vec![1_001]));
        assert_eq!(answer.topics[0].topic_authorized_operations, 3_576);
    }

    #[tokio::test]
    async fn pages_of_any_size_add_up_to_everything() {
        let metadata = cluster(&[("a", 3), ("b", 1), ("c", 4)]).await;
        let of =
            |name: &str, count| (0..count).map(move |index| (name.to_owned(), index)).collect::<Vec<_>>();
        let everything = [of("a", 3), of("b", 1), of("c", 4)].concat();
        for limit in 1..=9 {
            assert_eq!(all_pages(&metadata, &[], limit).await, everything, "limit {limit}");
            let some = all_pages(&metadata, &["c", "a"], limit).await;
            assert_eq!(some, [of("a", 3), of("c", 4)].concat(), "limit {limit}");
        }
    }

    #[tokio::test]
    async fn a_full_page_points_at_the_next_topic() {
        let metadata = cluster(&[("a", 2), ("b", 2)]).await;
        let full = ask(&metadata, request(&[], 2)).await;
        assert_eq!(described(&full), [("a".to_owned(), ErrorCode::NONE, vec![0, 1])]);
        assert_eq!(next(&full), Some(("b", 0)));
        assert_eq!(next(&ask(&metadata, request(&[], 3)).await), Some(("b", 1)));
        assert_eq!(next(&ask(&metadata, request(&[], 4)).await), None);
    }

    #[tokio::test]
    async fn limits_are_at_least_one_and_at_most_the_brokers() {
        let metadata = cluster(&[("a", 2_001)]).await;
        for (limit, expected) in [(i32::MIN, 1), (0, 1), (i32::MAX, 2_000)] {
            assert_eq!(next(&ask(&metadata, request(&[], limit)).await), Some(("a", expected)));
        }
    }

    #[tokio::test]
    async fn a_cursor_out_of_place_is_invalid() {
        let metadata = cluster(&[("a", 2), ("b", 2)]).await;
        for cursor in [cursor("b", 0), cursor("a", -1)] {
            let asking = DescribeTopicPartitionsRequest { cursor, ..request(&["a"], 10) };
            assert_eq!(
                described(&ask(&metadata, asking).await),
                [("a".to_owned(), ErrorCode::INVALID_REQUEST, vec![])]
            );
        }
        let beyond = DescribeTopicPartitionsRequest { cursor: cursor("a", i32::MAX), ..request(&[], 10) };
        let answer = ask(&metadata, beyond).await;
        assert_eq!(described(&answer)[1], ("b".to_owned(), ErrorCode::NONE, vec![0, 1]));
    }
}
