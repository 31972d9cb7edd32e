//! Sparse indexes of a segment: rebuildable from the log, so a missing or bad one costs time, never data.

mod by_offset;
mod by_time;

pub(crate) use by_offset::OffsetIndex;
pub(crate) use by_time::TimeIndex;

use protocol::{Offset, batch::BatchHeader};

use crate::limits;

/// Both indexes of one segment, and what decides when the next entry is due.
#[derive(Debug, Clone)]
pub(crate) struct SegmentIndex {
    pub(crate) by_offset: OffsetIndex,
    pub(crate) by_time: TimeIndex,
    /// Largest timestamp so far and the last offset of the first batch that has it.
    largest: Option<(i64, Offset)>,
    bytes_since_entry: u64,
}

impl SegmentIndex {
    pub(crate) fn new(base: Offset) -> Self {
        Self {
            by_offset: OffsetIndex::new(base),
            by_time: TimeIndex::new(base),
            largest: None,
            bytes_since_entry: 0,
        }
    }

    pub(crate) fn loaded(by_offset: OffsetIndex, by_time: TimeIndex) -> Self {
        let largest = by_time.last();
        Self { by_offset, by_time, largest, bytes_since_entry: 0 }
    }

    /// Takes note of a batch at the segment's end.
    pub(crate) fn add(&mut self, header: &BatchHeader, position: u64, interval_bytes: u32) {
        if self.largest.is_none_or(|(timestamp, _)| header.max_timestamp > timestamp) {
            self.largest = Some((header.max_timestamp, header.last_offset()));
        }
        if self.bytes_since_entry > u64::from(interval_bytes) {
            self.by_offset.push(header.last_offset(), position);
            self.note_largest();
            self.bytes_since_entry = 0;
        }
        self.bytes_since_entry += header.size_bytes as u64;
    }

    /// The time index of a sealed segment ends with the segment's largest timestamp.
    pub(crate) fn seal(&mut self) {
        self.note_largest();
    }

    pub(crate) fn is_full(&self) -> bool {
        self.by_offset.len() >= limits::INDEX_ENTRIES_MAX
    }

    pub(crate) fn largest(&self) -> Option<(i64, Offset)> {
        self.largest
    }

    /// What it takes of memory, about.
    pub(crate) fn bytes(&self) -> usize {
        self.by_offset.len() * OffsetIndex::ENTRY_BYTES + self.by_time.len() * TimeIndex::ENTRY_MEMORY_BYTES
    }

    fn note_largest(&mut self) {
        if let Some((timestamp, offset)) = self.largest {
            self.by_time.push(timestamp, offset);
        }
    }
}

/// `offset` relative to a segment's base, if an index can hold it.
fn relative(base: Offset, offset: Offset) -> Option<u32> {
    u32::try_from(offset - base).ok().filter(|relative| i64::from(*relative) <= limits::RELATIVE_OFFSET_MAX)
}
