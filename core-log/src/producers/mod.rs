//! What a partition knows of its idempotent and transactional producers (KIP-98).
//!
//! ```text
//!   batch header -> check  -> new, or a duplicate, or refused    before the append
//!                -> record -> the state the next check sees      after offsets are assigned; also on replay
//! ```
//!
//! Promises:
//! 1. A batch that equals one of its producer's last five (epoch, first and last sequence) is a duplicate and
//!    answered with the offsets of then.
//! 2. Other batches continue their producer's sequence, which wraps from `i32::MAX` to 0; a newer epoch starts at 0;
//!    an older one is fenced. A producer of whom nothing is known may start anywhere: its state may have expired.
//! 3. Recording the batches of a log in order gives the same state, whoever appended them: snapshots
//!    ([`Producers::to_snapshot`]) only shorten the replay.
//! 4. [`Producers::last_stable`] never passes a transaction whose outcome is open, or is not yet visible.
//!
//! Pure: no clock, no files. The rules are those of Kafka's `ProducerAppendInfo` and `ProducerStateManager`.

mod marker;
mod snapshot;
mod state;

#[cfg(test)]
mod model_test;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use protocol::{Offset, ProducerEpoch, ProducerId, Sequence, batch::BatchHeader};

use self::state::Producer;
pub use self::{
    marker::{Decision, EndMarker},
    snapshot::SnapshotError,
};

/// The producers of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Producers {
    producers: BTreeMap<ProducerId, Producer>,
    /// Transactions without an end marker, by their first offset.
    open: BTreeSet<(Offset, ProducerId)>,
    /// Ended transactions whose marker may lie above the high watermark.
    ended: Vec<Ended>,
    /// After the last batch that changed anything here.
    end: Offset,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    New,
    /// Appended before, there; append nothing.
    Duplicate {
        base_offset: Offset,
        last_offset: Offset,
        timestamp: i64,
    },
}

/// Why a producer's batch must not be appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SequenceError {
    /// Kafka's OUT_OF_ORDER_SEQUENCE_NUMBER.
    #[error("producer {producer_id} sent sequence {found} where {expected} was next")]
    OutOfOrder { producer_id: ProducerId, expected: Sequence, found: Sequence },
    /// Kafka's INVALID_PRODUCER_EPOCH.
    #[error("producer {producer_id} sent epoch {found} but {current} is current")]
    StaleEpoch { producer_id: ProducerId, current: ProducerEpoch, found: ProducerEpoch },
    /// Kafka's INVALID_TXN_STATE.
    #[error("producer {producer_id} sent a plain batch into its transaction, open since offset {since}")]
    OpenTransaction { producer_id: ProducerId, since: Offset },
}

/// A transaction that a marker has ended: an entry of the aborted-transaction index when it was aborted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndedTransaction {
    pub producer_id: ProducerId,
    pub first_offset: Offset,
    /// The marker's.
    pub last_offset: Offset,
    pub decision: Decision,
    /// Where the next open transaction starts, or the offset after the marker.
    pub last_stable: Offset,
}

/// What truncation did to the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "cleared state accepts any sequence"]
pub enum Truncated {
    /// Nothing known stood at or after the offset.
    Unchanged,
    /// What the state was before is not known any more, so it was cleared: replay the log, from a snapshot on.
    Cleared,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ended {
    first_offset: Offset,
    last_offset: Offset,
}

impl Producers {
    pub fn new() -> Self {
        Self { producers: BTreeMap::new(), open: BTreeSet::new(), ended: Vec::new(), end: Offset::ZERO }
    }

    /// Judges a batch before it is appended as leader; replicas append what their leader did.
    pub fn check(&self, batch: &BatchHeader) -> Result<Verdict, SequenceError> {
        match self.producers.get(&batch.producer_id) {
            Some(producer) if batch.has_producer_id() => producer.check(batch),
            _ => Ok(Verdict::New),
        }
    }

