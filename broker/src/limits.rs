//! Bounds that hold whatever the settings, and the constants that defaults are made of.

use std::time::Duration;

/// Seven days, Kafka's default for retention and for rolling segments.
pub const RETENTION_MS: i64 = 7 * 24 * 60 * 60 * 1_000;
/// 1 GiB, Kafka's default.
pub const SEGMENT_BYTES: i32 = 1 << 30;
/// 1 MiB and a batch header's overhead, Kafka's default.
pub const MESSAGE_BYTES_MAX: i32 = (1 << 20) + 12;
/// 100 MiB, Kafka's default for `socket.request.max.bytes`.
pub const REQUEST_BYTES_MAX: usize = 100 << 20;
/// Request bytes in memory over all connections.
pub const IN_FLIGHT_BYTES_MAX: usize = 256 << 20;
/// What decompressing one batch may take, wherever records must be looked at one by one.
pub const DECOMPRESSED_BYTES_MAX: usize = 64 << 20;
/// What one Fetch may return, whatever it asks for (Kafka's `fetch.max.bytes`).
pub const FETCH_BYTES_MAX: usize = 55 << 20;
/// Reads of older batches under way at once: each holds a thread and a buffer.
pub const DISK_READS_MAX: usize = 8;
/// How often offsets of empty groups are looked at (Kafka's `offsets.retention.check.interval.ms`).
pub const OFFSETS_RETENTION_CHECK: Duration = Duration::from_secs(600);
/// Producer ids that are taken from the metadata log at once.
pub const PRODUCER_ID_BLOCK: i64 = 1_000;
/// Longest topic name, as in Kafka (`Topic.MAX_NAME_LENGTH`).
pub const TOPIC_NAME_BYTES_MAX: usize = 249;
/// Partitions of one topic.
pub const PARTITIONS_PER_TOPIC_MAX: i32 = 100_000;

const _: () = assert!(REQUEST_BYTES_MAX <= IN_FLIGHT_BYTES_MAX, "one largest request must fit the budget");
const _: () = assert!(MESSAGE_BYTES_MAX < SEGMENT_BYTES, "a batch must fit a segment");
