//! What the links of a node count. Plain atomics: the daemon registers and reads them.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters since the start, and gauges where it says so.
#[derive(Debug, Default)]
pub struct LinkMetrics {
    pub connections_dialled: Counter,
    pub connections_accepted: Counter,
    /// Dials that failed.
    pub dials_failed: Counter,
    /// Connections that ended, whatever the reason.
    pub connections_closed: Counter,
    /// Peers that were turned away: no identity, no such link, bad hello.
    pub peers_refused: Counter,
    /// Connections closed because the peer broke the protocol.
    pub peers_hostile: Counter,
    pub blocks_sent: Counter,
    pub block_bytes_sent: Counter,
    /// Before compression.
    pub payload_bytes_sent: Counter,
    pub blocks_received: Counter,
    pub block_bytes_received: Counter,
    /// Batches made durable here.
    pub batches_applied: Counter,
    pub bytes_applied: Counter,
    /// Gauge: wire bytes of blocks handed to the transport and not known to have arrived.
    pub transport_bytes: Counter,
    /// Gauge: wire bytes of blocks received or being received, and not yet applied.
    pub unapplied_bytes: Counter,
    pub applies_failed: Counter,
    pub partitions_stopped: Counter,
    pub group_commits_applied: Counter,
}

/// A number that threads share.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, number: u64) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }

    pub(crate) fn one(&self) {
        self.add(1);
    }

    pub(crate) fn sub(&self, number: u64) {
        self.0.fetch_sub(number, Ordering::Relaxed);
    }
}
