//! How much more may be sent: the receiver's credit, and what the transport should hold.

use crate::link::{
    block::HEADER_SIZE,
    limits::{BLOCK_BYTES_MAX, TRANSPORT_WINDOW_BYTES},
};

/// What a read may turn into: a block as large as can be.
pub(super) const READ_BYTES: u64 = (BLOCK_BYTES_MAX + HEADER_SIZE) as u64;

/// Bytes are charged before anything is read for them, so that whatever was read can go.
#[derive(Debug)]
pub(super) struct Budget {
    /// The first grant: all that can ever be under way at once.
    credit_window: u64,
    credit_granted: u64,
    credit_charged: u64,
    transport_window: u64,
    transport_charged: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            credit_window: 0,
            credit_granted: 0,
            credit_charged: 0,
            transport_window: TRANSPORT_WINDOW_BYTES,
            transport_charged: 0,
        }
    }
}

impl Budget {
    /// The receiver's grant is a sum since the connection began; it never falls.
    pub(super) fn grant(&mut self, total_bytes: u64) -> Result<(), (u64, u64)> {
        if total_bytes < self.credit_granted {
            return Err((self.credit_granted, total_bytes));
        }
        if self.credit_window == 0 {
            self.credit_window = total_bytes;
        }
        self.credit_granted = total_bytes;
        Ok(())
    }

    pub(super) fn credit_window(&self) -> u64 {
        self.credit_window
    }

    pub(super) fn set_transport_window(&mut self, bytes: u64) {
        self.transport_window = bytes.max(TRANSPORT_WINDOW_BYTES);
    }

    pub(super) fn credit_room(&self) -> u64 {
        self.credit_granted.saturating_sub(self.credit_charged)
    }

    /// Room for `bytes` that are to go at once.
    pub(super) fn has_room(&self, bytes: u64) -> bool {
        self.credit_room() >= bytes && self.transport_charged + bytes <= self.transport_window
    }

    /// Room for a fragment whose credit is charged already; the transport takes at least one block.
    pub(super) fn transport_takes(&self, bytes: u64) -> bool {
        self.transport_charged == 0 || self.transport_charged + bytes <= self.transport_window
    }

    pub(super) fn charge_credit(&mut self, bytes: u64) {
        self.credit_charged += bytes;
    }

    pub(super) fn charge_transport(&mut self, bytes: u64) {
        self.transport_charged += bytes;
    }

    /// What was charged too much.
    pub(super) fn refund_credit(&mut self, bytes: u64) {
        self.credit_charged = self.credit_charged.saturating_sub(bytes);
    }

    pub(super) fn release_transport(&mut self, bytes: u64) {
        self.transport_charged = self.transport_charged.saturating_sub(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credit_that_falls_is_refused() {
        let mut budget = Budget::default();
        assert_eq!(budget.grant(100), Ok(()));
        assert_eq!(budget.grant(99), Err((100, 99)));
        assert_eq!(budget.credit_room(), 100);
    }

    #[test]
    fn both_windows_bound_what_goes() {
        let mut budget = Budget::default();
        budget.grant(10 * READ_BYTES).unwrap();
        assert!(budget.has_room(TRANSPORT_WINDOW_BYTES));
        assert!(!budget.has_room(TRANSPORT_WINDOW_BYTES + 1));
        budget.set_transport_window(u64::MAX / 2);
        assert!(budget.has_room(10 * READ_BYTES));
        assert!(!budget.has_room(10 * READ_BYTES + 1));
    }
}
