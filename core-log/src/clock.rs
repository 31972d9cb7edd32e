//! Time as a seam: cores get a reading as an argument, drivers ask a [`Clock`].

use std::time::Duration;

/// Where time comes from. Simulation has one of its own.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since the Unix epoch, as they stand in record timestamps. May step backwards.
    fn wall_ms(&self) -> i64;

    /// Time since an arbitrary start; never steps backwards. For deadlines and intervals.
    fn monotonic(&self) -> Duration;
}

/// The machine's clocks.
#[derive(Debug)]
pub struct SystemClock {
    start: std::time::Instant,
}

impl SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the seam that everything else reads the clock through"
    )]
    pub fn new() -> Self {
        Self { start: std::time::Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the seam that everything else reads the clock through"
    )]
    fn wall_ms(&self) -> i64 {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since_epoch.ok().and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or(0)
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
}
