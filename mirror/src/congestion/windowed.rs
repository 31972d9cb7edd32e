//! The least value of the last one to two periods.

use std::time::Duration;

/// Two buckets of one period each: no history to keep, and what is old leaves after two periods at most.
#[derive(Debug, Clone, Default)]
pub(super) struct WindowedMin {
    current: Option<Bucket>,
    previous: Option<f64>,
}

#[derive(Debug, Clone)]
struct Bucket {
    since: Duration,
    least: f64,
}

impl WindowedMin {
    pub(super) fn add(&mut self, now: Duration, value: f64, period: Duration) {
        match &mut self.current {
            Some(bucket) if now.saturating_sub(bucket.since) <= period => {
                bucket.least = bucket.least.min(value);
            }
            current => {
                self.previous = current.as_ref().map(|bucket| bucket.least);
                *current = Some(Bucket { since: now, least: value });
            }
        }
    }

    /// Forgets what was before.
    pub(super) fn restart(&mut self, now: Duration, value: f64) {
        (self.current, self.previous) = (Some(Bucket { since: now, least: value }), None);
    }

    pub(super) fn least(&self) -> Option<f64> {
        let current = self.current.as_ref()?.least;
        Some(self.previous.map_or(current, |previous| current.min(previous)))
    }
}

#[test]
fn an_old_value_is_forgotten_after_two_periods_and_not_before_one() {
    let (at, period) = (Duration::from_secs, Duration::from_secs(10));
    let mut min = WindowedMin::default();
    assert_eq!(min.least(), None);
    min.add(at(0), 1.0, period);
    min.add(at(9), 5.0, period);
    min.add(at(11), 4.0, period);
    assert_eq!(min.least(), Some(1.0));
    min.add(at(22), 7.0, period);
    assert_eq!(min.least(), Some(4.0));
}

#[test]
fn a_clock_that_goes_back_does_no_harm() {
    let mut min = WindowedMin::default();
    min.add(Duration::from_secs(5), 2.0, Duration::from_secs(1));
    min.add(Duration::ZERO, 3.0, Duration::from_secs(1));
    assert_eq!(min.least(), Some(2.0));
}
