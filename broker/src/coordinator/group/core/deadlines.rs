//! Every moment at which a group has to act without being asked.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use protocol::MemberId;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Deadline {
    /// Members may join the next generation until here.
    Join,
    /// Members must have fetched their assignment by here.
    Sync,
    /// A member, or one that was given an id and has not come back with it, must have been heard by here.
    Session(MemberId),
}

/// At most one moment for each [`Deadline`].
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    at: BTreeMap<Deadline, Duration>,
    order: BTreeSet<(Duration, Deadline)>,
}

impl Deadlines {
    pub(super) fn set(&mut self, deadline: Deadline, at: Duration) {
        self.cancel(&deadline);
        self.at.insert(deadline.clone(), at);
        self.order.insert((at, deadline));
    }

    pub(super) fn cancel(&mut self, deadline: &Deadline) {
        if let Some(at) = self.at.remove(deadline) {
            self.order.remove(&(at, deadline.clone()));
        }
    }

    pub(super) fn next(&self) -> Option<Duration> {
        self.order.first().map(|(at, _)| *at)
    }

    pub(super) fn pop_due(&mut self, now: Duration) -> Option<Deadline> {
        if self.next()? > now {
            return None;
        }
        let (_, deadline) = self.order.pop_first()?;
        self.at.remove(&deadline);
        Some(deadline)
    }

    pub(super) fn clear(&mut self) {
        self.at.clear();
        self.order.clear();
    }
}

#[cfg(test)]
impl Deadlines {
    pub(super) fn holds(&self, deadline: &Deadline) -> bool {
        self.at.contains_key(deadline)
    }
}
