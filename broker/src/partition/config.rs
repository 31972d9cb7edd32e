//! From a topic's config to what its logs and its batches are held to.

use core_log::{Intake, LogConfig, validate::BatchRules};

use crate::{
    gate::{Gate, TopicGate},
    limits,
    metadata::Topic,
};

pub(crate) fn log_config(topic: &Topic, intake: Intake) -> LogConfig {
    let config = &topic.config;
    LogConfig {
        segment_bytes: u64::try_from(config.segment_bytes).unwrap_or(0),
        segment_ms: config.segment_ms,
        index_interval_bytes: u32::try_from(config.index_interval_bytes).unwrap_or(0),
        retention_ms: config.retention_ms,
        retention_bytes: config.retention_bytes,
        delete: config.delete,
        append_time: config.append_time,
        // What the broker itself depends on is always synced before it is answered (DESIGN, law 1).
        sync: topic.internal || !config.write_caching,
        intake,
    }
}

/// Whom the topic's logs take batches from. The broker itself writes to its internal topics, whoever is home.
pub(crate) fn intake(topic: &Topic, gate: &dyn Gate) -> Intake {
    if topic.internal {
        return Intake::Writers;
    }
    match gate.topic(topic.name.as_str()) {
        TopicGate::Open => Intake::Writers,
        TopicGate::ReadOnly { .. } => Intake::Replica,
        TopicGate::Fenced => Intake::Closed,
    }
}

/// What a producer's batch must be like, for a Produce of this version.
pub(crate) fn batch_rules(topic: &Topic, version: i16) -> BatchRules {
    let config = &topic.config;
    BatchRules {
        max_bytes: usize::try_from(config.max_message_bytes).unwrap_or(0),
        decompressed_max_bytes: limits::DECOMPRESSED_BYTES_MAX,
        zstd: version >= 7,
        transactional: false,
        keys_required: config.compact,
        append_time: config.append_time,
        before_max_ms: config.message_timestamp_before_max_ms,
        after_max_ms: config.message_timestamp_after_max_ms,
    }
}
