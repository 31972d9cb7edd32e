//! What bounds the coordinator's queues and waits.

use std::time::Duration;

/// Requests that may wait for one group's actor; further senders wait for room.
pub const INBOX_MAX: usize = 128;

/// Writes of one group that may wait or be under way before its actor stops taking requests.
pub const WRITES_MAX: usize = 256;

/// Records of waiting writes are appended together up to this many bytes: below the smallest sensible batch limit.
pub const APPEND_BYTES_MAX: usize = 256 << 10;

/// Events kept for a subscriber that lags; after more it has to read a snapshot.
pub const EVENTS_MAX: usize = 4_096;

/// How long a request waits for its partition to be replayed before it is told to come back.
pub const LOAD_WAIT: Duration = Duration::from_secs(10);

/// How long a member that was never answered may stay in a join phase (as in Kafka).
pub const NEW_MEMBER_TIMEOUT_MS: i32 = 300_000;

/// The longest group id that a stored key can hold.
pub const GROUP_ID_BYTES_MAX: usize = i16::MAX as usize;
