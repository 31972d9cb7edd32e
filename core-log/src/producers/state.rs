//! What is known of one producer.

use std::collections::VecDeque;

use protocol::{Offset, ProducerEpoch, Sequence, batch::BatchHeader};

use super::{EndMarker, SequenceError, Verdict};

/// How many batches a client may have in flight, and so have to send again (`max.in.flight.requests.per.connection`).
pub(super) const RECENT_MAX: usize = 5;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Producer {
    pub(super) epoch: ProducerEpoch,
    /// The last batches of this epoch, oldest first.
    pub(super) recent: VecDeque<RecentBatch>,
    pub(super) last_seen_ms: i64,
    /// Of the transaction coordinator that wrote the last marker; -1 before the first.
    pub(super) coordinator_epoch: i32,
    open_since: Option<Offset>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RecentBatch {
    pub(super) last_sequence: Sequence,
    pub(super) last_offset: Offset,
    /// Last offset, and so last sequence, minus the first.
    pub(super) delta: i32,
    pub(super) timestamp: i64,
}

impl Default for Producer {
    fn default() -> Self {
        Self::restored(ProducerEpoch::NONE, -1, -1, None)
    }
}

impl Producer {
    pub(super) fn restored(
        epoch: ProducerEpoch,
        coordinator_epoch: i32,
        last_seen_ms: i64,
        open_since: Option<Offset>,
    ) -> Self {
        Self { epoch, recent: VecDeque::new(), last_seen_ms, coordinator_epoch, open_since }
    }

    pub(super) fn open_since(&self) -> Option<Offset> {
        self.open_since
    }

    pub(super) fn check(&self, batch: &BatchHeader) -> Result<Verdict, SequenceError> {
        let producer_id = batch.producer_id;
        if batch.producer_epoch < self.epoch {
            let (current, found) = (self.epoch, batch.producer_epoch);
            return Err(SequenceError::StaleEpoch { producer_id, current, found });
        }
        // Markers, and offsets committed for a transactional producer, are not part of its sequence.
        if batch.attributes.is_control() || batch.base_sequence == Sequence::NONE {
            return Ok(Verdict::New);
        }
        if let Some(recent) = self.find(batch) {
            return Ok(Verdict::Duplicate {
                base_offset: recent.base_offset(),
                last_offset: recent.last_offset,
                timestamp: recent.timestamp,
            });
        }
        let (expected, found) = (self.next_sequence(batch.producer_epoch), batch.base_sequence);
        if found != expected {
            return Err(SequenceError::OutOfOrder { producer_id, expected, found });
        }
        match self.open_since {
            Some(since) if !batch.attributes.is_transactional() => {
                Err(SequenceError::OpenTransaction { producer_id, since })
            }
            _ => Ok(Verdict::New),
        }
    }

    /// Returns where a transaction starts, when it starts with this batch.
    pub(super) fn record_data(&mut self, batch: &BatchHeader, now_ms: i64) -> Option<Offset> {
        self.enter_epoch(batch.producer_epoch);
        self.last_seen_ms = now_ms;
        self.push(RecentBatch {
            last_sequence: batch.last_sequence(),
            last_offset: batch.last_offset(),
            delta: batch.last_offset_delta,
            timestamp: batch.max_timestamp,
        });
        let starts = batch.attributes.is_transactional() && self.open_since.is_none();
        starts.then(|| *self.open_since.insert(batch.base_offset))
    }

    /// Returns where the transaction started that this marker ends.
    pub(super) fn record_marker(
        &mut self,
        batch: &BatchHeader,
        marker: EndMarker,
        now_ms: i64,
    ) -> Option<Offset> {
        self.enter_epoch(batch.producer_epoch);
        self.last_seen_ms = now_ms;
        self.coordinator_epoch = marker.coordinator_epoch;
        self.open_since.take()
    }

    /// Adds a batch that is newer than those here.
    pub(super) fn push(&mut self, batch: RecentBatch) {
        if self.recent.len() == RECENT_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back(batch);
    }

    pub(super) fn is_expired(&self, now_ms: i64, expiration_ms: i64) -> bool {
        self.open_since.is_none() && now_ms.saturating_sub(self.last_seen_ms) >= expiration_ms
    }

    fn enter_epoch(&mut self, epoch: ProducerEpoch) {
        if self.epoch != epoch {
            self.epoch = epoch;
            self.recent.clear();
        }
    }

    fn find(&self, batch: &BatchHeader) -> Option<&RecentBatch> {
        let same = |recent: &&RecentBatch| {
            recent.first_sequence() == batch.base_sequence && recent.last_sequence == batch.last_sequence()
        };
        self.recent.iter().find(same).filter(|_| batch.producer_epoch == self.epoch)
    }

    fn next_sequence(&self, epoch: ProducerEpoch) -> Sequence {
        match self.recent.back() {
            Some(last) if epoch == self.epoch => last.last_sequence.plus(1),
            _ => Sequence(0),
        }
    }
}

impl RecentBatch {
    fn base_offset(&self) -> Offset {
        self.last_offset.plus(-i64::from(self.delta))
    }

    fn first_sequence(&self) -> Sequence {
        let sequences = i64::from(i32::MAX) + 1;
        let first = (i64::from(self.last_sequence.0) - i64::from(self.delta)).rem_euclid(sequences);
        Sequence(i32::try_from(first).unwrap_or(i32::MAX))
    }
}
