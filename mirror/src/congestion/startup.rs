//! When doubling ends: at the first sign of a queue, of a rate that no longer grows, or of much loss.

use std::time::Duration;

use super::round::Round;

/// A queue shows when the least delay of a quarter round trip exceeds the path's by this share and time, ...
const QUEUE_RTTS: f64 = 0.125;
const QUEUE_SECS: f64 = 0.001;
/// ... and by this many times its usual change from one quarter to the next: under jitter the least delay of a quarter varies
/// without any queue, and leaving on it would mean a crawl of seconds.
const QUEUE_DEVIATIONS: f64 = 2.0;
const DEVIATION_PACE: f64 = 0.25;
const QUARTER_RTTS: f64 = 0.25;
/// Fewer acknowledgements in a quarter have no least delay worth the name.
const QUARTER_SAMPLES_MIN: u32 = 4;
/// Doubling that yields less than this, this many rounds running, has found the end.
const GROWTH_MIN: f64 = 1.25;
const ROUNDS_WITHOUT_GROWTH: u32 = 3;
/// Losses that end it: a share no random loss within our goals has, and enough packets to be no accident.
const LOSS_MAX: f64 = 0.04;
const LOST_PACKETS_MIN: f64 = 10.0;

#[derive(Debug, Clone, Default)]
pub(super) struct Startup {
    best_rate: f64,
    rounds_without_growth: u32,
    quarter: Quarter,
}

/// The least delay of the running quarter of a round trip, and how it has varied.
#[derive(Debug, Clone, Default)]
struct Quarter {
    since: Option<Duration>,
    least: Option<f64>,
    samples: u32,
    previous: Option<f64>,
    deviation: f64,
}

impl Startup {
    /// Doubling anew from a known rate: the link turned out to be larger than it was believed to be.
    pub(super) fn again(rate: f64) -> Self {
        Self { best_rate: rate, ..Self::default() }
    }

    /// Whether a queue shows.
    pub(super) fn handle_rtt(&mut self, now: Duration, rtt: f64, min_rtt: f64) -> bool {
        let quarter = &mut self.quarter;
        let least = quarter.least.map_or(rtt, |least| least.min(rtt));
        quarter.least = Some(least);
        quarter.samples = quarter.samples.saturating_add(1);
        let since = *quarter.since.get_or_insert(now);
        if now.saturating_sub(since).as_secs_f64() <= QUARTER_RTTS * min_rtt {
            return false;
        }
        let enough = quarter.samples >= QUARTER_SAMPLES_MIN;
        let queued = enough && quarter.shows_queue(least, min_rtt);
        if enough {
            quarter.learn(least);
        }
        (quarter.since, quarter.least, quarter.samples) = (Some(now), None, 0);
        queued
    }

    /// Whether it is over.
    pub(super) fn handle_round(&mut self, round: &Round) -> bool {
        if !round.is_app_limited() {
            if round.best_rate() > GROWTH_MIN * self.best_rate {
                (self.best_rate, self.rounds_without_growth) = (round.best_rate(), 0);
            } else {
                self.rounds_without_growth += 1;
            }
        }
        let lossy = round.loss() > LOSS_MAX && round.lost_packets() >= LOST_PACKETS_MIN;
        self.rounds_without_growth >= ROUNDS_WITHOUT_GROWTH || lossy
    }
}

impl Quarter {
    fn shows_queue(&self, least: f64, min_rtt: f64) -> bool {
        least > min_rtt * (1.0 + QUEUE_RTTS) + QUEUE_SECS + QUEUE_DEVIATIONS * self.deviation
    }

    fn learn(&mut self, least: f64) {
        if let Some(previous) = self.previous {
            self.deviation += ((least - previous).abs() - self.deviation) * DEVIATION_PACE;
        }
        self.previous = Some(least);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_queue_ends_it_within_a_quarter_round_trip() {
        let mut startup = Startup::default();
        assert!((0..100).all(|at| !startup.handle_rtt(ms(at), 0.1, 0.1)));
        let ended = (100..200).position(|at| startup.handle_rtt(ms(at), 0.12, 0.1));
        assert!(ended.is_some_and(|after| after <= 52), "{ended:?}");
    }

    #[test]
    fn a_single_late_packet_does_not() {
        let mut startup = Startup::default();
        assert!((0..400).all(|at| {
            let rtt = if at % 10 == 0 { 0.1 } else { 0.3 };
            !startup.handle_rtt(ms(at), rtt, 0.1)
        }));
    }

    #[test]
    fn three_rounds_without_growth_end_it() {
        let mut startup = Startup::default();
        let mut rounds = 0;
        loop {
            let mut round = Round::default();
            round.handle_sample(Some(1000.0), false);
            rounds += 1;
            if startup.handle_round(&round) {
                break;
            }
        }
        assert_eq!(rounds, 4);
    }

    #[test]
    fn rounds_held_back_by_the_application_do_not() {
        let mut startup = Startup::default();
        let mut round = Round::default();
        round.handle_sample(Some(1000.0), true);
        assert!((0..100).all(|_| !startup.handle_round(&round)));
    }
}
