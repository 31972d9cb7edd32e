//! What the admin port tells about the daemon; the app says it, the routes repeat it.

use std::{
    fmt,
    sync::{OnceLock, PoisonError, RwLock},
};

use prometheus_client::registry::Registry;

/// The phases of a daemon's life, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Phase {
    Starting,
    Ready,
    Draining,
    /// And why.
    Failed(String),
}

#[derive(Debug)]
pub(crate) struct Status {
    phase: RwLock<Phase>,
    metrics: OnceLock<Registry>,
}

impl Status {
    pub(crate) fn starting() -> Self {
        Self { phase: RwLock::new(Phase::Starting), metrics: OnceLock::new() }
    }

    pub(crate) fn enter(&self, phase: Phase) {
        *self.phase.write().unwrap_or_else(PoisonError::into_inner) = phase;
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Everything is registered: from here on `/metrics` answers. A second registry is not taken.
    pub(crate) fn expose(&self, metrics: Registry) {
        drop(self.metrics.set(metrics));
    }

    pub(crate) fn metrics(&self) -> Option<&Registry> {
        self.metrics.get()
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting => f.write_str("starting"),
            Self::Ready => f.write_str("ready"),
            Self::Draining => f.write_str("draining"),
            Self::Failed(why) => write!(f, "failed: {why}"),
        }
    }
}
