//! Syncs beside the appender: files whose records are safe in the journal, or that nobody waits for, reach the disk while the
//! appender goes on.
//!
//! ```text
//!   appender: Writer::take_off -> Flight -> flusher: sync of file, names, epochs -> landed: the appender clears what was due
//! ```
//!
//! A log has one flight at a time. Whoever needs the log's own sync meanwhile settles the flight first: it runs one that has not
//! begun, and waits for one that has. So a failed sync is heard by exactly one, who takes the log offline.

mod flight;
mod thread;

pub(crate) use flight::{Flight, Work};
pub(crate) use thread::{Flusher, Flushing, Job, Purpose, spawn};

use std::sync::atomic::{AtomicUsize, Ordering};

/// Does `work` on all items, with several threads if there are many: the disk takes several syncs in the time of one.
pub(crate) fn on_all<T: Sync>(items: &[T], work: impl Fn(&T) + Sync) {
    /// So many at once share the filesystem's commits well.
    const THREADS_MAX: usize = 8;
    /// Fewer are not worth a thread.
    const ITEMS_PER_THREAD: usize = 8;

    let next = AtomicUsize::new(0);
    let take_all = || {
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            work(item);
        }
    };
    let threads = (items.len() / ITEMS_PER_THREAD).min(THREADS_MAX);
    std::thread::scope(|scope| {
        for _ in 1..threads {
            // One that cannot be had leaves its part to the others.
            let _ = std::thread::Builder::new().name("log-sync".to_owned()).spawn_scoped(scope, take_all);
        }
        take_all();
    });
}
