//! The daemon's life: built, started, ready, drained.
//!
//! ```text
//!   build: data directory made and locked, admin port up     nothing serves yet
//!   run:   broker starts  ->  ready  ->  a signal, or a failure of the broker
//!          drain: not ready; no new work; answers in flight leave; logs are synced  ->  exit
//! ```
//!
//! Promises:
//! 1. A second daemon on a data directory is refused before it takes a port or changes a file.
//! 2. The admin port answers in every phase, and `ready` is said only while clients are served.
//! 3. The first signal drains; a second one ends the process at once, whatever it is doing.

use std::{io, sync::Arc, time::Duration};

use prometheus_client::registry::Registry;

use broker::{Broker, Components, DrainError, OpenGate, StartError};
use core_log::{
    Clock, OpenError, Storage,
    clock::SystemClock,
    storage::{DiskStorage, LockError},
};

use crate::{
    admin::{self, Admin, Phase, Status},
    config::Settings,
    signals::{Signals, Stop},
};

/// Everything the daemon consists of, before anything is served.
pub(crate) struct App {
    settings: Settings,
    components: Components,
    metrics: Registry,
    status: Arc<Status>,
    admin: Admin,
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
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("the broker failed: {0}")]
    Failed(String),
    #[error(transparent)]
    Drain(#[from] DrainError),
}

/// The whole life of the daemon. `clock` has run since the process began.
pub(crate) async fn live(settings: Settings, clock: SystemClock) -> Result<Ending, AppError> {
    let mut signals = Signals::listen().map_err(AppError::Signals)?;
    App::build(settings, Arc::new(clock)).await?.run(&mut signals).await
}

impl AppError {
    /// Whether another process works on the data directory.
    pub(crate) fn is_in_use(&self) -> bool {
        matches!(
            self,
            Self::Lock(LockError::Held { .. }) | Self::Start(StartError::LogDir(OpenError::Locked(_)))
        )
    }
}

impl App {
    /// Makes the data directory, makes sure that nobody else works on it, and brings the admin port up.
    async fn build(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, AppError> {
        let storage: Arc<dyn Storage> = Arc::new(DiskStorage);
        let data = settings.data.display().to_string();
        storage.create_dir(&settings.data).map_err(|source| AppError::Data { data, source })?;
        // The broker's log directory takes the lock for good. Asking for it before anything else is for the operator: a
        // second daemon is told about the directory, and not about a port that the first one has too.
        drop(storage.lock(&settings.data)?);
        let status = Arc::new(Status::starting());
        let address = settings.admin.clone();
        let admin = Admin::serve(&address, Arc::clone(&status))
            .await
            .map_err(|source| AppError::Admin { address, source })?;
        let mut metrics = Registry::default();
        admin::process::register(&mut metrics);
        let components = Components { clock, storage };
        Ok(Self { settings, components, metrics, status, admin })
    }

    /// Serves until a signal or a failure, then drains.
    async fn run(mut self, signals: &mut Signals) -> Result<Ending, AppError> {
        let started = tokio::select! {
            started = self.start_broker() => Some(started?),
            _ = signals.next() => None,
        };
        let Some(mut broker) = started else {
            tracing::info!("stopped while starting");
            return Ok(Ending::Drained);
        };
        self.announce(&broker);
        let failure = tokio::select! {
            stop = signals.next() => {
                tracing::info!(signal = %stop, within_ms = self.settings.drain_ms, "draining");
                self.status.enter(Phase::Draining);
                None
            }
            why = broker.failed() => {
                tracing::error!(%why, "the broker failed; draining what still can be");
                self.status.enter(Phase::Failed(why.clone()));
                Some(why)
            }
        };
        let drained = tokio::select! {
            drained = broker.drain(Duration::from_millis(self.settings.drain_ms)) => drained,
            stop = signals.next() => return Ok(Ending::Cut(stop)),
        };
        match (failure, drained) {
            (Some(why), _) => Err(AppError::Failed(why)),
            (None, drained) => drained.map(|()| Ending::Drained).map_err(AppError::from),
        }
    }

    async fn start_broker(&mut self) -> Result<Broker, StartError> {
        let opened = Broker::open(
            self.settings.broker.clone(),
            self.settings.log.clone(),
            &self.settings.data,
            self.components.clone(),
            &mut self.metrics,
        );
        opened.await?.serve(Arc::new(OpenGate)).await
    }

    fn announce(&mut self, broker: &Broker) {
        self.status.expose(std::mem::take(&mut self.metrics));
        self.status.enter(Phase::Ready);
        tracing::info!(
            kafka = %broker.kafka_address(),
            admin = %self.admin.address(),
            data = %self.settings.data.display(),
            elapsed_ms = u64::try_from(self.components.clock.monotonic().as_millis()).unwrap_or(u64::MAX),
            "ready"
        );
    }
}
