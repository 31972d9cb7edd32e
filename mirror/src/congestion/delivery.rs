//! What the path delivers: one rate sample for each acknowledged packet.
//!
//! A sample is bytes delivered between the moment a packet left and the moment its acknowledgement came, over the longer of
//! two spans: that one, and the one over which those bytes had been sent. The first alone is inflated by acknowledgements that
//! arrive bunched; both together never say more than the path carried. What was known when a packet left is kept in a
//! snapshot for its send instant and found again by it.

use std::collections::VecDeque;
use std::time::Duration;

/// How far back packets are waited for, in least round trips; and the least such time, for hosts that were busy.
const REORDERING_RTTS: f64 = 4.0;
const REORDERING_RTT_MIN_SECS: f64 = 0.02;
/// Snapshots in that time: sends closer together share one, which costs a sample at most this fraction of its span.
const SNAPSHOTS_PER_SPAN: f64 = 1024.0;
/// A sender of nothing but acknowledgements hears back rarely, so what it keeps is bounded by number, too.
const SNAPSHOTS_MAX: usize = 4096;
/// Samples over less than this part of the least round trip are bunched acknowledgements and say nothing.
const SPAN_MIN_RTTS: f64 = 0.8;

#[derive(Debug, Clone, Default)]
pub(super) struct Delivery {
    delivered: u64,
    delivered_at: Duration,
    /// When the packet that was acknowledged last had been sent.
    first_sent: Duration,
    in_flight: u64,
    /// Samples taken before this much was delivered were held back by the application, not by the path.
    limited_until: u64,
    /// The round ends with the first acknowledgement of a packet sent after this much was delivered.
    round_end: u64,
    snapshots: VecDeque<Snapshot>,
}

#[derive(Debug, Clone)]
struct Snapshot {
    at: Duration,
    delivered: u64,
    delivered_at: Duration,
    first_sent: Duration,
    app_limited: bool,
}

/// What one acknowledgement says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sample {
    /// Bytes a second, if the span was long enough.
    pub(super) rate: Option<f64>,
    pub(super) app_limited: bool,
    pub(super) ends_round: bool,
}

impl Delivery {
    pub(super) fn handle_sent(&mut self, now: Duration, bytes: u64, min_rtt: Option<f64>) {
        if self.in_flight == 0 || self.snapshots.is_empty() {
            // After a silence the spans begin anew, or the silence would count as slowness.
            (self.delivered_at, self.first_sent) = (now, now);
            // And until the first of these packets is acknowledged, nothing shows what the path carries: a few control messages would
            // pass for a path that carries no more.
            self.limited_until = self.limited_until.max(self.delivered.saturating_add(1));
        }
        self.in_flight = self.in_flight.saturating_add(bytes);
        let spacing = span(min_rtt) / SNAPSHOTS_PER_SPAN;
        if self.snapshots.back().is_some_and(|last| now.saturating_sub(last.at).as_secs_f64() < spacing) {
            return;
        }
        if self.snapshots.len() >= SNAPSHOTS_MAX {
            self.snapshots.pop_front();
        }
        self.snapshots.push_back(Snapshot {
            at: now,
            delivered: self.delivered,
            delivered_at: self.delivered_at,
            first_sent: self.first_sent,
            app_limited: self.limited_until > self.delivered,
        });
    }

    /// `None` if nothing is known any more of the time the packet was sent.
    pub(super) fn handle_ack(
        &mut self,
        now: Duration,
        sent: Duration,
        bytes: u64,
        min_rtt: Option<f64>,
    ) -> Option<Sample> {
        self.delivered = self.delivered.saturating_add(bytes);
        self.delivered_at = now;
        self.in_flight = self.in_flight.saturating_sub(bytes);
        let later = self.snapshots.partition_point(|snapshot| snapshot.at <= sent);
        let snapshot = self.snapshots.get(later.checked_sub(1)?)?.clone();
        let ends_round = snapshot.delivered >= self.round_end;
        if ends_round {
            self.round_end = self.delivered;
        }
        self.first_sent = snapshot.at;
        self.forget_before(sent, min_rtt);
        let acked_over = now.saturating_sub(snapshot.delivered_at);
        let sent_over = snapshot.at.saturating_sub(snapshot.first_sent);
        let secs = acked_over.max(sent_over).as_secs_f64();
        let bytes = self.delivered.saturating_sub(snapshot.delivered) as f64;
        let long_enough = secs > 0.0 && secs >= SPAN_MIN_RTTS * min_rtt.unwrap_or(0.0);
        Some(Sample {
            rate: long_enough.then_some(bytes / secs),
            app_limited: snapshot.app_limited,
            ends_round,
        })
    }

