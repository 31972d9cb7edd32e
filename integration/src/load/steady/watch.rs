//! How far the target of a stream is behind, and when it was level again after a mark.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard},
    time::{Duration, Instant},
};

/// A target that is behind by no more than this is level: it has nothing to catch up with.
const LEVEL: Duration = Duration::from_millis(500);

pub(super) struct Watch(Mutex<State>);

struct State {
    lanes: Vec<Lane>,
    marked: Option<Instant>,
    longest_delay: Duration,
}

/// A partition.
#[derive(Default)]
struct Lane {
    /// Acknowledged and not yet readable: the record after the last, and when.
    awaited: VecDeque<(u64, Instant)>,
    acked: u64,
    readable: u64,
    /// The first record that was acknowledged after the mark was readable.
    first: Option<Instant>,
    recovered: Option<Instant>,
}

impl Watch {
    pub(super) fn new(partitions: i32) -> Self {
        let lanes = (0..partitions).map(|_| Lane::default()).collect();
        Self(Mutex::new(State { lanes, marked: None, longest_delay: Duration::ZERO }))
    }

    pub(super) fn mark(&self, now: Instant) {
        let mut state = self.state();
        state.marked = Some(now);
        for lane in &mut state.lanes {
            (lane.first, lane.recovered) = (None, None);
        }
    }

    pub(super) fn acked(&self, partition: i32, end: u64, now: Instant) {
        self.state().change(partition, now, |lane| {
            lane.acked = end;
            lane.awaited.push_back((end, now));
        });
    }

    pub(super) fn readable(&self, partition: i32, end: u64, now: Instant) {
        self.state().change(partition, now, |lane| lane.readable = lane.readable.max(end));
    }

    pub(super) fn first(&self) -> Option<Duration> {
        let state = self.state();
        let first = state.lanes.iter().filter_map(|lane| lane.first).min()?;
        Some(first.duration_since(state.marked?))
    }

    pub(super) fn recovered(&self) -> Option<Duration> {
        let state = self.state();
        let each: Option<Vec<Instant>> = state.lanes.iter().map(|lane| lane.recovered).collect();
        Some(each?.into_iter().max()?.duration_since(state.marked?))
    }

    pub(super) fn longest_delay(&self) -> Duration {
        self.state().longest_delay
    }

    pub(super) fn awaited(&self) -> u64 {
        self.state().lanes.iter().map(|lane| lane.acked.saturating_sub(lane.readable)).sum()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nobody panics while holding it")
    }
}

impl State {
    fn change(&mut self, partition: i32, now: Instant, change: impl FnOnce(&mut Lane)) {
        let lane = &mut self.lanes[partition.unsigned_abs() as usize];
        change(lane);
        while let Some((end, acked)) = lane.awaited.front().copied() {
            if end > lane.readable {
                break;
            }
            lane.awaited.pop_front();
            self.longest_delay = self.longest_delay.max(now.saturating_duration_since(acked));
            if self.marked.is_none_or(|marked| acked < marked) {
                continue;
            }
            lane.first.get_or_insert(now);
            let behind = lane.awaited.front().map_or(Duration::ZERO, |(_, acked)| now.duration_since(*acked));
            if behind <= LEVEL {
                lane.recovered.get_or_insert(now);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_has_recovered_once_every_partition_is_level_after_the_mark() {
        let (watch, start) = (Watch::new(2), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        watch.acked(0, 10, at(0));
        watch.acked(1, 10, at(0));
        watch.mark(at(1_000));
        watch.readable(0, 10, at(1_100));
        assert_eq!((watch.first(), watch.recovered()), (None, None), "that was acknowledged before");
        watch.acked(0, 20, at(1_200));
        watch.acked(0, 30, at(1_300));
        watch.readable(0, 20, at(2_000));
        assert_eq!(watch.first(), Some(Duration::from_millis(1_000)));
        watch.acked(1, 20, at(2_000));
        watch.readable(1, 20, at(2_100));
        assert_eq!(watch.recovered(), None, "the other one is behind by more than is level");
        assert_eq!(watch.awaited(), 10);
        watch.readable(0, 30, at(2_500));
        assert_eq!(watch.recovered(), Some(Duration::from_millis(1_500)));
        assert_eq!(watch.longest_delay(), Duration::from_millis(2_100));
    }

    #[test]
    fn a_record_that_is_read_before_its_acknowledgement_comes_counts() {
        let (watch, start) = (Watch::new(1), Instant::now());
        watch.mark(start);
        watch.readable(0, 5, start);
        watch.acked(0, 5, start + Duration::from_millis(3));
        assert_eq!(watch.recovered(), Some(Duration::from_millis(3)));
        assert_eq!(watch.awaited(), 0);
    }
}
