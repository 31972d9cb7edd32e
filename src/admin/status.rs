//! What the admin port tells about the daemon; the app says it, the routes repeat it.

use std::{
    fmt,
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

use prometheus_client::registry::Registry;

use crate::operations::{NodeStatus, Operations, Problem};

/// The phases of a daemon's life, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Phase {
    Starting,
    Ready,
    Draining,
    /// And why.
    Failed(String),
}

pub(crate) struct Status {
    phase: RwLock<Phase>,
    metrics: OnceLock<Registry>,
    /// There once the node can be asked about its links.
    operations: OnceLock<Arc<dyn Operations>>,
}

impl Status {
    pub(crate) fn starting() -> Self {
        Self { phase: RwLock::new(Phase::Starting), metrics: OnceLock::new(), operations: OnceLock::new() }
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

    /// The node is one of a topology, and can be asked from here on. A second one is not taken.
    pub(crate) fn operate(&self, operations: Arc<dyn Operations>) {
        drop(self.operations.set(operations));
    }

    pub(crate) fn operations(&self) -> Result<&dyn Operations, Problem> {
        match (self.operations.get(), self.phase()) {
            (Some(operations), _) => Ok(&**operations),
            (None, Phase::Starting) => Err(Problem::starting()),
            (None, _) => Err(Problem::stands_alone()),
        }
    }

    /// What can be said of the node in any phase.
    pub(crate) async fn of_node(&self) -> NodeStatus {
        let mut status = match self.operations.get() {
            Some(node) => node.status().await,
            None => NodeStatus::default(),
        };
        env!("CARGO_PKG_VERSION").clone_into(&mut status.version);
        status.phase = self.phase().to_string();
        status
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
