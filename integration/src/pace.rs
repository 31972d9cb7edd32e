//! Keeping a rate: load that is offered at a given pace, as producers of the world do, and not as fast as answers come.

use std::{thread, time::Instant};

/// Returns at `due`, or at once if that is over.
pub fn pause_until(due: Instant) {
    let pause = due.saturating_duration_since(Instant::now());
    if !pause.is_zero() {
        #[expect(clippy::disallowed_methods, reason = "a rate is kept by pauses")]
        thread::sleep(pause);
    }
}
