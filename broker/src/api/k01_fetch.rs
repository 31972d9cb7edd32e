//! Fetch (key 1), versions 4-18: long polls on partition watches; topic ids from 13; sessionless.
//!
//! Records are whole batches as they are stored, from the one that contains the offset asked for; the first partition
//! that has any gives at least one, whatever the limits (KIP-74). Recent batches come from memory; older ones are read
//! off the runtime's threads. A fetch that finds less than `min_bytes` waits for an append, the time `max_wait_ms`, or
//! the drain: nothing is polled. Sessions (KIP-227) are declined by answering session id 0, so clients send full
//! requests.
//!
//! 9: leader epochs are checked (KIP-320). 12: diverging epochs are told. 13: topic ids.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep_until};

use core_log::{Batches, Log, LogEnds, ReadError, ReadLimit, Waiter};
use protocol::{
    ErrorCode, LeaderEpoch, Offset, PartitionId, TopicId,
    framing::fetch::Records,
    messages::k01_fetch::{
        FetchRequest, FetchRequestPartition, FetchRequestTopic, FetchResponse, FetchResponseEpochEndOffset,
        FetchResponsePartition, FetchResponseTopic,
    },
};

use crate::{
    api::{RequestContext, error_code, leader_epochs},
    limits,
    metadata::{Image, Topic},
    node::Node,
    partition::{FindError, leader_epoch},
    serve::drain::Drain,
};

const API: &str = "Fetch";
const READ_COMMITTED: i8 = 1;

pub(crate) async fn handle(
    node: &Node,
    cx: &RequestContext,
    request: FetchRequest,
    drain: &Drain,
) -> (FetchResponse, Vec<Records>) {
    if request.session_id != 0 && request.session_epoch > 0 {
        let error_code = ErrorCode::FETCH_SESSION_ID_NOT_FOUND;
        node.metrics.error(API, error_code);
        return (FetchResponse { error_code, ..Default::default() }, Vec::new());
    }
    let wait = Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0));
    let deadline = Instant::now() + wait;
    let min_bytes = usize::try_from(request.min_bytes).unwrap_or(0);
    let max_bytes = usize::try_from(request.max_bytes).unwrap_or(0).min(limits::FETCH_BYTES_MAX);
    let committed_only = request.isolation_level == READ_COMMITTED;
    let image = node.metadata.image();
    let targets = Targets::resolve(node, &image, cx.version, request.topics).await;

    let mut round = Round::read(node, &targets, max_bytes, committed_only).await;
    if !wait.is_zero() && !round.is_enough(min_bytes) && !targets.partitions.is_empty() {
        // Watch first, then look again: an append in between wakes.
        let waiter = Waiter::new();
        let _watches: Vec<_> =
            targets.partitions.iter().filter_map(Target::log).map(|log| log.watch(&waiter)).collect();
        let mut drain = drain.clone();
        loop {
            round = Round::read(node, &targets, max_bytes, committed_only).await;
            if round.is_enough(min_bytes) || drain.has_started() || Instant::now() >= deadline {
                break;
            }
            tokio::select! {
                () = waiter.woken() => {}
                () = sleep_until(deadline) => {}
                () = drain.started() => {}
            }
        }
    }
    round.into_response(node, targets)
}

/// The partitions asked for, in the order of the request.
struct Targets {
    topics: Vec<(FetchResponseTopic, usize)>,
    partitions: Vec<Target>,
}

struct Target {
    request: FetchRequestPartition,
    found: Result<Arc<Log>, ErrorCode>,
}

impl Targets {
    async fn resolve(node: &Node, image: &Image, version: i16, requested: Vec<FetchRequestTopic>) -> Self {
        let mut targets = Self { topics: Vec::with_capacity(requested.len()), partitions: Vec::new() };
        for FetchRequestTopic { topic: name, topic_id, partitions } in requested {
            let (topic, unknown) = if version >= 13 {
                (image.topic_by_id(TopicId(topic_id)), ErrorCode::UNKNOWN_TOPIC_ID)
            } else {
                (image.topic(&name), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)
            };
            let answer = FetchResponseTopic { topic: name, topic_id, ..Default::default() };
            targets.topics.push((answer, partitions.len()));
            for request in partitions {
                let found = match topic {
                    Some(topic) => find(node, topic, &request).await,
                    None => Err(unknown),
                };
                targets.partitions.push(Target { request, found });
            }
        }
        targets
    }
}

async fn find(
    node: &Node,
    topic: &Arc<Topic>,
    request: &FetchRequestPartition,
) -> Result<Arc<Log>, ErrorCode> {
    let index = PartitionId(request.partition);
    let current = leader_epoch(topic, index).ok_or_else(|| error_code::of_find(&FindError::Unknown))?;
    leader_epochs::check(current, LeaderEpoch(request.current_leader_epoch))?;
    let partition = node.partitions.find(topic, index).await.map_err(|error| error_code::of_find(&error))?;
    Ok(partition.log.clone())
}

impl Target {
    fn log(&self) -> Option<&Arc<Log>> {
        self.found.as_ref().ok()
    }

