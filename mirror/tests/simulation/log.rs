//! A partition's log as far as a link sees it: whole batches, and what of them a crash takes.

use bytes::Bytes;
use protocol::{
    LeaderEpoch, Offset,
    batch::{BatchHeader, assign},
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) header: BatchHeader,
    pub(crate) bytes: Bytes,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    pub(crate) start: Offset,
    batches: Vec<Batch>,
    /// So many batches are on stable storage.
    durable: usize,
}

impl Log {
    /// An empty log that begins further on.
    pub(crate) fn begin_at(&mut self, offset: Offset) {
        assert!(self.batches.is_empty(), "a log with records cannot begin elsewhere");
        self.start = offset;
    }

    pub(crate) fn end(&self) -> Offset {
        self.batches.last().map_or(self.start, |batch| batch.header.next_offset())
    }

    pub(crate) fn durable_end(&self) -> Offset {
        self.durable.checked_sub(1).map_or(self.start, |last| self.batches[last].header.next_offset())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    pub(crate) fn batches(&self) -> &[Batch] {
        &self.batches
    }

    pub(crate) fn last_epoch(&self) -> Option<LeaderEpoch> {
        self.batches.last().map(|batch| batch.header.leader_epoch)
    }

    /// Appends at the end, under an epoch. Answers where.
    pub(crate) fn append(&mut self, mut batch: Vec<u8>, epoch: LeaderEpoch) -> Offset {
        let base = self.end();
        assign(&mut batch, base, epoch);
        self.append_as_given(batch.into());
        base
    }

    /// Appends where the batch says: a gap may stay, nothing goes back.
    pub(crate) fn append_as_given(&mut self, bytes: Bytes) {
        let header = BatchHeader::parse_whole(&bytes).expect("a checked batch");
        assert!(header.base_offset >= self.end(), "{} comes at {}: twice", header.base_offset, self.end());
        self.batches.push(Batch { header, bytes });
    }

    pub(crate) fn sync(&mut self) {
        self.durable = self.batches.len();
    }

    /// What was not synced is gone.
    pub(crate) fn crash(&mut self) {
        self.batches.truncate(self.durable);
    }

    pub(crate) fn advance_start(&mut self, to: Offset) {
        assert!(to <= self.end());
        self.start = self.start.max(to);
    }

    /// Whole batches from the one that holds `from`, below `until`: at least one.
    pub(crate) fn read(&self, from: Offset, until: Offset, bytes_max: usize) -> Vec<Bytes> {
        let mut bytes = 0;
        let wanted = self.batches.iter().filter(|batch| batch.header.last_offset() >= from);
        let wanted = wanted.take_while(|batch| batch.header.next_offset() <= until);
        let taken = wanted.take_while(|batch| {
            let fits = bytes == 0 || bytes + batch.bytes.len() <= bytes_max;
            bytes += batch.bytes.len();
            fits
        });
        taken.map(|batch| batch.bytes.clone()).collect()
    }

    /// The largest epoch of at most `epoch`, and where it ends.
    pub(crate) fn epoch_end(&self, epoch: LeaderEpoch) -> Option<(LeaderEpoch, Offset)> {
        let after = self.batches.iter().position(|batch| batch.header.leader_epoch > epoch);
        let last = match after {
            None => self.batches.last(),
            Some(after) => after.checked_sub(1).map(|last| &self.batches[last]),
        }?;
        let end = after.map_or(self.end(), |after| self.batches[after].header.base_offset);
        Some((last.header.leader_epoch, end))
    }
}
