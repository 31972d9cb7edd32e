//! Where a log starts and ends.

use protocol::Offset;

/// A log's offsets at one moment: `log_start <= durable_end <= log_end`, `last_stable <= high_watermark <= log_end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogEnds {
    /// First offset that may be read.
    pub log_start: Offset,
    /// All before it is on stable storage.
    pub durable_end: Offset,
    /// All before it may be consumed and mirrored: the durable end, or the log end of a log without sync.
    pub high_watermark: Offset,
    /// All before it is decided: no open transaction starts before.
    pub last_stable: Offset,
    /// Offset of the next record.
    pub log_end: Offset,
}

impl LogEnds {
    pub fn empty_at(offset: Offset) -> Self {
        Self {
            log_start: offset,
            durable_end: offset,
            high_watermark: offset,
            last_stable: offset,
            log_end: offset,
        }
    }
}
