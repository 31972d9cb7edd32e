//! One assigned partition: its positions, its subscription, and how it stands.

use std::time::Duration;

use protocol::Offset;

use super::{
    LocalPosition, Mode, PartitionKey, PartitionState, PartitionView, Stall, chain::Chain, lag::Lag,
};
use crate::{link::Handle, ownership::HomeGeneration, stop::StopReason};

#[derive(Debug)]
pub(super) struct Partition {
    pub(super) key: PartitionKey,
    pub(super) mode: Mode,
    pub(super) generation: HomeGeneration,
    pub(super) stopped: Option<StopReason>,
    /// The driver was asked for the position.
    pub(super) locating: bool,
    pub(super) subscription: Option<Subscription>,
    /// The driver was asked to advance the log start.
    pub(super) advancing: bool,
    pub(super) log_start: Offset,
    pub(super) source_log_start: Offset,
    pub(super) applied_end: Offset,
    pub(super) durable_end: Offset,
    pub(super) lag: Lag,
    /// What was last told by `Command::Changed`.
    pub(super) told: PartitionState,
}

#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) handle: Handle,
    pub(super) asked_offset: Offset,
    pub(super) fresh: bool,
    pub(super) stage: Stage,
    /// Offsets may be missing.
    pub(super) compacted: bool,
    pub(super) chain: Chain,
    /// Waits in the queue of those that have something to apply.
    pub(super) queued: bool,
    pub(super) retry: Option<Retry>,
}

/// How far a subscription has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The source has been asked.
    Asked,
    /// The empty log is to begin where the source's does.
    StartingAt(Offset),
    /// Records are applied as they come. Behind `target`, where the source was at first, they are back-fill.
    Flowing { target: Offset },
}

/// The target did not take what was asked; it is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Retry {
    pub(super) at: Duration,
    pub(super) why: Stall,
    pub(super) delay: Duration,
    /// The time has come, and the outcome is not known yet.
    pub(super) trying: bool,
}

impl Partition {
    pub(super) fn new(key: PartitionKey, mode: Mode, generation: HomeGeneration) -> Self {
        Self {
            key,
            mode,
            generation,
            stopped: None,
            locating: false,
            subscription: None,
            advancing: false,
            log_start: Offset::ZERO,
            source_log_start: Offset::ZERO,
            applied_end: Offset::ZERO,
            durable_end: Offset::ZERO,
            lag: Lag::new(Offset::ZERO),
            told: PartitionState::Starting,
        }
    }

    pub(super) fn locate(&mut self, position: LocalPosition) {
        self.log_start = position.log_start;
        self.applied_end = position.next_offset;
        self.durable_end = position.durable_end;
        self.lag.reach(position.durable_end);
    }

    pub(super) fn note_durable(&mut self, end: Offset) {
        self.durable_end = self.durable_end.max(end);
        self.lag.reach(end);
    }

    /// Where the log start is to go: what the source no longer has goes here too, once all before it is here and safe.
    pub(super) fn next_log_start(&self) -> Option<Offset> {
        let flows = matches!(self.flowing(), Some(Stage::Flowing { .. }));
        let wanted = self.source_log_start > self.log_start && self.durable_end >= self.source_log_start;
        let may = self.mode == Mode::Replica && flows && !self.advancing && self.stopped.is_none();
        (may && wanted).then_some(self.source_log_start)
    }

    pub(super) fn state(&self) -> PartitionState {
        if let Some(reason) = &self.stopped {
            return PartitionState::Stopped(reason.clone());
        }
        if let Some(retry) = self.subscription.as_ref().and_then(|subscription| subscription.retry) {
            return PartitionState::Stalled(retry.why);
        }
        match self.flowing() {
            Some(Stage::Flowing { target }) if self.applied_end < target => PartitionState::Backfilling,
            Some(Stage::Flowing { .. }) => PartitionState::Live,
            Some(Stage::Asked | Stage::StartingAt(_)) | None => PartitionState::Starting,
        }
    }

    pub(super) fn view(&self, now: Duration) -> PartitionView {
        PartitionView {
            key: self.key,
            mode: self.mode,
            generation: self.generation,
            state: self.state(),
            applied_end: self.applied_end,
            durable_end: self.durable_end,
            source_end: self.lag.source_end(),
            lag_records: self.lag.records(),
            lag: self.lag.age(now),
        }
    }

    fn flowing(&self) -> Option<Stage> {
        self.subscription.as_ref().map(|subscription| subscription.stage)
    }
}
