//! How long the path is when its queue is empty, and by how much that varies.

use std::time::Duration;

use super::detour::{Detour, Longer};
use super::limits::RTT_MIN_SECS;
use super::round::Round;
use super::windowed::WindowedMin;

/// The least round trip is believed for one to two times this long, or this many round trips if those take longer: a route
/// may become longer. The Down phase comes round several times in it, and shows the empty path.
const SHORT_MEMORY_SECS: f64 = 5.0;
const SHORT_MEMORY_RTTS: f64 = 60.0;
/// A queue that somebody else keeps filled hides the empty path for as long as he likes; to recognise him takes a longer
/// memory, which nothing else relies on.
const LONG_MEMORY: Duration = Duration::from_secs(60);
/// A path of more than a second is measured as one of a second: memory must end some time.
const MEMORY_RTT_MAX_SECS: f64 = 1.0;
/// Jitter counts at most as the path itself or as this much: beyond it is no jitter but a queue.
const JITTER_MAX_SECS: f64 = 0.03;
/// It is learnt faster than forgotten: too small starves the link, too large is a small queue.
const JITTER_RISE: f64 = 0.25;
const JITTER_FALL: f64 = 0.125;
/// With a mean delay of that much, the late half of the packets leaves a gap somewhat larger than the mean.
const JITTER_WEIGHT: f64 = 1.3;
/// Fewer round trips than this have no mean worth the name.
const JITTER_SAMPLES_MIN: f64 = 4.0;

#[derive(Debug, Clone, Default)]
pub(super) struct PathDelay {
    short: WindowedMin,
    long: WindowedMin,
    jitter: f64,
    detour: Detour,
}

impl PathDelay {
    pub(super) fn handle_rtt(&mut self, now: Duration, rtt: f64) {
        let known = self.min_rtt().unwrap_or(0.0).min(MEMORY_RTT_MAX_SECS);
        let memory = Duration::from_secs_f64((SHORT_MEMORY_RTTS * known).max(SHORT_MEMORY_SECS));
        self.short.add(now, rtt, memory);
        self.long.add(now, rtt, LONG_MEMORY);
    }

    /// Of any round the application did not hold back; `window`: the one its packets were sent under. Whether the path is another
    /// one now.
    pub(super) fn handle_round(&mut self, now: Duration, round: &Round, window: f64) -> bool {
        let known = self.min_or_least() + self.jitter;
        let longer = self.detour.handle_round(round, window, known);
        match longer {
            // The longer memory is kept if it may be a competitor: it is what he is recognised by.
            Some(Longer::Perhaps(rtt)) => self.short.restart(now, rtt),
            Some(Longer::Path(rtt)) => {
                self.short.restart(now, rtt);
                self.long.restart(now, rtt);
            }
            None => {}
        }
        matches!(longer, Some(Longer::Path(_)))
    }

    /// Of a round in which the sender kept its own queue steady.
    pub(super) fn handle_settled_round(&mut self, round: &Round) {
        let (Some(mean), Some(least)) = (round.mean_rtt(), round.least_rtt()) else { return };
        if round.rtt_count() < JITTER_SAMPLES_MIN {
            return;
        }
        let seen = (mean - least).clamp(0.0, self.min_or_least().max(JITTER_MAX_SECS));
        let pace = if seen > self.jitter { JITTER_RISE } else { JITTER_FALL };
        self.jitter += (seen - self.jitter) * pace;
    }

    /// Seconds; `None` before the first acknowledgement.
    pub(super) fn min_rtt(&self) -> Option<f64> {
        self.short.least()
    }

    pub(super) fn long_min_rtt(&self) -> Option<f64> {
        self.long.least()
    }

    pub(super) fn jitter(&self) -> f64 {
        self.jitter
    }

    /// The time whose worth of data fills the path.
    pub(super) fn length(&self) -> f64 {
        self.min_or_least() + self.allowance()
    }

    /// The same by the longer memory: never longer.
    pub(super) fn long_length(&self) -> f64 {
        self.long_min_rtt().unwrap_or(RTT_MIN_SECS) + self.allowance()
    }

    fn allowance(&self) -> f64 {
        JITTER_WEIGHT * self.jitter
    }

    fn min_or_least(&self) -> f64 {
        self.min_rtt().unwrap_or(RTT_MIN_SECS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(rtts: &[f64]) -> Round {
        let mut round = Round::default();
        rtts.iter().for_each(|rtt| round.handle_ack(1000, *rtt));
        round
    }

    #[test]
    fn jitter_is_learnt_and_forgotten() {
        let mut path = PathDelay::default();
        path.handle_rtt(Duration::ZERO, 0.05);
        (0..30).for_each(|_| path.handle_settled_round(&round(&[0.05, 0.07, 0.05, 0.07])));
        assert!((path.jitter() - 0.01).abs() < 0.001, "{}", path.jitter());
        (0..60).for_each(|_| path.handle_settled_round(&round(&[0.05; 4])));
        assert!(path.jitter() < 0.0001, "{}", path.jitter());
    }

    #[test]
    fn a_queue_does_not_pass_for_jitter() {
        let mut path = PathDelay::default();
        path.handle_rtt(Duration::ZERO, 0.001);
        (0..100).for_each(|_| path.handle_settled_round(&round(&[0.001, 3.0, 3.0, 3.0])));
        assert!(path.jitter() <= JITTER_MAX_SECS);
    }
}
