//! DeleteRecords (key 21), versions 0-2: moves a partition's log start.
//!
//! Offset -1 means the high watermark; beyond it is OFFSET_OUT_OF_RANGE; below the log start changes nothing. The new
//! log start is on stable storage before the answer. Topics that only compact refuse with POLICY_VIOLATION, internal
//! ones with INVALID_TOPIC_EXCEPTION, as in Kafka's `ReplicaManager.deleteRecordsOnLocalLog`. The gate says who may delete, as for a Produce.

use std::sync::Arc;

use protocol::{
    ErrorCode, Offset, PartitionId,
    messages::k21_delete_records::{
        DeleteRecordsRequest, DeleteRecordsRequestPartition, DeleteRecordsResponse,
        DeleteRecordsResponsePartition, DeleteRecordsResponseTopic,
    },
};

use crate::{
    api::{error_code, gated},
    gate::Gate,
    metadata::{Image, Topic},
    partition::{FindError, Partitions},
};

pub(crate) async fn handle(
    partitions: &Partitions,
    gate: &dyn Gate,
    image: &Image,
    request: DeleteRecordsRequest,
) -> DeleteRecordsResponse {
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in request.topics {
        let mut answers = Vec::with_capacity(topic.partitions.len());
        for asked in topic.partitions {
            let deleted = delete(partitions, gate, image.topic(&topic.name), &asked).await;
            answers.push(DeleteRecordsResponsePartition {
                partition_index: asked.partition_index,
                low_watermark: deleted.as_ref().map_or(-1, |low| low.0),
                error_code: deleted.err().unwrap_or_default(),
            });
        }
        topics.push(DeleteRecordsResponseTopic { name: topic.name, partitions: answers });
    }
    DeleteRecordsResponse { topics, ..Default::default() }
}

async fn delete(
    partitions: &Partitions,
    gate: &dyn Gate,
    topic: Option<&Arc<Topic>>,
    asked: &DeleteRecordsRequestPartition,
) -> Result<Offset, ErrorCode> {
    let topic = topic.ok_or_else(|| error_code::of_find(&FindError::Unknown))?;
    if topic.internal {
        return Err(ErrorCode::INVALID_TOPIC_EXCEPTION);
    }
    gated::check_deletion(gate, topic.name.as_str())?;
    if !topic.config.delete {
        return Err(ErrorCode::POLICY_VIOLATION);
    }
    let found = partitions.find(topic, PartitionId(asked.partition_index)).await;
    let partition = found.map_err(|error| error_code::of_find(&error))?;
    let high_watermark = partition.log.ends().high_watermark;
    let until = if asked.offset == -1 { high_watermark } else { Offset(asked.offset) };
    if until < Offset::ZERO || until > high_watermark {
        return Err(ErrorCode::OFFSET_OUT_OF_RANGE);
    }
    partition.log.advance_start(until).await.map_err(|error| error_code::of_change(&error))
}
