//! What bounds a link, and how the bounds depend on each other.

use std::time::Duration;

use super::block::HEADER_SIZE;

/// Of one block's payload, both as it travels and unpacked.
pub const BLOCK_BYTES_MAX: usize = 1 << 20;
/// Of one control message.
pub const CONTROL_BYTES_MAX: usize = 1 << 20;
/// Of the largest batch that a link carries by default.
pub const BATCH_BYTES_MAX: usize = 32 << 20;
/// Wire bytes that a sender may have under way and unapplied, by default.
pub const CREDIT_WINDOW_BYTES: u64 = 64 << 20;
/// What the sender hands to the transport before the first estimate of the path.
pub const TRANSPORT_WINDOW_BYTES: u64 = 4 << 20;
/// Blocks that a receiver takes ahead of one that was begun earlier, before it calls the sender broken.
pub const BLOCKS_AHEAD_MAX: usize = 1 << 16;

/// Wire bytes of a batch cut into fragments, headers included.
pub(crate) const fn wire_bytes_of_batch(batch_bytes: usize) -> u64 {
    (batch_bytes + batch_bytes.div_ceil(BLOCK_BYTES_MAX) * HEADER_SIZE) as u64
}

// A batch's fragments are only consumed together, so all of them fit into the window at once.
const _: () = assert!(wire_bytes_of_batch(BATCH_BYTES_MAX) <= CREDIT_WINDOW_BYTES);
const _: () = assert!(TRANSPORT_WINDOW_BYTES >= 2 * BLOCK_BYTES_MAX as u64);
// The count of fragments travels as u16.
const _: () = assert!(BATCH_BYTES_MAX.div_ceil(BLOCK_BYTES_MAX) <= u16::MAX as usize);

/// What the sender may be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderSettings {
    /// Larger batches stop their partition.
    pub batch_bytes_max: usize,
    /// A partition that sent so much without reaching its end is back-filled, not live.
    pub live_bytes_max: u64,
    /// Of this many reads while both classes wait, one is for back-fill.
    pub backfill_every: u32,
    /// How long a partition's new end may stay untold while no block tells it.
    pub watermark_delay: Duration,
}

impl Default for SenderSettings {
    fn default() -> Self {
        Self {
            batch_bytes_max: BATCH_BYTES_MAX,
            live_bytes_max: 4 << 20,
            backfill_every: 8,
            watermark_delay: Duration::from_millis(50),
        }
    }
}

/// What the receiver may be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiverSettings {
    /// Wire bytes that the sender may have under way and unapplied; at least two blocks, and the largest batch.
    pub credit_window: u64,
    /// Larger batches are not put together.
    pub batch_bytes_max: usize,
    /// Unpacked bytes handed over in one apply; one block or batch may be more.
    pub apply_bytes_max: usize,
    /// Unpacked bytes of all applies under way.
    pub applies_bytes_max: usize,
    /// How long an ack or a little credit may wait for more.
    pub ack_delay: Duration,
    /// First pause before a target without space is tried again; doubles up to `retry_delay_max`.
    pub retry_delay_min: Duration,
    pub retry_delay_max: Duration,
    /// Between two comparisons of the clocks.
    pub ping_interval: Duration,
}

impl Default for ReceiverSettings {
    fn default() -> Self {
        Self {
            credit_window: CREDIT_WINDOW_BYTES,
            batch_bytes_max: BATCH_BYTES_MAX,
            apply_bytes_max: 4 << 20,
            applies_bytes_max: 64 << 20,
            ack_delay: Duration::from_millis(2),
            retry_delay_min: Duration::from_millis(100),
            retry_delay_max: Duration::from_secs(5),
            ping_interval: Duration::from_secs(5),
        }
    }
}
