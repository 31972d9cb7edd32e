//! What goes into a log and what comes back.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::BytesMut;
use tokio::sync::oneshot;

use protocol::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Sequence, batch::BatchError};

use crate::{Intake, log::Log};

/// One batch for one log.
#[derive(Debug)]
pub struct Append {
    pub log: Arc<Log>,
    /// One whole batch, validated by the caller (`validate`). Its buffer becomes the stored one.
    pub batch: BytesMut,
    pub place: Place,
}

/// Where a batch goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// At the log end, under this epoch: as leader.
    Next { leader_epoch: LeaderEpoch },
    /// Where its header says, under the epoch its header says: as replica. May leave a gap, never goes backward. Producers'
    /// sequences are as the original took them.
    AsGiven,
    /// At the log end, under this epoch, for records that were accepted elsewhere: the sequence is not checked, nothing is a
    /// duplicate, timestamps and size are the original's business.
    Relayed { leader_epoch: LeaderEpoch },
}

/// What completes a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ack {
    /// The batch is in the file; a power cut may take it.
    Written,
    /// The batch survives a power cut (where the log's config says sync).
    Synced,
}

/// Where a batch went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    pub base_offset: Offset,
    pub last_offset: Offset,
    /// -1 unless the log stamps append time.
    pub append_time_ms: i64,
    pub log_start: Offset,
    /// The producer sent this batch before; the offsets are those of then, and nothing was appended.
    pub duplicate: bool,
}

/// Why a batch was not appended, or is not known to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    #[error("producer {producer_id} sent sequence {sequence} where {expected} was next")]
    OutOfOrderSequence { producer_id: ProducerId, sequence: Sequence, expected: Sequence },
    #[error("producer {producer_id} sent epoch {epoch} but {current} is current")]
    StaleProducerEpoch { producer_id: ProducerId, epoch: ProducerEpoch, current: ProducerEpoch },
    #[error("producer {producer_id} sent a plain batch into its transaction, open since offset {since}")]
    OpenTransaction { producer_id: ProducerId, since: Offset },
    #[error("leader epoch {epoch} is below the log's {latest}")]
    LowerLeaderEpoch { epoch: LeaderEpoch, latest: LeaderEpoch },
    #[error("base offset {base_offset} is before the log end {log_end}")]
    NotAfterEnd { base_offset: Offset, log_end: Offset },
    /// The log's [`Intake`] does not take batches for this place; nothing was appended.
    #[error("the log takes batches from {intake}")]
    NotTaken { intake: Intake },
    #[error("the batch has {size} bytes, a segment at most {segment_bytes}")]
    LargerThanSegment { size: usize, segment_bytes: u64 },
    #[error(transparent)]
    InvalidBatch(#[from] BatchError),
    /// The log takes and gives nothing until a restart. The batch may or may not survive it.
    #[error("the log is offline: {0}")]
    Offline(Arc<str>),
    /// Nothing was appended; try again when the disk has room.
    #[error("no space left for the log")]
    NoSpace,
    #[error("the log directory is closed")]
    Closed,
}

pub(crate) type Outcome = Result<Appended, AppendError>;

/// The answers to one submit: one per append, in order.
#[derive(Debug)]
#[must_use = "a ticket is the only way to learn what became of the appends"]
pub struct Ticket {
    answer: oneshot::Receiver<Vec<Outcome>>,
    appends: usize,
}

impl Ticket {
    pub(crate) fn new(appends: usize) -> (oneshot::Sender<Vec<Outcome>>, Self) {
        let (sender, answer) = oneshot::channel();
        (sender, Self { answer, appends })
    }

    /// Waits off the runtime.
    pub fn wait(self) -> Vec<Outcome> {
        let appends = self.appends;
        self.answer.blocking_recv().unwrap_or_else(|_| closed(appends))
    }
}

impl Future for Ticket {
    type Output = Vec<Outcome>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let appends = self.appends;
        Pin::new(&mut self.answer).poll(cx).map(|answer| answer.unwrap_or_else(|_| closed(appends)))
    }
}

fn closed(appends: usize) -> Vec<Outcome> {
    vec![Err(AppendError::Closed); appends]
}
