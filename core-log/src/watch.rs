//! Waiting for a log to change, without polling.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::sync::Notify;

/// Somebody who waits for any of several logs. Wake-ups between two waits are kept: one, however many there were.
#[derive(Debug, Default)]
pub struct Waiter {
    notify: Notify,
}

impl Waiter {
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// Returns after a watched log changed. Look at the logs after registering and before waiting.
    pub async fn woken(&self) {
        self.notify.notified().await;
    }

    fn wake(&self) {
        self.notify.notify_one();
    }
}

/// The waiters of one log.
#[derive(Debug, Default)]
pub(crate) struct Watchers {
    waiters: Mutex<Vec<Arc<Waiter>>>,
}

impl Watchers {
    pub(crate) fn register(self: &Arc<Self>, waiter: &Arc<Waiter>) -> Watch {
        self.waiters.lock().push(Arc::clone(waiter));
        Watch { watchers: Arc::downgrade(self), waiter: Arc::clone(waiter) }
    }

    pub(crate) fn wake_all(&self) {
        for waiter in self.waiters.lock().iter() {
            waiter.wake();
        }
    }
}

/// A registration with one log; ends when dropped.
#[derive(Debug)]
#[must_use = "dropping a watch ends it"]
pub struct Watch {
    watchers: Weak<Watchers>,
    waiter: Arc<Waiter>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        let Some(watchers) = self.watchers.upgrade() else { return };
        let mut waiters = watchers.waiters.lock();
        if let Some(at) = waiters.iter().position(|other| Arc::ptr_eq(other, &self.waiter)) {
            waiters.swap_remove(at);
        }
        if waiters.is_empty() {
            waiters.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_watch_is_deregistered_once_for_each_registration() {
        let (watchers, waiter) = (Arc::new(Watchers::default()), Waiter::new());
        let (first, second) = (watchers.register(&waiter), watchers.register(&waiter));
        drop(first);
        assert_eq!(watchers.waiters.lock().len(), 1);
        drop(second);
        assert!(watchers.waiters.lock().is_empty());
    }
}
