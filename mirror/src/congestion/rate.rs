//! What the path can carry: the largest sample of the last few rounds.

use std::collections::VecDeque;

/// Rounds a sample is believed. Samples are never too large, so the largest counts; but rates fall.
const ROUNDS_KEPT: u64 = 5;
/// The same when a queue stands: then the rate has fallen, or is shared with somebody who came later.
const ROUNDS_KEPT_QUEUED: u64 = 3;
/// A queue stands when a round's least round trip is longer than the path's by this share of it and this time.
const QUEUE_RTTS: f64 = 0.3;
const QUEUE_SECS: f64 = 0.001;

/// The maximum over rounds. Rounds held back by the application do not age it, nor do those in which the sender is
/// deliberately slow.
#[derive(Debug, Clone, Default)]
pub(super) struct RateFilter {
    /// Round and rate, the rates falling: the first is the largest, each later one is what remains when it has gone.
    maxima: VecDeque<(u64, f64)>,
    round: u64,
    queued_rounds: u64,
}

impl RateFilter {
    /// Bytes a second; 0 as long as nothing was measured.
    pub(super) fn rate(&self) -> f64 {
        self.maxima.front().map_or(0.0, |(_, rate)| *rate)
    }

    pub(super) fn add(&mut self, rate: f64) {
        while self.maxima.back().is_some_and(|(_, smaller)| *smaller <= rate) {
            self.maxima.pop_back();
        }
        self.maxima.push_back((self.round, rate));
    }

    /// `round_rtt`: the least of the round; `min_rtt`: the path's.
    pub(super) fn end_round(&mut self, round_rtt: f64, min_rtt: f64) {
        self.round += 1;
        let queued = round_rtt - min_rtt > QUEUE_RTTS * min_rtt + QUEUE_SECS;
        self.queued_rounds = if queued { self.queued_rounds + 1 } else { 0 };
        let kept = if self.queued_rounds >= ROUNDS_KEPT_QUEUED { ROUNDS_KEPT_QUEUED } else { ROUNDS_KEPT };
        let oldest = self.round.saturating_sub(kept);
        while self.maxima.len() > 1 && self.maxima.front().is_some_and(|(round, _)| *round < oldest) {
            self.maxima.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds_until_forgotten(round_rtt: f64) -> u32 {
        let mut filter = RateFilter::default();
        filter.add(100.0);
        let mut rounds = 0;
        while filter.rate() > 50.0 {
            filter.end_round(round_rtt, 0.05);
            filter.add(50.0);
            rounds += 1;
        }
        rounds
    }

    #[test]
    fn a_rate_that_fell_is_believed_after_some_rounds_and_sooner_when_a_queue_stands() {
        assert_eq!(rounds_until_forgotten(0.05), 6);
        assert_eq!(rounds_until_forgotten(0.08), 4);
    }

    #[test]
    fn the_last_maximum_stays_when_no_other_came() {
        let mut filter = RateFilter::default();
        filter.add(7.0);
        (0..100).for_each(|_| filter.end_round(0.05, 0.05));
        assert_eq!(filter.rate(), 7.0);
    }
}
