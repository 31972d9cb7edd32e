//! `GET /v1/status`: a node, its links, what each of them carries, and the failover units.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct NodeStatus {
    pub(crate) version: String,
    /// `starting`, `ready`, `draining` or `failed: ...`.
    pub(crate) phase: String,
    /// None: a broker that stands alone.
    pub(crate) node: Option<NodeNames>,
    pub(crate) links: Vec<LinkStatus>,
    pub(crate) units: Vec<UnitStatus>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NodeNames {
    pub(crate) topology: String,
    pub(crate) datacenter: String,
    pub(crate) node: String,
    pub(crate) broker_id: i32,
}

/// This node's end of a link.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct LinkStatus {
    /// `FROM:TO`.
    pub(crate) name: String,
    /// `source` or `target`.
    pub(crate) side: String,
    /// The node at the other end.
    pub(crate) peer: String,
    /// `connected` or `disconnected`.
    pub(crate) state: String,
    /// The last thing that went wrong, if it is not connected.
    pub(crate) problem: Option<String>,
    /// The node at the other end runs another topology file: it was not rolled out everywhere yet.
    pub(crate) topology_differs: bool,
    pub(crate) transport: Option<TransportStatus>,
    /// At the target.
    pub(crate) partitions: Vec<PartitionStatus>,
    /// At the source.
    pub(crate) subscriptions: Vec<SubscriptionStatus>,
}

/// What a target takes of a partition, as its source sees it. Offsets are the source's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SubscriptionStatus {
    pub(crate) topic_id: String,
    pub(crate) partition: i32,
    /// At the tail, or else catching up.
    pub(crate) live: bool,
    pub(crate) sent: i64,
    /// Durable at the target.
    pub(crate) acked: i64,
    pub(crate) source_end: i64,
}

/// The connection as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct TransportStatus {
    pub(crate) rtt_ms: f64,
    pub(crate) congestion_window_bytes: u64,
    pub(crate) sent_bytes: u64,
    pub(crate) received_bytes: u64,
    pub(crate) lost_packets: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PartitionStatus {
    /// At the source.
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) state: String,
    /// The source's end as last heard.
    pub(crate) source_end: Option<i64>,
    /// How far of the source's log is durable here.
    pub(crate) position: Option<i64>,
    pub(crate) lag_records: Option<u64>,
    /// Age of the oldest end of the source that is not durable here.
    pub(crate) lag_seconds: Option<f64>,
    pub(crate) stop: Option<Stop>,
}

/// Why a partition is not mirrored any further.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stop {
    pub(crate) code: String,
    pub(crate) what: String,
    pub(crate) action: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UnitStatus {
    pub(crate) name: String,
    pub(crate) state: String,
    pub(crate) home: String,
    pub(crate) generation: u64,
    /// Whether clients can write its topics here.
    pub(crate) writable: bool,
    /// Records that are only here, if it is `diverged`.
    pub(crate) tails: Vec<TailStatus>,
}

/// Records `[common, end)` of a partition exist here and not at the home.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TailStatus {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) common: i64,
    pub(crate) end: i64,
}
