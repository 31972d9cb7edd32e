//! CUBIC as RFC 9438 has it, for company: slow start, the curve, its Reno-friendly region, fast convergence.

use super::sender::{Control, PACKET_BYTES};

const CURVE: f64 = 0.4;
const CUT: f64 = 0.7;
const FRIENDLY: f64 = 3.0 * (1.0 - CUT) / (1.0 + CUT);
const WINDOW_INITIAL: f64 = 10.0;
const WINDOW_MIN: f64 = 2.0;

/// In packets and seconds.
pub(super) struct Cubic {
    window: f64,
    threshold: f64,
    peak: f64,
    to_peak: f64,
    cut_at: Option<f64>,
}

impl Default for Cubic {
    fn default() -> Self {
        Self { window: WINDOW_INITIAL, threshold: f64::MAX, peak: 0.0, to_peak: 0.0, cut_at: None }
    }
}

impl Control for Cubic {
    fn window(&self) -> f64 {
        self.window * PACKET_BYTES as f64
    }

    fn handle_sent(&mut self, _now: f64) {}

    fn handle_ack(&mut self, now: f64, sent: f64, _in_flight: u64, app_limited: bool) {
        if app_limited || self.cut_at.is_some_and(|cut_at| sent <= cut_at) {
            return;
        }
        if self.window < self.threshold {
            self.window += 1.0;
            return;
        }
        let (rtt, since) = (now - sent, now - self.cut_at.unwrap_or(now));
        let curve = CURVE * (since + rtt - self.to_peak).powi(3) + self.peak;
        let friendly = CUT * self.peak + FRIENDLY * since / rtt;
        let wanted = curve.max(friendly).min(1.5 * self.window);
        self.window += ((wanted - self.window) / self.window).max(0.0);
    }

    fn handle_lost(&mut self, now: f64, sent: f64, _packets: u64, everything: bool) {
        if self.cut_at.is_some_and(|cut_at| sent <= cut_at) {
            return;
        }
        let converging = self.window < self.peak;
        self.peak = if converging { self.window * (1.0 + CUT) / 2.0 } else { self.window };
        self.threshold = (CUT * self.window).max(WINDOW_MIN);
        self.window = if everything { WINDOW_MIN } else { self.threshold };
        self.to_peak = (self.peak * (1.0 - CUT) / CURVE).cbrt();
        self.cut_at = Some(now);
    }
}
