//! What has happened so far, shared by the parts of the demo; whoever waits for something waits here.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use core_log::Clock;

use super::{ledger::Ledger, processed::Processed, region::Region, world::PARTITIONS};

/// How far back the lag that is shown goes.
const LAG_SHOWN_US: u64 = 5_000_000;

/// A cheap handle.
#[derive(Clone)]
pub(super) struct Progress {
    clock: Arc<dyn Clock>,
    state: Arc<Mutex<State>>,
    changes: watch::Sender<()>,
}

#[derive(Debug)]
pub(super) struct State {
    /// What the script does, in words.
    pub(super) step: &'static str,
    pub(super) home: Region,
    /// Events made; they are numbered from 0.
    pub(super) produced: u64,
    /// The producer has ended, and everything it sent was answered.
    pub(super) answered: bool,
    pub(super) ledger: Ledger,
    /// By partition, over both regions.
    pub(super) processed: Vec<Processed>,
    pub(super) regions: [Seen; 2],
}

/// What was last seen of a region.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Records of the topic, over its partitions; `None` before it is there.
    pub(super) records: Option<i64>,
    /// What the group has committed there, over the partitions.
    pub(super) group: Option<i64>,
}

/// A moment of the whole, for showing it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Snapshot {
    pub(super) at_us: u64,
    pub(super) step: &'static str,
    pub(super) home: Region,
    pub(super) acked: u64,
    pub(super) processed: u64,
    pub(super) regions: [Seen; 2],
    /// Of the last seconds, ascending.
    pub(super) lags_us: Vec<u64>,
}

impl Progress {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        let state = State {
            step: "preparing",
            home: Region::East,
            produced: 0,
            answered: false,
            ledger: Ledger::new(PARTITIONS),
            processed: (0..PARTITIONS).map(|_| Processed::default()).collect(),
            regions: [Seen::default(); 2],
        };
        Self { clock, state: Arc::new(Mutex::new(state)), changes: watch::Sender::new(()) }
    }

    pub(super) fn now_us(&self) -> u64 {
        u64::try_from(self.clock.monotonic().as_micros()).unwrap_or(u64::MAX)
    }

    pub(super) fn wall_ms(&self) -> i64 {
        self.clock.wall_ms()
    }

    /// Says what comes now.
    pub(super) fn enter(&self, step: &'static str) {
        self.change(|state| state.step = step);
    }

    pub(super) fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changes.send_replace(());
        changed
    }

    /// Waits until something holds.
    pub(super) async fn until(&self, mut holds: impl FnMut(&State) -> bool) {
        let mut changes = self.changes.subscribe();
        while !self.look(&mut holds) {
            // The sender is ours, so it is there.
            drop(changes.changed().await);
        }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let at_us = self.now_us();
        self.look(|state| Snapshot {
            at_us,
            step: state.step,
            home: state.home,
            acked: state.ledger.acked(),
            processed: state.processed.iter().map(Processed::count).sum(),
            regions: state.regions,
            lags_us: state.ledger.lags_us(at_us.saturating_sub(LAG_SHOWN_US)),
        })
    }
}

impl Seen {
    /// What was asked a moment ago: the consumer, who knows at once, may have told more since, and a region that does not
    /// tell has not forgotten. A group is never beyond the records.
    pub(super) fn learn(&mut self, asked: Self) {
        self.group = self.group.max(asked.group);
        self.records = self.records.max(asked.records).max(self.group);
    }
}

impl State {
    pub(super) fn process(&mut self, partition: i32, offsets: impl Iterator<Item = i64>) {
        let processed = usize::try_from(partition).ok().and_then(|at| self.processed.get_mut(at));
        if let Some(processed) = processed {
            offsets.for_each(|offset| processed.note(offset));
        }
    }

    pub(super) fn seen(&self, region: Region) -> &Seen {
        let [east, west] = &self.regions;
        match region {
            Region::East => east,
            Region::West => west,
        }
    }

    pub(super) fn seen_mut(&mut self, region: Region) -> &mut Seen {
        let [east, west] = &mut self.regions;
        match region {
            Region::East => east,
            Region::West => west,
        }
    }
}
