//! The receiving end of a link: decides where to resume, what may be applied, and how much may be under way.

mod event;

pub use event::{
    Apply, ApplyFailure, Command, Event, LocalPosition, Mode, PartitionKey, PartitionState, PartitionView,
    Stall,
};

use std::time::Duration;

use super::{limits::ReceiverSettings, wire::ToSource};

/// The receiver of a link; lives on over connections.
#[derive(Debug)]
pub struct Receiver {
    settings: ReceiverSettings,
}

impl Receiver {
    pub fn new(settings: ReceiverSettings) -> Self {
        Self { settings }
    }

    /// `now` is the time since a fixed moment, by a clock that never goes back.
    pub fn handle(&mut self, _now: Duration, _event: Event) {}

    pub fn handle_timeout(&mut self, _now: Duration) {}

    /// What is to be done next.
    pub fn poll_command(&mut self) -> Option<Command> {
        None
    }

    /// What is to be written next to the control stream. Ask only when it can take more: what waits here is merged.
    pub fn poll_control(&mut self) -> Option<ToSource> {
        None
    }

    /// When to call [`Self::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Duration> {
        Some(self.settings.ack_delay)
    }

    pub fn partitions(&self, _now: Duration) -> impl Iterator<Item = PartitionView> {
        std::iter::empty()
    }
}
