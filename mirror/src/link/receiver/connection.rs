//! What holds for one connection: credit, and which blocks have come.

use std::{collections::BTreeSet, time::Duration};

use crate::link::{BlockNumber, Handle, limits::BLOCKS_AHEAD_MAX, sender::LinkError, wire::Hello};

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) link: String,
    pub(super) topology: String,
    pub(super) peer: Option<Hello>,
    pub(super) credit: Credit,
    pub(super) arrivals: Arrivals,
    pub(super) next_handle: u32,
    pub(super) next_ping: Duration,
}

impl Connection {
    pub(super) fn new(ours: &Hello, credit_window: u64, now: Duration) -> Self {
        Self {
            link: ours.link.clone(),
            topology: ours.topology.clone(),
            peer: None,
            credit: Credit::new(credit_window),
            arrivals: Arrivals::default(),
            next_handle: 0,
            next_ping: now,
        }
    }

    pub(super) fn take_handle(&mut self) -> Handle {
        let handle = Handle(self.next_handle);
        self.next_handle = self.next_handle.saturating_add(1);
        handle
    }
}

/// Wire bytes: what was granted in all is always what was consumed and the window.
#[derive(Debug)]
pub(super) struct Credit {
    window: u64,
    granted: u64,
    received: u64,
    consumed: u64,
}

impl Credit {
    fn new(window: u64) -> Self {
        Self { window, granted: 0, received: 0, consumed: 0 }
    }

    /// The sender counted on the grant that it has heard of, or on less.
    pub(super) fn receive(&mut self, bytes: u64) -> Result<(), LinkError> {
        self.received += bytes;
        if self.received > self.granted {
            return Err(LinkError::CreditExceeded { granted: self.granted, sent: self.received });
        }
        Ok(())
    }

    /// Applied, or dropped.
    pub(super) fn consume(&mut self, bytes: u64) {
        self.consumed += bytes;
        debug_assert!(self.consumed <= self.received, "nothing is consumed twice");
    }

    /// So much can be granted anew that the sender should hear of it at once.
    pub(super) fn is_urgent(&self) -> bool {
        self.pending() >= self.window / 8
    }

    pub(super) fn pending(&self) -> u64 {
        (self.consumed + self.window).saturating_sub(self.granted)
    }

    pub(super) fn grant(&mut self) -> u64 {
        self.granted = self.consumed + self.window;
        self.granted
    }

    pub(super) fn unapplied(&self) -> u64 {
        self.received.saturating_sub(self.consumed)
    }
}

/// Which block numbers have come: all before `contiguous`, and some after.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    contiguous: u64,
    ahead: BTreeSet<u64>,
}

impl Arrivals {
    /// `false`: the number came before.
    pub(super) fn note(&mut self, BlockNumber(number): BlockNumber) -> Result<bool, LinkError> {
        if number < self.contiguous || !self.ahead.insert(number) {
            return Ok(false);
        }
        while self.ahead.remove(&self.contiguous) {
            self.contiguous += 1;
        }
        if self.ahead.len() > BLOCKS_AHEAD_MAX {
            return Err(LinkError::TooFarAhead(BLOCKS_AHEAD_MAX));
        }
        Ok(true)
    }

    pub(super) fn contiguous(&self) -> BlockNumber {
        BlockNumber(self.contiguous)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_consumed_is_granted_again_and_no_more() {
        let mut credit = Credit::new(800);
        assert_eq!(credit.grant(), 800);
        credit.receive(300).unwrap();
        assert_eq!((credit.pending(), credit.unapplied()), (0, 300));
        credit.consume(99);
        assert!(!credit.is_urgent());
        credit.consume(1);
        assert!(credit.is_urgent());
        assert_eq!(credit.grant(), 900);
        assert_eq!(credit.receive(601), Err(LinkError::CreditExceeded { granted: 900, sent: 901 }));
    }

    #[test]
    fn arrivals_know_what_came_whatever_the_order() {
        let mut arrivals = Arrivals::default();
        for number in [2, 0, 4] {
            assert_eq!(arrivals.note(BlockNumber(number)), Ok(true));
        }
        assert_eq!(arrivals.contiguous(), BlockNumber(1));
        assert_eq!(arrivals.note(BlockNumber(2)), Ok(false));
        assert_eq!(arrivals.note(BlockNumber(0)), Ok(false));
        assert_eq!(arrivals.note(BlockNumber(1)), Ok(true));
        assert_eq!(arrivals.contiguous(), BlockNumber(3));
    }

    #[test]
    fn a_sender_that_leaves_a_number_out_is_found_in_bounded_memory() {
        let mut arrivals = Arrivals::default();
        let found = (1..).map(|number| arrivals.note(BlockNumber(number))).find(Result::is_err);
        assert_eq!(found, Some(Err(LinkError::TooFarAhead(BLOCKS_AHEAD_MAX))));
    }
}
