//! What waits to be written to the control stream.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use crate::link::{Handle, wire::ToSource};

#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// In order, none left out.
    pub(super) messages: VecDeque<ToSource>,
    /// Subscriptions whose durable end grew; only the newest is said.
    acks: BTreeSet<Handle>,
    /// When acks and small credit are said at the latest.
    due: Option<Duration>,
    /// It is that time.
    flushing: bool,
}

impl Outbox {
    pub(super) fn ack(&mut self, handle: Handle, due: Duration) {
        self.acks.insert(handle);
        self.delay(due);
    }

    /// Something small waits for more.
    pub(super) fn delay(&mut self, due: Duration) {
        self.due.get_or_insert(due);
    }

    pub(super) fn due(&self) -> Option<Duration> {
        self.due
    }

    /// What waited may go.
    pub(super) fn flush(&mut self, now: Duration) {
        if self.due.is_some_and(|due| due <= now) {
            self.due = None;
            self.flushing = true;
        }
    }

    pub(super) fn is_flushing(&self) -> bool {
        self.flushing
    }

    pub(super) fn take_ack(&mut self) -> Option<Handle> {
        if !self.flushing {
            return None;
        }
        let handle = self.acks.pop_first();
        self.flushing = handle.is_some();
        handle
    }
}
