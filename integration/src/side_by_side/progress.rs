//! What a run is doing, on standard error, so that long work is seen to go on.

use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_secs(2);

pub(crate) struct Progress {
    started: Instant,
    said: Instant,
    scope: String,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        Self { started: now, said: now, scope: String::new() }
    }

    /// What everything that follows belongs to.
    pub(crate) fn enter(&mut self, scope: String) {
        self.scope = scope;
    }

    pub(crate) fn say(&mut self, what: &str) {
        self.said = Instant::now();
        eprintln!("[{:6.1} s] {}: {what}", self.started.elapsed().as_secs_f64(), self.scope);
    }

    /// Says how far something is, now and then.
    pub(crate) fn at(&mut self, what: &str, done: f64, all: f64) {
        if self.said.elapsed() >= PAUSE {
            self.say(&format!("{what}, {:.0} %", (100.0 * done / all).min(100.0)));
        }
    }
}
