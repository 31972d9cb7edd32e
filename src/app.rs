//! The daemon's life: built, started, ready, drained.
//!
//! ```text
//!   build: data directory made and locked, admin port up     nothing serves yet
//!   run:   broker starts  ->  ready  ->  a signal, or a failure of the broker
//!          drain: not ready; no new work; answers in flight leave; logs are synced  ->  exit
//! ```
//!
//! Promises:
//! 1. Two daemons never work on one data directory: the lock is the first thing taken and the last let go of.
//! 2. The admin port answers in every phase, and `ready` is said only while clients are served.
//! 3. The first signal drains; a second one ends the process at once, whatever it is doing.

use std::{io, sync::Arc};

use prometheus_client::registry::Registry;

use core_log::{
    Clock, Storage,
    clock::SystemClock,
    storage::{DirLock, DiskStorage, LockError},
};

use crate::{
    admin::{self, Admin, Phase, Status},
    config::Settings,
    signals::{Signals, Stop},
};

/// Everything the daemon consists of, before anything is served.
pub(crate) struct App {
    metrics: Registry,
    status: Arc<Status>,
    admin: Admin,
    _lock: DirLock,
}

/// How a run ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Drained,
    /// By a second signal, before the drain was done.
    Cut(Stop),
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum AppError {
    #[error("cannot make the data directory {data}: {source}; set `data` to one that this user can write")]
    Data { data: String, source: io::Error },
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error("cannot serve metrics and health at {address}: {source}; set `admin` to another address")]
    Admin { address: String, source: io::Error },
    #[error("cannot listen for signals: {0}")]
    Signals(io::Error),
}

/// The whole life of the daemon. `clock` has run since the process began.
pub(crate) async fn live(settings: Settings, clock: SystemClock) -> Result<Ending, AppError> {
    let mut signals = Signals::listen().map_err(AppError::Signals)?;
    App::build(settings, Arc::new(clock)).await?.run(&mut signals).await
}

impl App {
    /// Makes and locks the data directory and brings the admin port up.
    async fn build(settings: Settings, _clock: Arc<dyn Clock>) -> Result<Self, AppError> {
        let storage: Arc<dyn Storage> = Arc::new(DiskStorage);
        let data = settings.data.display().to_string();
        storage.create_dir(&settings.data).map_err(|source| AppError::Data { data, source })?;
        let lock = storage.lock(&settings.data)?;
        let status = Arc::new(Status::starting());
        let address = settings.admin.clone();
        let admin = Admin::serve(&address, Arc::clone(&status))
            .await
            .map_err(|source| AppError::Admin { address, source })?;
        let mut metrics = Registry::default();
        admin::process::register(&mut metrics);
        Ok(Self { metrics, status, admin, _lock: lock })
    }

    /// Holds the data directory until a signal.
    async fn run(self, signals: &mut Signals) -> Result<Ending, AppError> {
        tracing::warn!(admin = %self.admin.address(), "the broker's room is not open yet: nothing is served");
        self.status.expose(self.metrics);
        let stop = signals.next().await;
        tracing::info!(signal = %stop, "draining");
        self.status.enter(Phase::Draining);
        Ok(Ending::Drained)
    }
}
