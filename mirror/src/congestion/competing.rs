//! Beside somebody who fills the queue: giving way to him would be giving up.
//!
//! He shows at the end of a Down phase. We have stepped back, so a queue that still stands is not ours. Seen twice running,
//! the window follows a curve of CUBIC's kind, as long as that is above the model's own; when the queue was seen empty some
//! times running, he is gone.

use std::time::Duration;

/// A queue stands when the round's least delay exceeds the empty path's by this share, the jitter and this time.
const QUEUE_RTTS: f64 = 0.2;
const QUEUE_SECS: f64 = 0.001;
/// It is empty below half of that. In between nothing is concluded.
const EMPTY_PART: f64 = 0.5;
/// With one Down as evidence, several flows of our own kind take each other for him.
const DOWNS_TO_ENTER: u32 = 2;
/// He may have stepped back himself for a moment, after a loss.
const DOWNS_TO_LEAVE: u32 = 4;
/// CUBIC's own constant is 0.4; ours has to make up for the Downs.
const CURVE: f64 = 3.0;
/// What a loss leaves of the window (RFC 9438), at most once a round trip.
const CUT: f64 = 0.7;
/// Below the last peak the flow before us has not given its share back yet: aim lower (fast convergence, RFC 9438).
const FAST_CONVERGENCE: f64 = (1.0 + CUT) / 2.0;
/// What a recent peak of the window is worth as a starting point.
const PEAK_PART: f64 = 0.7;
/// A window grows by at most this many bytes for each acknowledged one.
const GROWTH_MAX: f64 = 0.5;

#[derive(Debug, Clone, Default)]
pub(super) struct Competing {
    /// Downs running that spoke for changing sides.
    evidence: u32,
    curve: Option<Curve>,
}

/// What the end of a Down phase shows.
#[derive(Debug, Clone, Copy)]
pub(super) struct AfterDown {
    pub(super) now: Duration,
    pub(super) round_rtt: f64,
    pub(super) empty_rtt: f64,
    pub(super) jitter: f64,
    /// The window before it, and the largest of the last seconds.
    pub(super) window: f64,
    pub(super) window_peak: f64,
    pub(super) packet_bytes: f64,
}

/// A cubic that starts below the peak, is flat there, and then grows faster and faster.
#[derive(Debug, Clone)]
struct Curve {
    window: f64,
    peak: f64,
    since: Duration,
    /// Seconds from `since` to the peak.
    to_peak: f64,
    cut_at: Option<Duration>,
}

impl Competing {
    pub(super) fn window(&self) -> Option<f64> {
        self.curve.as_ref().map(|curve| curve.window)
    }

    pub(super) fn handle_down_ended(&mut self, down: AfterDown) {
        let queue = |part: f64| (1.0 + part * QUEUE_RTTS) * down.empty_rtt + down.jitter + part * QUEUE_SECS;
        let stands = down.round_rtt > queue(1.0);
        let empty = down.round_rtt < queue(EMPTY_PART);
        let (speaks, needed) =
            if self.curve.is_some() { (empty, DOWNS_TO_LEAVE) } else { (stands, DOWNS_TO_ENTER) };
        self.evidence = if speaks { self.evidence + 1 } else { 0 };
        if self.evidence >= needed {
            self.evidence = 0;
            self.curve = if self.curve.is_some() { None } else { Some(Curve::from(down)) };
        }
    }

    pub(super) fn handle_ack(&mut self, now: Duration, bytes: f64, packet_bytes: f64) {
        if let Some(curve) = &mut self.curve {
            curve.grow(now, bytes, packet_bytes);
        }
    }

    pub(super) fn handle_lost(&mut self, now: Duration, sent: Duration, floor: f64, packet_bytes: f64) {
        if let Some(curve) = &mut self.curve
            && curve.cut_at.is_none_or(|cut_at| sent > cut_at)
        {
            curve.cut(now, floor, packet_bytes);
        }
    }
}

impl Curve {
    fn from(down: AfterDown) -> Self {
        let window = down.window.max(PEAK_PART * down.window_peak);
        let peak = window.max(down.window_peak);
        let to_peak = secs_to_grow(peak - window, down.packet_bytes);
        Self { window, peak, since: down.now, to_peak, cut_at: None }
    }

    fn grow(&mut self, now: Duration, bytes: f64, packet_bytes: f64) {
        let secs = now.saturating_sub(self.since).as_secs_f64();
        let wanted = CURVE * (secs - self.to_peak).powi(3) * packet_bytes + self.peak;
        if wanted > self.window {
            self.window += ((wanted - self.window) / self.window * bytes).min(GROWTH_MAX * bytes);
        }
    }

    fn cut(&mut self, now: Duration, floor: f64, packet_bytes: f64) {
        self.peak = if self.window < self.peak { FAST_CONVERGENCE * self.window } else { self.window };
        self.to_peak = secs_to_grow((1.0 - CUT) * self.peak, packet_bytes);
        self.window = (CUT * self.window).max(floor);
        (self.since, self.cut_at) = (now, Some(now));
    }
}

fn secs_to_grow(bytes: f64, packet_bytes: f64) -> f64 {
    (bytes / packet_bytes / CURVE).cbrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn down(round_rtt: f64) -> AfterDown {
        AfterDown {
            now: Duration::from_secs(1),
            round_rtt,
            empty_rtt: 0.05,
            jitter: 0.0,
            window: 100_000.0,
            window_peak: 120_000.0,
            packet_bytes: 1000.0,
        }
    }

    #[test]
    fn two_downs_with_a_queue_start_it_and_four_without_end_it() {
        let mut competing = Competing::default();
        competing.handle_down_ended(down(0.08));
        competing.handle_down_ended(down(0.05));
        competing.handle_down_ended(down(0.08));
        assert_eq!(competing.window(), None);
        competing.handle_down_ended(down(0.08));
        assert_eq!(competing.window(), Some(100_000.0));
        (0..3).for_each(|_| competing.handle_down_ended(down(0.05)));
        competing.handle_down_ended(down(0.08));
        (0..3).for_each(|_| competing.handle_down_ended(down(0.05)));
        assert!(competing.window().is_some());
        competing.handle_down_ended(down(0.05));
        assert_eq!(competing.window(), None);
    }

    #[test]
    fn a_burst_of_losses_cuts_once_and_the_window_comes_back() {
        let at = Duration::from_millis;
        let mut competing = Competing::default();
        (0..2).for_each(|_| competing.handle_down_ended(down(0.08)));
        (0..5).for_each(|n| competing.handle_lost(at(2000 + n), at(1990 + n), 6000.0, 1000.0));
        assert_eq!(competing.window(), Some(70_000.0));
        (0..3000).for_each(|n| competing.handle_ack(at(2000 + n), 1000.0, 1000.0));
        assert!(competing.window().expect("still beside him") > 85_000.0);
    }
}
