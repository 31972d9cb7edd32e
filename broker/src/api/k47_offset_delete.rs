//! OffsetDelete (key 47), version 0: forget a group's offsets of some partitions.
//!
//! A consumer group may have members: only topics that they do not subscribe to can be deleted then. Other kinds of
//! groups must be empty. A partition that has no offset is no error, one that does not exist is.

use protocol::{
    ErrorCode, GroupId, PartitionId, TopicName,
    messages::k47_offset_delete::{
        OffsetDeleteRequest, OffsetDeleteRequestTopic, OffsetDeleteResponse, OffsetDeleteResponsePartition,
        OffsetDeleteResponseTopic,
    },
};

use super::RequestContext;
use crate::coordinator::group::{Groups, TopicDirectory};

pub async fn handle(
    groups: &Groups,
    topics: &dyn TopicDirectory,
    _: &RequestContext,
    request: OffsetDeleteRequest,
) -> OffsetDeleteResponse {
    let there = |topic: &OffsetDeleteRequestTopic, partition: i32| {
        topics.partitions(&topic.name).is_some_and(|count| (0..count).contains(&partition))
    };
    let mut partitions = Vec::new();
    for topic in &request.topics {
        let name = TopicName(topic.name.clone());
        let known = topic.partitions.iter().map(|partition| partition.partition_index);
        let known = known.filter(|partition| there(topic, *partition));
        partitions.extend(known.map(|partition| (name.clone(), PartitionId(partition))));
    }
    let codes = match groups.delete_offsets(&GroupId(request.group_id), partitions).await {
        Err(error_code) => return OffsetDeleteResponse { error_code, ..Default::default() },
        Ok(codes) => codes,
    };
    let mut codes = codes.into_iter();
    let mut code_of = |topic: &OffsetDeleteRequestTopic, partition: i32| {
        if there(topic, partition) {
            codes.next().unwrap_or(ErrorCode::UNKNOWN_SERVER_ERROR)
        } else {
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
        }
    };
    let mut answered = Vec::with_capacity(request.topics.len());
    for topic in &request.topics {
        let partitions = topic.partitions.iter().map(|partition| OffsetDeleteResponsePartition {
            partition_index: partition.partition_index,
            error_code: code_of(topic, partition.partition_index),
        });
        answered
            .push(OffsetDeleteResponseTopic { name: topic.name.clone(), partitions: partitions.collect() });
    }
    OffsetDeleteResponse { topics: answered, ..Default::default() }
}
