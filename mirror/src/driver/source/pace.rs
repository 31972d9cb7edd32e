//! A link's declared rate: blocks leave no faster, over all its connections.

use std::{num::NonZeroU64, time::Duration};

use parking_lot::Mutex;

/// What an idle link saves up: enough that a timer's lateness costs nothing.
const SAVED: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(crate) struct Pace {
    bytes_per_second: NonZeroU64,
    /// When all that was let out before has left, at that rate.
    free_at: Mutex<Duration>,
}

impl Pace {
    pub(crate) fn new(bytes_per_second: NonZeroU64) -> Self {
        Self { bytes_per_second, free_at: Mutex::default() }
    }

    /// Takes the next place for so many bytes; answers how long to wait for it.
    pub(super) fn reserve(&self, now: Duration, bytes: u64) -> Duration {
        let mut free_at = self.free_at.lock();
        let begin = (*free_at).max(now.saturating_sub(SAVED));
        let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(self.bytes_per_second.get());
        *free_at = begin.saturating_add(Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)));
        begin.saturating_sub(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn bytes_leave_at_the_rate_and_not_before_those_that_came_first() {
        let pace = Pace::new(NonZeroU64::new(1_000).expect("not zero"));
        assert_eq!(pace.reserve(seconds(10), 2_000), Duration::ZERO);
        assert_eq!(pace.reserve(seconds(10), 1_000), seconds(2) - SAVED);
        assert_eq!(pace.reserve(seconds(11), 1), seconds(2) - SAVED);
    }

    #[test]
    fn an_idle_link_saves_up_little() {
        let pace = Pace::new(NonZeroU64::new(1_000).expect("not zero"));
        assert_eq!(pace.reserve(seconds(1_000), 1_000), Duration::ZERO);
        assert_eq!(pace.reserve(seconds(1_000), 1), seconds(1) - SAVED);
    }
}
