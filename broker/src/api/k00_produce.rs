//! Produce (key 0), versions 3-11 (topics by name; no transactions).
//!
//! [`begin`] checks every batch and queues all good ones at once, in their order; [`Pending::finish`] waits for the
//! disk. `acks=all` is answered when the batch is on stable storage (or written, with the topic's `write.caching`),
//! `acks=1` when it is written, `acks=0` never. A topic's gate is asked before, and by its log's intake at the append. One batch for each partition, format 2 only, as in Kafka's
//! `ProduceRequest.validateRecords`. Unknown topics are not created.
//!
//! 7: zstd. 8: errors for single records (KIP-467). 10: leader hints, never needed here (KIP-951). 11: transactions v2
//! hints, not used.

use std::{sync::Arc, time::Duration};

use bytes::BytesMut;
use bytestring::ByteString;

use core_log::{
    Ack, Append, AppendError, Appended, Place, Ticket,
    validate::{InvalidBatch, validate},
};
use protocol::{
    ErrorCode, PartitionId,
    framing::produce::{ProduceFrame, ProducePartition},
    messages::k00_produce::{
        ProduceResponse, ProduceResponseBatchIndexAndErrorMessage, ProduceResponsePartition,
        ProduceResponseTopic,
    },
};

use crate::{
    api::{RequestContext, error_code, failure::Failure, gated},
    gate::Gate,
    metadata::{Image, Topic},
    metrics::Metrics,
    node::Node,
    partition::{FindError, batch_rules, leader_epoch},
};

const API: &str = "Produce";
const ACKS_ALL: i16 = -1;

/// A Produce whose good batches are queued.
pub(crate) struct Pending {
    topics: Vec<(ByteString, Vec<Slot>)>,
    ticket: Ticket,
    within: Duration,
    metrics: Metrics,
    gate: Arc<dyn Gate>,
}

/// One partition of the answer: refused already, or the next append of the ticket.
struct Slot {
    index: i32,
    bytes: usize,
    refused: Option<Refused>,
}

/// Why a partition's records were not appended.
struct Refused {
    error: ErrorCode,
    message: String,
    records: Vec<i32>,
}

/// Checks and queues. Returns once the appends have their place in the order.
pub(crate) async fn begin(node: &Node, cx: &RequestContext, frame: ProduceFrame) -> Pending {
    let image = node.metadata.image();
    let mut appends = Vec::new();
    let mut topics = Vec::with_capacity(frame.topics.len());
    for topic in frame.topics {
        let known = check_request(&image, frame.acks, frame.transactional_id.is_some(), &topic.name)
            .and_then(|known| gated::check_write(&*node.gate, &topic.name).map(|()| known));
        let mut slots = Vec::with_capacity(topic.partitions.len());
        for partition in topic.partitions {
            let (index, bytes) = (partition.index, partition.records.as_ref().map_or(0, BytesMut::len));
            let append = match &known {
                Ok(topic) => prepare(node, cx.version, topic, partition).await,
                Err(failure) => Err(failure.clone().into()),
            };
            let refused = append.map(|append| appends.push(append)).err();
            slots.push(Slot { index, bytes, refused });
        }
        topics.push((topic.name, slots));
    }
    let ack = if frame.acks == ACKS_ALL { Ack::Synced } else { Ack::Written };
    let ticket = node.log_dir.submit(appends, ack).await;
    let within = Duration::from_millis(u64::try_from(frame.timeout_ms).unwrap_or(0));
    Pending { topics, ticket, within, metrics: node.metrics.clone(), gate: node.gate.clone() }
}

/// What the whole request, or a topic of it, can be refused for.
fn check_request<'a>(
    image: &'a Image,
    acks: i16,
    transactional: bool,
    name: &str,
) -> Result<&'a Arc<Topic>, Failure> {
    if !(-1..=1).contains(&acks) {
        return Err(Failure::new(ErrorCode::INVALID_REQUIRED_ACKS, "acks must be -1, 0 or 1"));
    }
    if transactional {
        return Err(Failure::new(ErrorCode::INVALID_TXN_STATE, "this broker does not serve transactions"));
    }
    let unknown = || {
        let message = "this server does not host this topic-partition";
        Failure::new(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, message)
    };
    let topic = image.topic(name).ok_or_else(unknown)?;
    if topic.internal {
        let message = "clients may not write to internal topics";
        return Err(Failure::new(ErrorCode::INVALID_TOPIC_EXCEPTION, message));
    }
    if acks == ACKS_ALL && topic.config.min_insync_replicas > 1 {
        return Err(Failure::new(
            ErrorCode::NOT_ENOUGH_REPLICAS,
            "min.insync.replicas is above the one replica there is",
        ));
    }
    Ok(topic)
}

