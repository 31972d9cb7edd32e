//! How long to wait before trying again.

use std::time::Duration;

use super::limits::{REDIAL_MAX, REDIAL_MIN};

/// Doubles from attempt to attempt up to a limit; the upper half of each pause is random, so that peers that failed together
/// do not come back together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The pause after one more failure. `random` is evenly spread.
    pub(crate) fn next_pause(&mut self, random: u64) -> Duration {
        let factor = 1_u32 << self.failures.min(16);
        self.failures = self.failures.saturating_add(1);
        let whole = REDIAL_MIN.saturating_mul(factor).min(REDIAL_MAX);
        let half = whole / 2;
        let spread = u64::try_from(half.as_micros()).unwrap_or(u64::MAX).max(1);
        half + Duration::from_micros(random % spread)
    }

    /// It worked: the next failure is a first one.
    pub(crate) fn succeeded(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_limit_and_start_again_after_a_success() {
        let mut backoff = Backoff::default();
        let pauses: Vec<_> = (0..10).map(|_| backoff.next_pause(0)).collect();
        assert_eq!(pauses[..3], [REDIAL_MIN / 2, REDIAL_MIN, REDIAL_MIN * 2]);
        assert_eq!(pauses[9], REDIAL_MAX / 2);
        backoff.succeeded();
        assert_eq!(backoff.next_pause(0), REDIAL_MIN / 2);
    }

    #[test]
    fn jitter_stays_within_the_upper_half() {
        for random in [0, 1, 77_777, u64::MAX] {
            let mut backoff = Backoff { failures: 40 };
            let pause = backoff.next_pause(random);
            assert!(pause >= REDIAL_MAX / 2 && pause < REDIAL_MAX, "{pause:?}");
        }
    }
}
