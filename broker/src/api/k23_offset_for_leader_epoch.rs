//! OffsetForLeaderEpoch (key 23), versions 2-4: where a leader epoch ended, so that a client can see whether the log
//! was truncated under it (KIP-320).
//!
//! The answer is the largest epoch up to the one asked for, and the offset after its last record; both -1 when the log
//! has no such epoch.

use std::sync::Arc;

use protocol::{
    ErrorCode, LeaderEpoch, Offset, PartitionId,
    messages::k23_offset_for_leader_epoch::{
        OffsetForLeaderEpochRequest, OffsetForLeaderEpochRequestPartition, OffsetForLeaderEpochResponse,
        OffsetForLeaderEpochResponseEpochEndOffset, OffsetForLeaderEpochResponseTopic,
    },
};

use crate::{
    api::{error_code, leader_epochs},
    metadata::{Image, Topic},
    partition::{FindError, Partitions, leader_epoch},
};

pub(crate) async fn handle(
    partitions: &Partitions,
    image: &Image,
    request: OffsetForLeaderEpochRequest,
) -> OffsetForLeaderEpochResponse {
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in request.topics {
        let mut answers = Vec::with_capacity(topic.partitions.len());
        for asked in topic.partitions {
            let end = epoch_end(partitions, image.topic(&topic.topic), &asked).await;
            let (epoch, offset) = end.ok().flatten().unwrap_or((LeaderEpoch::NONE, Offset::NONE));
            answers.push(OffsetForLeaderEpochResponseEpochEndOffset {
                error_code: end.err().unwrap_or_default(),
                partition: asked.partition,
                leader_epoch: epoch.0,
                end_offset: offset.0,
            });
        }
        topics.push(OffsetForLeaderEpochResponseTopic { topic: topic.topic, partitions: answers });
    }
    OffsetForLeaderEpochResponse { topics, ..Default::default() }
}

async fn epoch_end(
    partitions: &Partitions,
    topic: Option<&Arc<Topic>>,
    asked: &OffsetForLeaderEpochRequestPartition,
) -> Result<Option<(LeaderEpoch, Offset)>, ErrorCode> {
    let unknown = || error_code::of_find(&FindError::Unknown);
    let topic = topic.ok_or_else(unknown)?;
    let index = PartitionId(asked.partition);
    let current = leader_epoch(topic, index).ok_or_else(unknown)?;
    leader_epochs::check(current, LeaderEpoch(asked.current_leader_epoch))?;
    let partition = partitions.find(topic, index).await.map_err(|error| error_code::of_find(&error))?;
    let asked = LeaderEpoch(asked.leader_epoch);
    // The current epoch may have no record yet: it ends at the log's end all the same.
    let end = partition.log.epoch_end(asked);
    Ok(end.or_else(|| (asked == current).then(|| (current, partition.log.ends().log_end))))
}
