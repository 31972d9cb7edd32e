//! A connection's request to be waited for: a verb takes as long as it takes, a question does not.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Shared by a connection and the handler that answers on it.
#[derive(Debug, Clone, Default)]
pub(super) struct Patience(Arc<AtomicUsize>);

/// While it is held, the connection has no deadline.
#[must_use]
pub(super) struct AtWork(Patience);

impl Patience {
    pub(super) fn at_work(&self) -> AtWork {
        self.0.fetch_add(1, Ordering::Relaxed);
        AtWork(self.clone())
    }

    pub(super) fn is_asked_for(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}
