//! DescribeTopicPartitions (key 75), version 0: topics in the order of their names, page by page.
//!
//! A page holds at most as many partitions as the client asks for, and never more than [`PAGE_PARTITIONS_MAX`]; the cursor in
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
    DescribeTopicPartitionsResponseTopic { error_code, name: Some(name), is_internal, ..Default::default() }
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
