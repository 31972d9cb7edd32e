//! Waiting for what another process does: it cannot wake us, so a condition is looked at until it holds.

use std::{
    thread,
    time::{Duration, Instant},
};

/// How long anything that must happen may take. Generous, for a busy machine: only a broken test waits for it.
pub const DEADLINE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(5);

/// Looks until `condition` gives something.
///
/// # Panics
///
/// If it has not within [`DEADLINE`].
#[track_caller]
pub fn eventually<T>(what: &str, condition: impl FnMut() -> Option<T>) -> T {
    match eventually_within(DEADLINE, condition) {
        Some(found) => found,
        None => panic!("waited {DEADLINE:?} in vain for: {what}"),
    }
}

/// Looks until `condition` gives something or the time is over.
pub fn eventually_within<T>(limit: Duration, mut condition: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = condition() {
            return Some(found);
        }
        if Instant::now() >= deadline {
            return None;
        }
        #[expect(clippy::disallowed_methods, reason = "the pause between two looks at another process")]
        thread::sleep(PAUSE);
    }
}
