//! One broker: built, started, drained.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use prometheus_client::registry::Registry;
use tokio::{
    task::{JoinHandle, JoinSet},
    time::{Interval, MissedTickBehavior, interval, timeout},
};

use core_log::{ChangeError, Clock, LogDirSettings, Storage};

use crate::{
    handles::Handles,
    limits,
    node::Node,
    opened::{Opened, StartError},
    partition::{Follower, open_stored},
    serve::{
        Listener,
        drain::{Drain, DrainTrigger, drain},
    },
    settings::Settings,
};

/// What a broker runs on; simulation brings others.
#[derive(Clone)]
pub struct Components {
    pub clock: Arc<dyn Clock>,
    pub storage: Arc<dyn Storage>,
}

/// Why a drain was not a clean one. What was acknowledged is on disk all the same.
#[derive(Debug, thiserror::Error)]
pub enum DrainError {
    #[error("connections did not finish within {0:?}")]
    Connections(Duration),
    #[error("the logs could not be closed: {0}")]
    Logs(#[from] ChangeError),
}

/// A running broker. Dropping it ends it without a clean shutdown: the next start recovers.
pub struct Broker {
    node: Arc<Node>,
    address: SocketAddr,
    drain: DrainTrigger,
    listener: JoinHandle<()>,
    background: JoinSet<()>,
}

impl Broker {
    /// Recovers what must be known before the first answer. Nobody is listened to yet.
    pub async fn open(
        settings: Settings,
        log: LogDirSettings,
        data: &Path,
        components: Components,
        registry: &mut Registry,
    ) -> Result<Opened, StartError> {
        Opened::open(settings, log, data, components, registry).await
    }

    /// Starts what a served broker does beside its clients, and lets these in.
    pub(crate) fn run(node: Arc<Node>, follower: Follower, listener: Listener, address: SocketAddr) -> Self {
        let (trigger, drain) = drain();
        let mut background = JoinSet::new();
        background.spawn(follower.run(drain.clone()));
        background.spawn(keep_retention(node.clone(), drain.clone()));
        background.spawn(keep_groups(node.clone(), drain.clone()));
        let listener = tokio::spawn(listener.run(node.clone(), drain));
        Self { node, address, drain: trigger, listener, background }
    }

    pub fn handles(&self) -> &Handles {
        &self.node.handles
    }

    /// See [`Handles::gates_changed`].
    pub async fn gates_changed(&self) -> Result<(), ChangeError> {
        self.node.handles.gates_changed().await
    }

    /// Where Kafka clients connect; the port is the real one when port 0 was asked for.
    pub fn kafka_address(&self) -> SocketAddr {
        self.address
    }

    /// Resolves when the broker cannot go on, with the reason.
    pub async fn failed(&mut self) -> String {
        match (&mut self.listener).await {
            Ok(()) => "the listener ended".to_owned(),
            Err(error) => format!("the listener failed: {error}"),
        }
    }

    /// Takes no new work, answers what is in flight, syncs and closes the logs.
    pub async fn drain(mut self, deadline: Duration) -> Result<(), DrainError> {
        self.drain.start();
        let finished = timeout(deadline, async {
            let _ = (&mut self.listener).await;
            while self.background.join_next().await.is_some() {}
        })
        .await;
        if finished.is_err() {
            self.listener.abort();
            self.background.shutdown().await;
        }
        self.node.groups.close().await;
        self.node.log_dir.close().await?;
        finished.map_err(|_| DrainError::Connections(deadline))
    }
}

/// Deletes old segments now and then.
async fn keep_retention(node: Arc<Node>, mut drain: Drain) {
    let period = Duration::from_millis(node.settings.topics.retention_check_interval_ms.max(1));
    let mut ticks = ticks(period).await;
    while next_tick(&mut ticks, &mut drain).await {
        open_stored(&node.partitions, &node.log_dir, &node.metadata.image()).await;
        let report = node.log_dir.clean().await;
        if report.segments_deleted > 0 || report.failures > 0 {
            tracing::info!(?report, "retention pass");
        }
    }
}

/// Brings all groups into memory, so that members that do not come back are noticed, and then forgets, now and then, the
/// offsets of groups that are long gone.
async fn keep_groups(node: Arc<Node>, mut drain: Drain) {
    let mut ticks = ticks(limits::OFFSETS_RETENTION_CHECK).await;
    loop {
        if let Err(error) = node.groups.load_all().await {
            tracing::warn!(%error, "not all consumer groups could be loaded; the next request tries again");
        }
        if !next_tick(&mut ticks, &mut drain).await {
            return;
        }
        node.groups.expire().await;
    }
}

async fn ticks(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick is at once: there is nothing to do that early.
    ticks.tick().await;
    ticks
}

/// Waits a period; `false` when the broker drains.
async fn next_tick(ticks: &mut Interval, drain: &mut Drain) -> bool {
    tokio::select! {
        biased;
        () = drain.started() => false,
        _ = ticks.tick() => true,
    }
}
