//! What happened within one round: the time from a packet's departure to its acknowledgement.

/// Facts of a round, gathered packet by packet and judged when it is over.
#[derive(Debug, Clone, Default)]
pub(super) struct Round {
    acked_bytes: u64,
    lost_bytes: u64,
    lost_packets: f64,
    least_rtt: Option<f64>,
    rtt_sum: f64,
    rtt_count: f64,
    best_rate: f64,
    app_limited: bool,
    marked: bool,
}

impl Round {
    pub(super) fn handle_ack(&mut self, bytes: u64, rtt: f64) {
        self.acked_bytes = self.acked_bytes.saturating_add(bytes);
        self.least_rtt = Some(self.least_rtt.map_or(rtt, |least| least.min(rtt)));
        self.rtt_sum += rtt;
        self.rtt_count += 1.0;
    }

    pub(super) fn handle_sample(&mut self, rate: Option<f64>, app_limited: bool) {
        self.best_rate = self.best_rate.max(rate.unwrap_or(0.0));
        self.app_limited |= app_limited;
    }

    pub(super) fn handle_lost(&mut self, bytes: u64, packet_bytes: f64) {
        self.lost_bytes = self.lost_bytes.saturating_add(bytes);
        self.lost_packets += (bytes as f64 / packet_bytes).ceil();
    }

    /// A queue on the way said that it is filling (ECN).
    pub(super) fn handle_mark(&mut self) {
        self.marked = true;
    }

    /// Lost bytes per byte that left.
    pub(super) fn loss(&self) -> f64 {
        let left = self.acked_bytes.saturating_add(self.lost_bytes);
        self.lost_bytes as f64 / left.max(1) as f64
    }

    pub(super) fn lost_packets(&self) -> f64 {
        self.lost_packets
    }

    pub(super) fn packets(&self, packet_bytes: f64) -> f64 {
        self.acked_bytes.saturating_add(self.lost_bytes) as f64 / packet_bytes
    }

    pub(super) fn least_rtt(&self) -> Option<f64> {
        self.least_rtt
    }

    pub(super) fn mean_rtt(&self) -> Option<f64> {
        (self.rtt_count > 0.0).then(|| self.rtt_sum / self.rtt_count)
    }

    pub(super) fn rtt_count(&self) -> f64 {
        self.rtt_count
    }

    pub(super) fn best_rate(&self) -> f64 {
        self.best_rate
    }

    pub(super) fn is_app_limited(&self) -> bool {
        self.app_limited
    }

    pub(super) fn is_marked(&self) -> bool {
        self.marked
    }
}
