//! How far the target is behind, in records and in time.
//!
//! Time is our own: since when we have known of the oldest source end that is not durable here. Clocks of two sites are
//! never compared, and a record's timestamp, which may be a producer's fancy or years old, plays no part.

use std::{collections::VecDeque, time::Duration};

use protocol::Offset;

/// Of a partition. More are merged, so that the age is never understated.
const MARKS_MAX: usize = 64;

#[derive(Debug)]
pub(super) struct Lag {
    source_end: Offset,
    durable_end: Offset,
    /// Ends that are not durable yet, ascending, and since when they are known.
    marks: VecDeque<(Offset, Duration)>,
}

impl Lag {
    pub(super) fn new(durable_end: Offset) -> Self {
        Self { source_end: durable_end, durable_end, marks: VecDeque::new() }
    }

    pub(super) fn hear(&mut self, now: Duration, source_end: Offset) {
        if source_end <= self.source_end {
            return;
        }
        self.source_end = source_end;
        if source_end > self.durable_end {
            self.marks.push_back((source_end, now));
        }
        if self.marks.len() > MARKS_MAX {
            self.thin();
        }
    }

    pub(super) fn reach(&mut self, durable_end: Offset) {
        self.durable_end = self.durable_end.max(durable_end);
        while self.marks.front().is_some_and(|(end, _)| *end <= self.durable_end) {
            self.marks.pop_front();
        }
    }

    pub(super) fn source_end(&self) -> Offset {
        self.source_end
    }

    pub(super) fn records(&self) -> u64 {
        u64::try_from(self.source_end - self.durable_end).unwrap_or(0)
    }

    pub(super) fn age(&self, now: Duration) -> Duration {
        self.marks.front().map_or(Duration::ZERO, |(_, heard)| now.saturating_sub(*heard))
    }

    /// Makes one mark of two: the later end, known since the earlier time.
    fn thin(&mut self) {
        let mut merged = VecDeque::with_capacity(MARKS_MAX);
        while let Some((end, heard)) = self.marks.pop_front() {
            let end = self.marks.pop_front().map_or(end, |(later, _)| later);
            merged.push_back((end, heard));
        }
        self.marks = merged;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_age_is_that_of_the_oldest_end_not_reached_case_40() {
        let mut lag = Lag::new(Offset(10));
        lag.hear(at(1), Offset(20));
        lag.hear(at(4), Offset(30));
        assert_eq!((lag.records(), lag.age(at(5))), (20, at(4)));
        lag.reach(Offset(20));
        assert_eq!((lag.records(), lag.age(at(5))), (10, at(1)));
        lag.reach(Offset(30));
        assert_eq!((lag.records(), lag.age(at(9))), (0, at(0)));
    }

    #[test]
    fn many_ends_are_merged_without_understating_the_age() {
        let mut lag = Lag::new(Offset(0));
        for heard in 1..=1000 {
            lag.hear(at(heard), Offset(heard as i64));
        }
        assert!(lag.marks.len() <= MARKS_MAX);
        lag.reach(Offset(500));
        assert!(lag.age(at(1000)) >= at(499));
    }
}
