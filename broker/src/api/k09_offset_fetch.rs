//! OffsetFetch (key 9), versions 1 to 10: where groups go on reading.
//!
//! Only durable offsets are told; a partition without one gets -1 and no error. Since there are no transactional commits,
//! every offset is stable and `require_stable` changes nothing. A topic that no longer exists keeps its offsets until
//! they are deleted, and they are told by name.
//!
//! * 2: null topics ask for all; an error code for the whole answer (before: in every partition).
//! * 8: several groups at once. 10: topics by id.

use std::sync::Arc;

use protocol::{
    ErrorCode, GroupId, PartitionId, TopicId, TopicName, Uuid,
    messages::k09_offset_fetch::{
        OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestGroupTopic, OffsetFetchResponse,
        OffsetFetchResponseGroup, OffsetFetchResponseGroupPartition, OffsetFetchResponseGroupTopic,
        OffsetFetchResponsePartition, OffsetFetchResponseTopic,
    },
};

use super::RequestContext;
use crate::coordinator::group::{CommittedOffset, Groups, OffsetsByTopic, TopicDirectory};

pub async fn handle(
    groups: &Groups,
    topics: &dyn TopicDirectory,
    cx: &RequestContext,
    request: OffsetFetchRequest,
) -> OffsetFetchResponse {
    if cx.version < 8 {
        return fetch_one(groups, topics, cx, request).await;
    }
    let mut answered = Vec::with_capacity(request.groups.len());
    for group in &request.groups {
        answered.push(fetch(groups, topics, cx, group).await);
    }
    OffsetFetchResponse { groups: answered, ..Default::default() }
}

/// The old form: one group, asked and answered in the form of the new one.
async fn fetch_one(
    groups: &Groups,
    topics: &dyn TopicDirectory,
    cx: &RequestContext,
    request: OffsetFetchRequest,
) -> OffsetFetchResponse {
    let asked = request.topics.map(|topics| {
        let topic = topics.into_iter().map(|topic| OffsetFetchRequestGroupTopic {
            name: topic.name,
            partition_indexes: topic.partition_indexes,
            ..Default::default()
        });
        topic.collect()
    });
    let group = OffsetFetchRequestGroup { group_id: request.group_id, topics: asked, ..Default::default() };
    let mut answer = fetch(groups, topics, cx, &group).await;
    if cx.version < 2 && answer.error_code.is_error() {
        let asked = group.topics.iter().flatten();
        answer.topics = asked.map(|topic| failed(topic, answer.error_code)).collect();
    }
    OffsetFetchResponse {
        topics: answer.topics.into_iter().map(old_form).collect(),
        error_code: answer.error_code,
        ..Default::default()
    }
}

async fn fetch(
    groups: &Groups,
    topics: &dyn TopicDirectory,
    cx: &RequestContext,
    group: &OffsetFetchRequestGroup,
) -> OffsetFetchResponseGroup {
    let answer = OffsetFetchResponseGroup { group_id: group.group_id.clone(), ..Default::default() };
    match groups.committed_offsets(&GroupId(group.group_id.clone())).await {
        Err(error_code) => OffsetFetchResponseGroup { error_code, ..answer },
        Ok(offsets) => {
            let by_id = cx.version >= 10;
            let told = match &group.topics {
                None => all(topics, by_id, &offsets),
                Some(asked) => asked.iter().map(|topic| some(topics, by_id, &offsets, topic)).collect(),
            };
            OffsetFetchResponseGroup { topics: told, ..answer }
        }
    }
}

/// Every topic with an offset; by id only those that still have one.
fn all(
    topics: &dyn TopicDirectory,
    by_id: bool,
    offsets: &Arc<OffsetsByTopic>,
) -> Vec<OffsetFetchResponseGroupTopic> {
    let mut told = Vec::with_capacity(offsets.len());
    for (name, partitions) in offsets.iter() {
        let id = topics.id_of(name.as_str());
        if by_id && id.is_none() {
            continue;
        }
        let partitions = partitions.iter().map(|(partition, offset)| tell(partition.0, Some(offset)));
        told.push(OffsetFetchResponseGroupTopic {
            name: name.0.clone(),
            topic_id: id.map_or(Uuid::nil(), |id| id.0),
            partitions: partitions.collect(),
        });
    }
    told
}

fn some(
    topics: &dyn TopicDirectory,
    by_id: bool,
    offsets: &Arc<OffsetsByTopic>,
    asked: &OffsetFetchRequestGroupTopic,
) -> OffsetFetchResponseGroupTopic {
    let name = if by_id {
        match topics.name_of(TopicId(asked.topic_id)) {
            Some(name) => name,
            None => return failed(asked, ErrorCode::UNKNOWN_TOPIC_ID),
        }
    } else {
        TopicName(asked.name.clone())
    };
    let stored = offsets.get(&name);
    let partitions = asked.partition_indexes.iter().map(|partition| {
        tell(*partition, stored.and_then(|partitions| partitions.get(&PartitionId(*partition))))
    });
    OffsetFetchResponseGroupTopic {
        name: name.0.clone(),
        topic_id: asked.topic_id,
        partitions: partitions.collect(),
    }
}

fn tell(partition_index: i32, offset: Option<&CommittedOffset>) -> OffsetFetchResponseGroupPartition {
    let none =
        OffsetFetchResponseGroupPartition { partition_index, committed_offset: -1, ..Default::default() };
    offset.map_or(none.clone(), |offset| OffsetFetchResponseGroupPartition {
        committed_offset: offset.offset.0,
        committed_leader_epoch: offset.leader_epoch.0,
        metadata: Some(offset.metadata.clone()),
        ..none
    })
}

fn failed(asked: &OffsetFetchRequestGroupTopic, error_code: ErrorCode) -> OffsetFetchResponseGroupTopic {
    let partitions = asked
        .partition_indexes
        .iter()
        .map(|partition| OffsetFetchResponseGroupPartition { error_code, ..tell(*partition, None) });
    OffsetFetchResponseGroupTopic {
        name: asked.name.clone(),
        topic_id: asked.topic_id,
        partitions: partitions.collect(),
    }
}

fn old_form(topic: OffsetFetchResponseGroupTopic) -> OffsetFetchResponseTopic {
    let partitions = topic.partitions.into_iter().map(|partition| OffsetFetchResponsePartition {
        partition_index: partition.partition_index,
        committed_offset: partition.committed_offset,
        committed_leader_epoch: partition.committed_leader_epoch,
        metadata: partition.metadata,
        error_code: partition.error_code,
    });
    OffsetFetchResponseTopic { name: topic.name, partitions: partitions.collect() }
}