    /// Where the fetcher's log parts from ours, if it does (KIP-595): then it gets that instead of records.
    fn divergence(&self, log: &Log) -> Option<FetchResponseEpochEndOffset> {
        let last_fetched = LeaderEpoch(self.request.last_fetched_epoch);
        if last_fetched <= LeaderEpoch::NONE {
            return None;
        }
        let (epoch, end) = log.epoch_end(last_fetched)?;
        let diverges = epoch < last_fetched || end < Offset(self.request.fetch_offset);
        diverges.then_some(FetchResponseEpochEndOffset { epoch: epoch.0, end_offset: end.0 })
    }
}

/// One look at every partition.
struct Round {
    results: Vec<Result<Found, ErrorCode>>,
    bytes: usize,
    /// Something other than records that the client should hear of at once.
    urgent: bool,
}

struct Found {
    ends: LogEnds,
    committed_only: bool,
    records: Records,
    diverging: Option<FetchResponseEpochEndOffset>,
}

impl Round {
    async fn read(node: &Node, targets: &Targets, max_bytes: usize, committed_only: bool) -> Self {
        let mut round =
            Self { results: Vec::with_capacity(targets.partitions.len()), bytes: 0, urgent: false };
        for target in &targets.partitions {
            let result = match target.log() {
                Some(log) => round.read_one(node, target, log, max_bytes, committed_only).await,
                None => Err(target.found.as_ref().err().copied().unwrap_or_default()),
            };
            match &result {
                Ok(found) => round.urgent |= found.diverging.is_some(),
                Err(_) => round.urgent = true,
            }
            round.results.push(result);
        }
        round
    }

    async fn read_one(
        &mut self,
        node: &Node,
        target: &Target,
        log: &Arc<Log>,
        max_bytes: usize,
        committed_only: bool,
    ) -> Result<Found, ErrorCode> {
        let ends = log.ends();
        let mut found =
            Found { ends, committed_only, records: Vec::new(), diverging: target.divergence(log) };
        let partition_max = usize::try_from(target.request.partition_max_bytes).unwrap_or(0);
        let room = max_bytes.saturating_sub(self.bytes).min(partition_max);
        let at_least_one = self.bytes == 0;
        if found.diverging.is_some() || (room == 0 && !at_least_one) {
            return Ok(found);
        }
        let until = if committed_only { ends.last_stable } else { ends.high_watermark };
        let limit = ReadLimit { max_bytes: room, until, at_least_one };
        let batches = read(node, log, Offset(target.request.fetch_offset), limit).await;
        let batches = batches.map_err(|error| error_code::of_read(&error))?;
        self.bytes += batches.bytes;
        found.records = batches.pieces;
        Ok(found)
    }

    fn is_enough(&self, min_bytes: usize) -> bool {
        self.urgent || self.bytes >= min_bytes
    }

    fn into_response(self, node: &Node, targets: Targets) -> (FetchResponse, Vec<Records>) {
        node.metrics.fetched_bytes.inc_by(self.bytes as u64);
        let mut all_records = Vec::with_capacity(self.results.len());
        let mut partitions = targets.partitions.iter().zip(self.results).map(|(target, result)| {
            let (partition, records) = answer(node, target.request.partition, result);
            all_records.push(records);
            partition
        });
        let responses = targets.topics.into_iter().map(|(topic, count)| {
            let partitions = partitions.by_ref().take(count).collect();
            FetchResponseTopic { partitions, ..topic }
        });
        let response = FetchResponse { responses: responses.collect(), ..Default::default() };
        (response, all_records)
    }
}

/// From memory, else from the disk on a thread that may block.
async fn read(node: &Node, log: &Arc<Log>, from: Offset, limit: ReadLimit) -> Result<Batches, ReadError> {
    if let Some(recent) = log.read_recent(from, limit) {
        return recent;
    }
    node.metrics.fetches_from_disk.inc();
    // Never closed; and a read without a permit would only be a read too many.
    let _permit = node.disk_reads.acquire().await;
    let log = log.clone();
    let reading = tokio::task::spawn_blocking(move || log.read(from, limit)).await;
    reading.unwrap_or_else(|error| Err(ReadError::Offline(error.to_string().into())))
}

fn answer(
    node: &Node,
    partition_index: i32,
    result: Result<Found, ErrorCode>,
) -> (FetchResponsePartition, Records) {
    match result {
        Ok(found) => {
            let partition = FetchResponsePartition {
                partition_index,
                high_watermark: found.ends.high_watermark.0,
                last_stable_offset: found.ends.last_stable.0,
                log_start_offset: found.ends.log_start.0,
                aborted_transactions: found.committed_only.then(Vec::new),
                diverging_epoch: found.diverging.unwrap_or_default(),
                ..Default::default()
            };
            (partition, found.records)
        }
        Err(error_code) => {
            node.metrics.error(API, error_code);
            let partition = FetchResponsePartition {
                partition_index,
                error_code,
                high_watermark: -1,
                aborted_transactions: None,
                ..Default::default()
            };
            (partition, Records::new())
        }
    }
}