    pub(super) fn handle_lost(&mut self, bytes: u64) {
        self.in_flight = self.in_flight.saturating_sub(bytes);
    }

    /// The connection's own count is the true one; ours drifts with packets that are never acknowledged.
    pub(super) fn handle_acks_done(&mut self, in_flight: u64, app_limited: bool) {
        self.in_flight = in_flight;
        if app_limited {
            self.limited_until = self.delivered.saturating_add(in_flight);
        }
    }

    fn forget_before(&mut self, sent: Duration, min_rtt: Option<f64>) {
        let span = span(min_rtt);
        // The one before the oldest that is still waited for stands for the packets between the two.
        while self.snapshots.get(1).is_some_and(|next| sent.saturating_sub(next.at).as_secs_f64() > span) {
            self.snapshots.pop_front();
        }
    }
}

fn span(min_rtt: Option<f64>) -> f64 {
    REORDERING_RTTS * min_rtt.unwrap_or(0.0).max(REORDERING_RTT_MIN_SECS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn bunched_acknowledgements_do_not_raise_the_rate() {
        let mut delivery = Delivery::default();
        for at in 0..20 {
            delivery.handle_sent(ms(at), 1000, None);
        }
        // Twenty packets sent over 20 ms, all acknowledged at 30 ms: 1000 bytes a millisecond at most.
        let rates = (0..20).filter_map(|at| delivery.handle_ack(ms(30), ms(at), 1000, Some(0.01))?.rate);
        let most = rates.fold(0.0, f64::max);
        assert!(most > 0.5e6 && most <= 1.0e6, "{most}");
    }

    #[test]
    fn a_sample_of_a_packet_sent_while_the_application_was_silent_says_so() {
        let mut delivery = Delivery::default();
        delivery.handle_sent(ms(0), 1000, None);
        delivery.handle_ack(ms(10), ms(0), 1000, None);
        delivery.handle_acks_done(2000, true);
        delivery.handle_sent(ms(11), 1000, Some(0.01));
        let sample = delivery.handle_ack(ms(21), ms(11), 1000, Some(0.01)).expect("the snapshot is there");
        assert!(sample.app_limited);
    }

    #[test]
    fn what_is_sent_in_the_first_round_trip_after_a_silence_shows_no_rate_of_the_path() {
        let mut delivery = Delivery::default();
        let mut limited = Vec::new();
        for at in [0, 100, 200] {
            delivery.handle_sent(ms(at), 1000, Some(0.01));
            delivery.handle_sent(ms(at + 5), 1000, Some(0.01));
            let first = delivery.handle_ack(ms(at + 10), ms(at), 1000, Some(0.01));
            delivery.handle_sent(ms(at + 11), 1000, Some(0.01));
            let later = delivery.handle_ack(ms(at + 21), ms(at + 11), 1000, Some(0.01));
            delivery.handle_acks_done(0, false);
            limited.push([first, later].map(|sample| sample.is_some_and(|sample| sample.app_limited)));
        }
        assert_eq!(limited, [[true, false]; 3]);
    }

    #[test]
    fn snapshots_are_bounded_when_nothing_is_acknowledged() {
        let mut delivery = Delivery::default();
        for at in 0..20_000 {
            delivery.handle_sent(ms(at), 40, Some(0.001));
        }
        assert_eq!(delivery.snapshots.len(), SNAPSHOTS_MAX);
        // The packet whose snapshot had to go yields no sample.
        assert_eq!(delivery.handle_ack(ms(20_001), ms(3), 40, Some(0.001)), None);
    }

    #[test]
    fn old_snapshots_go_when_later_packets_are_acknowledged() {
        let mut delivery = Delivery::default();
        for at in 0..1000 {
            delivery.handle_sent(ms(at), 1000, Some(0.01));
            delivery.handle_ack(ms(at + 10), ms(at), 1000, Some(0.01));
        }
        assert!(delivery.snapshots.len() < 100, "{}", delivery.snapshots.len());
    }
}
