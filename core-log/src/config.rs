//! What can be set: per log ([`LogConfig`], Kafka's topic configs) and per directory ([`LogDirSettings`]).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Intake, limits};

/// Settings of one log. [`crate::Log::configure`] changes them while the log is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogConfig {
    /// A segment is sealed before it would grow beyond this (`segment.bytes`).
    pub segment_bytes: u64,
    /// A segment is sealed when a batch comes that is this much younger than its first (`segment.ms`).
    pub segment_ms: i64,
    /// One entry of the sparse indexes per so many bytes of log (`index.interval.bytes`).
    pub index_interval_bytes: u32,
    /// Segments whose youngest record is older are deleted (`retention.ms`); -1: never.
    pub retention_ms: i64,
    /// Oldest segments are deleted while the log stays at least this large (`retention.bytes`); -1: never.
    pub retention_bytes: i64,
    /// `cleanup.policy` has `delete`: without it neither retention applies.
    pub delete: bool,
    /// `message.timestamp.type=LogAppendTime`: batches are stamped when they are appended.
    pub append_time: bool,
    /// Acks and high watermark wait for the sync. `false` is write caching: both follow the write.
    pub sync: bool,
    /// Whom the log takes batches from when it is opened; afterwards [`crate::Log::set_intake`] alone changes it.
    pub intake: Intake,
}

impl Default for LogConfig {
    /// Kafka's defaults, with synced acks.
    fn default() -> Self {
        Self {
            segment_bytes: limits::SEGMENT_BYTES_DEFAULT,
            segment_ms: limits::WEEK_MS,
            index_interval_bytes: 4096,
            retention_ms: limits::WEEK_MS,
            retention_bytes: -1,
            delete: true,
            append_time: false,
            sync: true,
            intake: Intake::Writers,
        }
    }
}

/// Settings of one log directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogDirSettings {
    /// Segment files kept open. More: fewer reopenings when many partitions are busy.
    pub open_files_max: usize,
    /// Bytes of newest batches kept in memory, over all logs. Readers at the tail are served from them.
    pub recent_bytes_max: usize,
    /// Submits that may wait for the appender; a full queue makes `submit` wait.
    pub queue_max: usize,
    /// Bytes that one round of the appender takes at most, so that a sync is never far away.
    pub round_bytes_max: usize,
    /// How long an advance of the durable mark may stay unwritten. Shorter: less to scan after a crash, and less that a
    /// damaged disk could pass off as a torn tail. Zero: only [`crate::LogDir::checkpoint`] writes it.
    #[serde(rename = "checkpoint_interval_ms", with = "milliseconds")]
    pub checkpoint_interval: Duration,
    /// A producer that appended nothing for so long is forgotten (`producer.id.expiration.ms`).
    #[serde(rename = "producer_expiry_ms", with = "milliseconds")]
    pub producer_expiry: Duration,
    /// Bytes of sealed segments' indexes kept in memory, over all logs.
    pub index_bytes_max: usize,
    /// Size of each of the journal's two files. A round that touched several logs is synced there, and the logs later: a larger
    /// file gathers more for each of their syncs, and takes longer to read after a crash. Zero: no journal.
    pub journal_bytes_max: u64,
    /// Decompressed size that a batch may have when its records are searched by timestamp.
    pub decompressed_bytes_max: usize,
}

impl Default for LogDirSettings {
    fn default() -> Self {
        Self {
            open_files_max: 512,
            recent_bytes_max: 24 * limits::MIB,
            queue_max: 4096,
            round_bytes_max: 16 * limits::MIB,
            checkpoint_interval: Duration::from_secs(5),
            producer_expiry: Duration::from_secs(24 * 60 * 60),
            index_bytes_max: 8 * limits::MIB,
            journal_bytes_max: 64 * limits::MIB as u64,
            decompressed_bytes_max: 128 * limits::MIB,
        }
    }
}

/// Durations in settings are whole milliseconds.
mod milliseconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(duration: &Duration, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Duration, D::Error> {
        u64::deserialize(input).map(Duration::from_millis)
    }
}
