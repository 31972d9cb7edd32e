//! The wish that a layout ends, from a signal or the control socket to whoever holds it.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Clones share one wish, which is not taken back.
#[derive(Clone, Default)]
pub(super) struct Stop {
    shared: Arc<(Mutex<bool>, Condvar)>,
}

impl Stop {
    pub(super) fn ask(&self) {
        let (asked, changed) = &*self.shared;
        *asked.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
    }

    /// Until it is asked for.
    pub(super) fn wait(&self) {
        let (asked, changed) = &*self.shared;
        let asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
        drop(changed.wait_while(asked, |asked| !*asked));
    }
}
