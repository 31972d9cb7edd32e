//! OffsetCommit (key 8), versions 2 to 10: a group's next offsets to read.
//!
//! Offsets of topics or partitions that do not exist are refused one by one; the rest is committed together, durably,
//! before the answer. Null metadata is kept as empty, as Kafka keeps it.
//!
//! * 2 to 4: a retention of the client's own.
//! * 6: leader epochs. 7: static members.
//! * 9: a group that does not exist is GROUP_ID_NOT_FOUND (before: ILLEGAL_GENERATION).
//! * 10: topics by id.

use protocol::{
    ErrorCode, GenerationId, GroupId, LeaderEpoch, MemberId, Offset, PartitionId, TopicId, TopicName,
    messages::k08_offset_commit::{
        OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic, OffsetCommitResponse,
        OffsetCommitResponsePartition, OffsetCommitResponseTopic,
    },
};

use super::RequestContext;
use crate::coordinator::group::{
    Author, Commit, Groups, Identity, InstanceId, OffsetToCommit, TopicDirectory,
};

pub async fn handle(
    groups: &Groups,
    topics: &dyn TopicDirectory,
    cx: &RequestContext,
    request: OffsetCommitRequest,
) -> OffsetCommitResponse {
    let named: Vec<_> = request.topics.iter().map(|topic| name_of(topics, cx, topic)).collect();
    let mut offsets = Vec::new();
    for (topic, name) in request.topics.iter().zip(&named) {
        let Ok((name, count)) = name else { continue };
        let there = topic.partitions.iter().filter(|partition| exists(*count, partition));
        offsets.extend(there.map(|partition| offset_of(name, partition)));
    }
    let codes = if offsets.is_empty() {
        Ok(Vec::new())
    } else {
        groups.commit(&GroupId(request.group_id.clone()), commit_of(cx, &request, offsets)).await
    };
    let mut codes = Codes(codes.map(Vec::into_iter));
    let answered = request.topics.iter().zip(named).map(|(topic, name)| OffsetCommitResponseTopic {
        name: topic.name.clone(),
        topic_id: topic.topic_id,
        partitions: answer(topic, name.map(|(_, count)| count), &mut codes),
    });
    OffsetCommitResponse { topics: answered.collect(), ..Default::default() }
}

/// The topic's name and how many partitions it has.
fn name_of(
    topics: &dyn TopicDirectory,
    cx: &RequestContext,
    topic: &OffsetCommitRequestTopic,
) -> Result<(TopicName, i32), ErrorCode> {
    let by_id = cx.version >= 10;
    let missing = if by_id { ErrorCode::UNKNOWN_TOPIC_ID } else { ErrorCode::UNKNOWN_TOPIC_OR_PARTITION };
    let name = if by_id {
        topics.name_of(TopicId(topic.topic_id)).ok_or(missing)?
    } else {
        TopicName(topic.name.clone())
    };
    let count = topics.partitions(name.as_str()).ok_or(missing)?;
    Ok((name, count))
}

fn exists(count: i32, partition: &OffsetCommitRequestPartition) -> bool {
    (0..count).contains(&partition.partition_index)
}

fn offset_of(name: &TopicName, partition: &OffsetCommitRequestPartition) -> OffsetToCommit {
    OffsetToCommit {
        topic: name.clone(),
        partition: PartitionId(partition.partition_index),
        offset: Offset(partition.committed_offset),
        leader_epoch: LeaderEpoch(partition.committed_leader_epoch),
        metadata: partition.committed_metadata.clone().unwrap_or_default(),
    }
}

fn commit_of(cx: &RequestContext, request: &OffsetCommitRequest, offsets: Vec<OffsetToCommit>) -> Commit {
    let who = Identity {
        member_id: MemberId(request.member_id.clone()),
        instance_id: request.group_instance_id.clone().map(InstanceId),
    };
    let generation = GenerationId(request.generation_id_or_member_epoch);
    let missing_group =
        if cx.version >= 9 { ErrorCode::GROUP_ID_NOT_FOUND } else { ErrorCode::ILLEGAL_GENERATION };
    let author = Author::Client { who, generation, missing_group };
    Commit { author, retention_ms: request.retention_time_ms, offsets }
}

/// The coordinator's codes, in the order in which offsets were handed to it.
struct Codes(Result<std::vec::IntoIter<ErrorCode>, ErrorCode>);

impl Codes {
    fn next(&mut self) -> ErrorCode {
        match &mut self.0 {
            Ok(codes) => codes.next().unwrap_or(ErrorCode::UNKNOWN_SERVER_ERROR),
            Err(error) => *error,
        }
    }
}

fn answer(
    topic: &OffsetCommitRequestTopic,
    count: Result<i32, ErrorCode>,
    codes: &mut Codes,
) -> Vec<OffsetCommitResponsePartition> {
    let answer = |partition: &OffsetCommitRequestPartition| OffsetCommitResponsePartition {
        partition_index: partition.partition_index,
        error_code: match count {
            Err(missing) => missing,
            Ok(count) if exists(count, partition) => codes.next(),
            Ok(_) => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        },
    };
    topic.partitions.iter().map(answer).collect()
}
