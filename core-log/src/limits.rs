//! Bounds of this room, and how they hang together.

pub(crate) const MIB: usize = 1024 * 1024;
pub(crate) const WEEK_MS: i64 = 7 * 24 * 60 * 60 * 1000;
pub(crate) const SEGMENT_BYTES_DEFAULT: u64 = 1024 * MIB as u64;

/// Positions in an offset index are 32 bits, signed in Kafka.
pub(crate) const SEGMENT_BYTES_MAX: u64 = i32::MAX as u64;
/// Offsets in the indexes are 32 bits and relative to the segment's base.
pub(crate) const RELATIVE_OFFSET_MAX: i64 = i32::MAX as i64;
/// A replica's batch that leaves a gap this large starts a segment at its own offset. Any smaller gap lies within a segment,
/// so a segment starts where the one before it ends, and recovery can tell that none is missing.
pub(crate) const GAP_NEW_SEGMENT: i64 = 1 << 30;
/// Entries that an index may have before its segment is sealed (Kafka's `segment.index.bytes` of 10 MiB).
pub(crate) const INDEX_ENTRIES_MAX: usize = 10 * MIB / 8;
/// What scans read at a time.
pub(crate) const SCAN_BYTES: usize = MIB;
/// A directory name's length on the file systems we know.
pub(crate) const NAME_BYTES_MAX: usize = 255;

const _: () = assert!(GAP_NEW_SEGMENT < RELATIVE_OFFSET_MAX);
const _: () = assert!(SEGMENT_BYTES_DEFAULT <= SEGMENT_BYTES_MAX);
const _: () = assert!(SCAN_BYTES >= protocol::batch::HEADER_SIZE);
