//! Blocks into a replica's log: unpacked off the link's thread, appended as they are, durable before they are acked.

use std::sync::Arc;

use bytes::BytesMut;

use core_log::{AppendError, Appended};
use protocol::Offset;

use crate::{
    driver::{kit::Kit, metrics::LinkMetrics, workers::Workers},
    link::{
        block::{Block, BlockError, UnpackRules, Unpacker},
        receiver::{Apply, ApplyFailure, Stall},
    },
    ports::{Arrival, SinkPartition},
    stop::StopReason,
};

/// Less is unpacked in the time that handing it over takes.
const INLINE_BYTES: usize = 32 << 10;

/// What applies blocks.
#[derive(Clone)]
pub(crate) struct Applier {
    pub(crate) unpackers: Arc<Kit<Unpacker>>,
    pub(crate) workers: Workers,
    pub(crate) metrics: Arc<LinkMetrics>,
}

/// How far an apply got, and why not further.
pub(super) struct Outcome {
    /// All source records before it are in the log.
    pub(super) end: Offset,
    pub(super) result: Result<(), ApplyFailure>,
}

impl Applier {
    /// Appends to a replica.
    pub(super) async fn replicate(&self, sink: &dyn SinkPartition, apply: Apply) -> Outcome {
        let (from, until) = (apply.rules.from, end_of(&apply));
        let batches = match self.unpack(apply.blocks, apply.rules).await {
            Ok(batches) => batches,
            Err(failure) => return Outcome { end: from, result: Err(failure) },
        };
        if batches.is_empty() {
            return Outcome { end: until, result: Ok(()) };
        }
        let bytes = batches.iter().map(BytesMut::len).sum();
        let settled = sink.append(batches, Arrival::Replica).await.await;
        let end = settled
            .iter()
            .map_while(|outcome| outcome.as_ref().ok())
            .last()
            .map(|done| done.last_offset.plus(1));
        match self.result(settled, bytes) {
            // A trailing gap of a compacted log is part of the last block.
            Ok(()) => Outcome { end: until, result: Ok(()) },
            Err(failure) => Outcome { end: end.unwrap_or(from), result: Err(failure) },
        }
    }

    /// The checked batches of the blocks.
    pub(super) async fn unpack(
        &self,
        blocks: Vec<Block>,
        rules: UnpackRules,
    ) -> Result<Vec<BytesMut>, ApplyFailure> {
        let bytes: usize = blocks.iter().map(|block| block.header.unpacked_bytes as usize).sum();
        let unpackers = Arc::clone(&self.unpackers);
        let at = rules.from;
        let job = move || unpackers.with(|unpacker| unpacker.unpack(&blocks, rules));
        let unpacked = if bytes <= INLINE_BYTES { Ok(job()) } else { self.workers.run(job).await };
        match unpacked {
            Ok(Ok(Ok(batches))) => Ok(batches),
            Ok(Ok(Err(error))) => Err(stop(&error, at)),
            Ok(Err(error)) => Err(refused(&error)),
            Err(error) => Err(refused(&error)),
        }
    }

    /// What to make of appends' outcomes.
    pub(super) fn result(
        &self,
        settled: Vec<Result<Appended, AppendError>>,
        bytes: usize,
    ) -> Result<(), ApplyFailure> {
        let batches = settled.len() as u64;
        for outcome in settled {
            if let Err(error) = outcome {
                self.metrics.applies_failed.one();
                return Err(failure(error));
            }
        }
        self.metrics.batches_applied.add(batches);
        self.metrics.bytes_applied.add(bytes as u64);
        Ok(())
    }
}

/// Where the blocks end.
pub(super) fn end_of(apply: &Apply) -> Offset {
    apply.blocks.last().map_or(apply.rules.from, |block| block.header.next_offset())
}

fn stop(error: &BlockError, at: Offset) -> ApplyFailure {
    ApplyFailure::Stop(error.stop_reason(at))
}

fn refused(error: &dyn std::fmt::Display) -> ApplyFailure {
    ApplyFailure::Stop(StopReason::TargetRefused { what: error.to_string() })
}

fn failure(error: AppendError) -> ApplyFailure {
    match error {
        AppendError::NoSpace => ApplyFailure::Wait(Stall::NoSpace),
        AppendError::NotTaken { .. } => ApplyFailure::Wait(Stall::Closed),
        AppendError::Offline(what) => {
            ApplyFailure::Stop(StopReason::TargetOffline { what: what.to_string() })
        }
        AppendError::Closed => ApplyFailure::Stop(StopReason::TargetOffline { what: error.to_string() }),
        AppendError::OutOfOrderSequence { .. }
        | AppendError::StaleProducerEpoch { .. }
        | AppendError::OpenTransaction { .. }
        | AppendError::LowerLeaderEpoch { .. }
        | AppendError::NotAfterEnd { .. }
        | AppendError::LargerThanSegment { .. }
        | AppendError::InvalidBatch(_) => refused(&error),
    }
}
