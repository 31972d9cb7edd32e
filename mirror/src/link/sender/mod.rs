//! The sending end of a connection: decides what is read, and which block goes next.

mod event;

pub use event::{
    Class, Command, Event, LinkError, ReadBatches, ReadFailure, SourceEnds, SourceView, SubscriptionView,
};

use std::time::Duration;

use super::{
    limits::SenderSettings,
    wire::{Hello, ToTarget},
};

/// The sender of one connection; a new connection gets a new one.
#[derive(Debug)]
pub struct Sender {
    settings: SenderSettings,
    hello: Option<Hello>,
}

impl Sender {
    pub fn new(settings: SenderSettings, hello: Hello) -> Self {
        Self { settings, hello: Some(hello) }
    }

    /// `now` is the time since a fixed moment, by a clock that never goes back.
    pub fn handle(&mut self, _now: Duration, _event: Event) {}

    pub fn handle_timeout(&mut self, _now: Duration) {}

    /// What is to be done next.
    pub fn poll_command(&mut self) -> Option<Command> {
        None
    }

    /// What is to be written next to the control stream. Ask only when it can take more: what waits here is merged.
    pub fn poll_control(&mut self, _now: Duration) -> Option<ToTarget> {
        self.hello.take().map(ToTarget::Hello)
    }

    /// When to call [`Self::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Duration> {
        Some(self.settings.watermark_delay)
    }

    pub fn subscriptions(&self) -> impl Iterator<Item = SubscriptionView> {
        std::iter::empty()
    }
}
