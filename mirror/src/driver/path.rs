//! What quinn says of a connection's path, for status and metrics.

use std::time::Duration;

use quinn::Connection;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathView {
    pub rtt: Duration,
    pub congestion_window_bytes: u64,
    /// Of UDP payload, since the connection began; so are the others.
    pub sent_bytes: u64,
    pub received_bytes: u64,
    pub lost_packets: u64,
}

impl PathView {
    pub(super) fn of(connection: &Connection) -> Self {
        let stats = connection.stats();
        Self {
            rtt: stats.path.rtt,
            congestion_window_bytes: stats.path.cwnd,
            sent_bytes: stats.udp_tx.bytes,
            received_bytes: stats.udp_rx.bytes,
            lost_packets: stats.path.lost_packets,
        }
    }
}