    /// Takes up a batch that has its offsets. `marker` is what [`EndMarker::read`] finds in it.
    pub fn record(
        &mut self,
        batch: &BatchHeader,
        marker: Option<EndMarker>,
        now_ms: i64,
    ) -> Option<EndedTransaction> {
        if !batch.has_producer_id() {
            return None;
        }
        match marker {
            Some(marker) => self.record_marker(batch, marker, now_ms),
            // A control batch emptied by compaction: its transaction is gone from the log.
            None if batch.attributes.is_control() => None,
            None => {
                self.record_data(batch, now_ms);
                None
            }
        }
    }

    /// Forgets producers that were not heard of for so long; not those with an open transaction.
    pub fn expire(&mut self, now_ms: i64, expiration_ms: i64) {
        self.producers.retain(|_, producer| !producer.is_expired(now_ms, expiration_ms));
    }

    /// Follows a truncation of the log to `offset`.
    pub fn truncate_from(&mut self, offset: Offset) -> Truncated {
        if offset >= self.end {
            return Truncated::Unchanged;
        }
        *self = Self::new();
        Truncated::Cleared
    }

    /// The last stable offset: what lies below it is decided, and visible under this high watermark.
    pub fn last_stable(&mut self, high_watermark: Offset) -> Offset {
        // A marker above the high watermark may still be lost, and with it the decision.
        self.ended.retain(|ended| ended.last_offset >= high_watermark);
        let undecided = self.open.first().map(|(first_offset, _)| *first_offset);
        let invisible = self.ended.iter().map(|ended| ended.first_offset).min();
        undecided.into_iter().chain(invisible).fold(high_watermark, Offset::min)
    }

    pub fn largest_id(&self) -> Option<ProducerId> {
        self.producers.last_key_value().map(|(id, _)| *id)
    }

    pub fn len(&self) -> usize {
        self.producers.len()
    }

    pub fn is_empty(&self) -> bool {
        self.producers.is_empty()
    }

    /// The content of the file `<offset>.snapshot`, where `offset` is the log end of this state.
    pub fn to_snapshot(&self) -> Bytes {
        snapshot::format(&self.producers)
    }

    /// Reads what [`Self::to_snapshot`], or Kafka, wrote for a log that ended at `offset`.
    pub fn from_snapshot(bytes: &[u8], offset: Offset) -> Result<Self, SnapshotError> {
        let producers = snapshot::parse(bytes, offset)?;
        let open =
            producers.iter().filter_map(|(id, producer)| Some((producer.open_since()?, *id))).collect();
        Ok(Self { producers, open, ended: Vec::new(), end: offset })
    }

    fn record_data(&mut self, batch: &BatchHeader, now_ms: i64) {
        let producer = self.producers.entry(batch.producer_id).or_default();
        if let Some(since) = producer.record_data(batch, now_ms) {
            self.open.insert((since, batch.producer_id));
        }
        self.end = batch.next_offset();
    }

    fn record_marker(
        &mut self,
        batch: &BatchHeader,
        marker: EndMarker,
        now_ms: i64,
    ) -> Option<EndedTransaction> {
        self.end = batch.next_offset();
        let producer_id = batch.producer_id;
        let producer = self.producers.entry(producer_id).or_default();
        // A transaction that wrote nothing here has nothing to end.
        let first_offset = producer.record_marker(batch, marker, now_ms)?;
        self.open.remove(&(first_offset, producer_id));
        let last_offset = batch.last_offset();
        self.ended.push(Ended { first_offset, last_offset });
        let next_open = self.open.first().map(|(first_offset, _)| *first_offset);
        let last_stable = next_open.unwrap_or(batch.next_offset());
        Some(EndedTransaction {
            producer_id,
            first_offset,
            last_offset,
            decision: marker.decision,
            last_stable,
        })
    }
}

impl Default for Producers {
    fn default() -> Self {
        Self::new()
    }
}
