//! What comes out of a log.

use std::{io, sync::Arc};

use bytes::Bytes;

use protocol::{LeaderEpoch, Offset, batch::BatchError};

use crate::errors::Corruption;

/// How much a read may return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLimit {
    pub max_bytes: usize,
    /// Only batches that lie wholly before it.
    pub until: Offset,
    /// The first batch comes even when it is larger than `max_bytes`.
    pub at_least_one: bool,
}

/// Whole batches, in offset order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batches {
    /// Consecutive bytes of the log; a piece holds one or more whole batches.
    pub pieces: Vec<Bytes>,
    pub bytes: usize,
    /// Where to go on reading.
    pub next_offset: Offset,
}

impl Batches {
    pub fn empty_at(next_offset: Offset) -> Self {
        Self { pieces: Vec::new(), bytes: 0, next_offset }
    }

    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("the log has offsets {log_start} to {log_end}")]
    OutOfRange { log_start: Offset, log_end: Offset },
    #[error(transparent)]
    Corrupt(#[from] Corruption),
    /// A batch's records could not be decoded for a timestamp search.
    #[error("records of the batch at offset {offset}: {error}")]
    Records { offset: Offset, error: BatchError },
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("the log is offline: {0}")]
    Offline(Arc<str>),
}

/// A record, as a timestamp search finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimestampOffset {
    pub timestamp: i64,
    pub offset: Offset,
    pub leader_epoch: LeaderEpoch,
}
