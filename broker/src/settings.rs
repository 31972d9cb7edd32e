//! What an operator can set about a broker, with the defaults. Components (clock, disk) are never in here.
//!
//! Names follow Kafka's broker settings where the meaning is the same; units are in the names.

use serde::{Deserialize, Serialize};

use crate::limits;

/// A standalone broker's settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where Kafka clients connect, `HOST:PORT`.
    pub listen: String,
    /// The `HOST:PORT` that Metadata answers tell clients to use; empty: the listening address.
    pub advertise: String,
    /// Unique over all datacenters: datacenter id x 1000 + node.
    pub broker_id: i32,
    /// Named in Metadata answers; empty: none.
    pub rack: String,
    pub topics: TopicSettings,
    pub groups: GroupSettings,
    pub connections: ConnectionSettings,
}

/// Topics that are created without saying more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TopicSettings {
    /// Whether asking for an unknown topic creates it (`auto.create.topics.enable`).
    pub auto_create: bool,
    /// Partitions of a topic created without a count (`num.partitions`).
    pub partitions: i32,
    /// `log.retention.ms`; -1 keeps records whatever their age.
    pub retention_ms: i64,
    /// `log.retention.bytes` of each partition; -1 keeps any amount.
    pub retention_bytes: i64,
    /// `log.segment.bytes`.
    pub segment_bytes: i32,
    /// `log.roll.ms`.
    pub segment_ms: i64,
    /// `message.max.bytes`: the largest batch, as compressed by the producer.
    pub max_message_bytes: i32,
    /// Whether `acks=all` may be answered before the batch is on stable storage (topic config `write.caching`).
    pub write_caching: bool,
    /// How often retention looks for segments to delete (`log.retention.check.interval.ms`).
    pub retention_check_interval_ms: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GroupSettings {
    /// How long the first join of an empty group waits for others (`group.initial.rebalance.delay.ms`).
    pub initial_rebalance_delay_ms: u64,
    /// `group.min.session.timeout.ms`.
    pub session_timeout_min_ms: i32,
    /// `group.max.session.timeout.ms`.
    pub session_timeout_max_ms: i32,
    /// `group.max.size`.
    pub members_max: usize,
    /// How long offsets of an empty group are kept (`offsets.retention.minutes`).
    pub offsets_retention_minutes: u64,
    /// Partitions of `__consumer_offsets` (`offsets.topic.num.partitions`); fixed once the topic exists.
    pub offsets_partitions: i32,
    /// `offset.metadata.max.bytes`.
    pub offset_metadata_bytes_max: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConnectionSettings {
    /// Connections at once (`max.connections`).
    pub connections_max: usize,
    /// Connections at once from one address (`max.connections.per.ip`).
    pub connections_per_ip_max: usize,
    /// The largest request (`socket.request.max.bytes`).
    pub request_bytes_max: usize,
    /// Request bytes held at once over all connections; further ones wait unread (`queued.max.request.bytes`).
    pub in_flight_bytes_max: usize,
    /// A connection without a request for so long is closed (`connections.max.idle.ms`).
    pub idle_ms: u64,
    /// A request must have arrived whole this long after its first byte, or the connection is closed.
    pub request_read_ms: u64,
    /// An answer must leave within this time, or the connection is closed.
    pub response_write_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:9092".to_owned(),
            advertise: String::new(),
            broker_id: 1001,
            rack: String::new(),
            topics: TopicSettings::default(),
            groups: GroupSettings::default(),
            connections: ConnectionSettings::default(),
        }
    }
}

impl Default for TopicSettings {
    fn default() -> Self {
        Self {
            auto_create: true,
            partitions: 1,
            retention_ms: limits::RETENTION_MS,
            retention_bytes: -1,
            segment_bytes: limits::SEGMENT_BYTES,
            segment_ms: limits::RETENTION_MS,
            max_message_bytes: limits::MESSAGE_BYTES_MAX,
            write_caching: false,
            retention_check_interval_ms: 300_000,
        }
    }
}

impl Default for GroupSettings {
    fn default() -> Self {
        Self {
            initial_rebalance_delay_ms: 3_000,
            session_timeout_min_ms: 6_000,
            session_timeout_max_ms: 1_800_000,
            members_max: i32::MAX as usize,
            offsets_retention_minutes: 10_080,
            offsets_partitions: 50,
            offset_metadata_bytes_max: 4_096,
        }
    }
}

impl Default for ConnectionSettings {
    fn default() -> Self {
        Self {
            connections_max: 10_000,
            connections_per_ip_max: 2_000,
            request_bytes_max: limits::REQUEST_BYTES_MAX,
            in_flight_bytes_max: limits::IN_FLIGHT_BYTES_MAX,
            idle_ms: 600_000,
            request_read_ms: 30_000,
            response_write_ms: 60_000,
        }
    }
}
