//! What the controller is about, and how long each of that lasts.
//!
//! ```text
//!   Startup --queue, no growth or loss--> Drain --in flight fits the path--> Cruise --every 20 rounds--> Down --2 rounds--> Cruise
//!      ^                                                                       |
//!      +------------------------- the rate grows ------------------------------+
//! ```

use std::collections::VecDeque;
use std::time::Duration;

use super::startup::Startup;

/// Down comes round after this many rounds and this much time: often enough to see the empty path several times within its
/// memory, rarely enough to cost 2 % of the throughput. Flows synchronise on it by themselves, since all see the queue go.
const CRUISE_ROUNDS: u64 = 20;
const CRUISE_TIME: Duration = Duration::from_secs(1);
/// Where somebody else's queue makes rounds long, that many and that much time are enough: he would have taken all before.
const CRUISE_ROUNDS_LONG: u64 = 8;
const CRUISE_TIME_LONG: Duration = Duration::from_secs(5);
/// Beside somebody who fills the queue each Down gives him room, so they come half as often again.
const CRUISE_FACTOR_COMPETING: u32 = 3;
const CRUISE_DIVISOR_COMPETING: u32 = 2;
/// One round for the window to take effect, one to see what it did.
const DOWN_ROUNDS: u32 = 2;
/// After Down the rate is not measured for this many rounds: the flow that returns first finds the link empty, and its spike
/// would undo all convergence.
const REFILL_ROUNDS: u32 = 4;
/// Before that many rounds in Cruise the flow's own queue is still moving, and its delays are no jitter.
const SETTLING_ROUNDS: u32 = 3;
/// The link is larger than believed when its rate grew by this from round to round this many times running, ...
const GROWTH: f64 = 1.08;
const GROWTH_ROUNDS: u32 = 2;
/// ... or by this over that many rounds.
const GROWTH_LONG: f64 = 1.3;
const GROWTH_LONG_ROUNDS: usize = 4;

#[derive(Debug, Clone)]
pub(super) enum Phase {
    /// Doubles each round.
    Startup(Startup),
    /// Lets the queue go that Startup built.
    Drain,
    /// Fills the path, with some headroom.
    Cruise(Cruise),
    /// Steps back, to see the path empty.
    Down { rounds_left: u32 },
}

#[derive(Debug, Clone)]
pub(super) struct Cruise {
    since: Duration,
    rounds: u64,
    refill_rounds_left: u32,
    settled_rounds: u32,
}

impl Phase {
    pub(super) fn down() -> Self {
        Self::Down { rounds_left: DOWN_ROUNDS }
    }

    /// Whether rates seen now say something about the path.
    pub(super) fn measures_rate(&self) -> bool {
        match self {
            Self::Startup(_) | Self::Drain => true,
            Self::Cruise(cruise) => cruise.refill_rounds_left == 0,
            Self::Down { .. } => false,
        }
    }

    /// Whether the round that ends is one whose queue had run empty.
    pub(super) fn ends_drained(&self) -> bool {
        matches!(self, Self::Down { rounds_left: 1 })
    }
}

impl Cruise {
    pub(super) fn after_drain(now: Duration) -> Self {
        Self { since: now, rounds: 0, refill_rounds_left: 0, settled_rounds: 0 }
    }

    pub(super) fn after_down(now: Duration) -> Self {
        Self { refill_rounds_left: REFILL_ROUNDS, ..Self::after_drain(now) }
    }

    pub(super) fn handle_round(&mut self, app_limited: bool) {
        self.rounds += 1;
        self.refill_rounds_left = self.refill_rounds_left.saturating_sub(1);
        self.settled_rounds = self.settled_rounds.saturating_add(u32::from(!app_limited));
    }

    pub(super) fn is_settled(&self) -> bool {
        self.settled_rounds > SETTLING_ROUNDS
    }

    pub(super) fn is_over(&self, now: Duration, competing: bool) -> bool {
        let stretched = |factor: u32, divisor: u32| {
            let rounds = CRUISE_ROUNDS * u64::from(factor) / u64::from(divisor);
            let time = now.saturating_sub(self.since);
            self.rounds >= rounds && time >= CRUISE_TIME * factor / divisor
                || self.rounds >= CRUISE_ROUNDS_LONG && time >= CRUISE_TIME_LONG
        };
        if competing { stretched(CRUISE_FACTOR_COMPETING, CRUISE_DIVISOR_COMPETING) } else { stretched(1, 1) }
    }
}

/// The rate of the last rounds, to notice that it grows.
#[derive(Debug, Clone, Default)]
pub(super) struct Growth {
    rates: VecDeque<f64>,
    rising_rounds: u32,
}

impl Growth {
    /// Before the rate of the round that ends is added by [`Self::handle_round`].
    pub(super) fn shows(&mut self, rate: f64) -> bool {
        let grew = |before: Option<&f64>, factor: f64| before.is_some_and(|before| rate > factor * before);
        let rises = grew(self.rates.back(), GROWTH);
        self.rising_rounds = if rises { self.rising_rounds + 1 } else { 0 };
        let long = self.rates.len() >= GROWTH_LONG_ROUNDS && grew(self.rates.front(), GROWTH_LONG);
        self.rising_rounds >= GROWTH_ROUNDS || long
    }

    pub(super) fn handle_round(&mut self, rate: f64) {
        if self.rates.len() >= GROWTH_LONG_ROUNDS {
            self.rates.pop_front();
        }
        self.rates.push_back(rate);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noticed(rates: &[f64]) -> Option<usize> {
        let mut growth = Growth::default();
        rates.iter().position(|rate| {
            let shows = growth.shows(*rate);
            growth.handle_round(*rate);
            shows
        })
    }

    #[test]
    fn two_rising_rounds_or_a_slow_rise_are_growth_and_a_spike_is_none() {
        assert_eq!(noticed(&[100.0, 100.0, 110.0, 120.0]), Some(3));
        assert_eq!(noticed(&[100.0, 107.0, 114.0, 122.0, 130.1]), Some(4));
        assert_eq!(noticed(&[100.0, 100.0, 110.0, 110.0, 110.0, 119.0]), None);
    }

    #[test]
    fn cruise_lasts_twenty_rounds_and_a_second_and_longer_beside_a_competitor() {
        let mut cruise = Cruise::after_drain(Duration::ZERO);
        (0..20).for_each(|_| cruise.handle_round(false));
        assert!(!cruise.is_over(Duration::from_millis(999), false));
        assert!(cruise.is_over(Duration::from_millis(1000), false));
        assert!(!cruise.is_over(Duration::from_millis(1500), true));
        (0..10).for_each(|_| cruise.handle_round(false));
        assert!(cruise.is_over(Duration::from_millis(1500), true));
    }
}
