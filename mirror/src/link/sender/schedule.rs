//! Which partition is read next: live ones before back-fill, each class by deficit round robin.

use std::collections::VecDeque;

use super::Class;
use crate::link::Handle;

/// What a partition of weight 1 may send in one turn.
pub(super) const QUANTUM_BYTES: i64 = 1 << 20;
pub(super) const WEIGHT_MAX: u32 = 100;

/// Partitions that have records to read. Each is in at most one place.
#[derive(Debug)]
pub(super) struct Schedule {
    live: VecDeque<Handle>,
    backfill: VecDeque<Handle>,
    /// Reads for live partitions in a row while back-fill waited.
    live_run: u32,
    backfill_every: u32,
}

impl Schedule {
    pub(super) fn new(backfill_every: u32) -> Self {
        Self {
            live: VecDeque::new(),
            backfill: VecDeque::new(),
            live_run: 0,
            backfill_every: backfill_every.max(2),
        }
    }

    /// The partition's turn is over, or begins.
    pub(super) fn push_back(&mut self, class: Class, handle: Handle) {
        self.queue(class).push_back(handle);
    }

    /// The partition's turn goes on.
    pub(super) fn push_front(&mut self, class: Class, handle: Handle) {
        self.queue(class).push_front(handle);
    }

    /// Takes the next partition for which there is room.
    pub(super) fn take(&mut self, live_room: bool, backfill_room: bool) -> Option<(Class, Handle)> {
        let backfill_waits = backfill_room && !self.backfill.is_empty();
        let backfill_due = backfill_waits && self.live_run + 1 >= self.backfill_every;
        if live_room
            && !backfill_due
            && let Some(handle) = self.live.pop_front()
        {
            self.live_run = if backfill_waits { self.live_run + 1 } else { 0 };
            return Some((Class::Live, handle));
        }
        if backfill_waits {
            self.live_run = 0;
            return self.backfill.pop_front().map(|handle| (Class::Backfill, handle));
        }
        None
    }

    pub(super) fn remove(&mut self, handle: Handle) {
        self.live.retain(|other| *other != handle);
        self.backfill.retain(|other| *other != handle);
    }

    fn queue(&mut self, class: Class) -> &mut VecDeque<Handle> {
        match class {
            Class::Live => &mut self.live,
            Class::Backfill => &mut self.backfill,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backfill_does_not_starve_live_and_gets_its_share_itself_case_37() {
        let mut schedule = Schedule::new(4);
        schedule.push_back(Class::Backfill, Handle(1));
        let mut order = Vec::new();
        for _ in 0..8 {
            schedule.push_back(Class::Live, Handle(2));
            let (class, handle) = schedule.take(true, true).unwrap();
            schedule.remove(Handle(2));
            if class == Class::Backfill {
                schedule.push_back(class, handle);
            }
            order.push(class);
        }
        let (l, b) = (Class::Live, Class::Backfill);
        assert_eq!(order, [l, l, l, b, l, l, l, b]);
    }

    #[test]
    fn live_goes_when_there_is_no_room_for_backfill() {
        let mut schedule = Schedule::new(2);
        schedule.push_back(Class::Backfill, Handle(1));
        schedule.push_back(Class::Live, Handle(2));
        schedule.push_back(Class::Live, Handle(3));
        assert_eq!(schedule.take(true, false), Some((Class::Live, Handle(2))));
        assert_eq!(schedule.take(true, false), Some((Class::Live, Handle(3))));
        assert_eq!(schedule.take(true, false), None);
    }
}