async fn prepare(
    node: &Node,
    version: i16,
    topic: &Arc<Topic>,
    partition: ProducePartition,
) -> Result<Append, Refused> {
    let index = PartitionId(partition.index);
    let leader_epoch = leader_epoch(topic, index).ok_or_else(|| Refused::from(FindError::Unknown))?;
    let found = node.partitions.find(topic, index).await?;
    let batch = partition
        .records
        .ok_or_else(|| Refused::new(ErrorCode::INVALID_RECORD, "a partition without records"))?;
    validate(&batch, &batch_rules(topic, version), node.clock.wall_ms())?;
    Ok(Append { log: found.log.clone(), batch, place: Place::Next { leader_epoch } })
}

impl Pending {
    pub(crate) async fn finish(self) -> ProduceResponse {
        // A ticket that is given up is still appended: the client cannot know, as in Kafka.
        let mut results = tokio::time::timeout(self.within.max(Duration::from_millis(1)), self.ticket)
            .await
            .ok()
            .map(Vec::into_iter);
        let mut responses = Vec::with_capacity(self.topics.len());
        for (name, slots) in self.topics {
            let mut partition_responses = Vec::with_capacity(slots.len());
            for slot in slots {
                let result = match slot.refused {
                    Some(refused) => Err(refused),
                    None => appended(&*self.gate, &name, results.as_mut().map(Iterator::next)),
                };
                partition_responses.push(answer(&self.metrics, slot.index, slot.bytes, result));
            }
            responses.push(ProduceResponseTopic { name, partition_responses, ..Default::default() });
        }
        ProduceResponse { responses, ..Default::default() }
    }
}

fn appended(
    gate: &dyn Gate,
    topic: &str,
    result: Option<Option<Result<Appended, AppendError>>>,
) -> Result<Appended, Refused> {
    match result {
        None => Err(Refused::new(ErrorCode::REQUEST_TIMED_OUT, "the disk did not answer in time")),
        Some(None) => Err(Refused::new(ErrorCode::KAFKA_STORAGE_ERROR, "the log is closed")),
        Some(Some(Err(AppendError::NotTaken { .. }))) => Err(gated::came_too_late(gate, topic).into()),
        Some(Some(result)) => Ok(result?),
    }
}

fn answer(
    metrics: &Metrics,
    index: i32,
    bytes: usize,
    result: Result<Appended, Refused>,
) -> ProduceResponsePartition {
    match result {
        Ok(appended) => {
            if appended.duplicate {
                metrics.duplicate_batches.inc();
            } else {
                metrics.produced_batches.inc();
                metrics.produced_bytes.inc_by(bytes as u64);
            }
            ProduceResponsePartition {
                index,
                base_offset: appended.base_offset.0,
                log_append_time_ms: appended.append_time_ms,
                log_start_offset: appended.log_start.0,
                ..Default::default()
            }
        }
        Err(refused) => {
            metrics.error(API, refused.error);
            let record_errors =
                refused.records.iter().map(|batch_index| ProduceResponseBatchIndexAndErrorMessage {
                    batch_index: *batch_index,
                    batch_index_error_message: Some(ByteString::from(refused.message.as_str())),
                });
            ProduceResponsePartition {
                index,
                error_code: refused.error,
                base_offset: -1,
                record_errors: record_errors.collect(),
                error_message: Some(ByteString::from(refused.message)),
                ..Default::default()
            }
        }
    }
}

/// Whether any partition failed: with `acks=0` the client learns it from the connection being closed.
pub(crate) fn has_error(response: &ProduceResponse) -> bool {
    let mut partitions = response.responses.iter().flat_map(|topic| &topic.partition_responses);
    partitions.any(|partition| partition.error_code.is_error())
}

impl Refused {
    fn new(error: ErrorCode, message: impl Into<String>) -> Self {
        Self { error, message: message.into(), records: Vec::new() }
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self::new(failure.code, failure.message)
    }
}

impl From<FindError> for Refused {
    fn from(error: FindError) -> Self {
        Self::new(error_code::of_find(&error), error.to_string())
    }
}

impl From<AppendError> for Refused {
    fn from(error: AppendError) -> Self {
        Self::new(error_code::of_append(&error), error.to_string())
    }
}

impl From<InvalidBatch> for Refused {
    fn from(invalid: InvalidBatch) -> Self {
        let refused = Self::new(error_code::of_batch(&invalid), invalid.to_string());
        match invalid {
            InvalidBatch::RecordsWithoutKey(records) => Self { records, ..refused },
            _ => refused,
        }
    }
}
