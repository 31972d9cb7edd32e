//! One broker: built, started, drained.

use std::{io, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use prometheus_client::registry::Registry;
use tokio::{
    sync::Semaphore,
    task::{JoinHandle, JoinSet},
    time::{Interval, MissedTickBehavior, interval, timeout},
};

use core_log::{ChangeError, Clock, Log, LogConfig, LogDir, LogDirSettings, OpenError, Storage};
use protocol::{BrokerId, LeaderEpoch, TopicId, TopicPartition, Uuid};

use crate::{
    coordinator::group::{Groups, GroupsParts},
    limits,
    metadata::{BrokerEndpoint, Metadata, MetadataError, OpenError as MetadataOpenError, topic_name},
    metrics::Metrics,
    node::Node,
    offsets_topic::OffsetsPartitions,
    partition::{Follower, Partitions, open_stored, set_strays_aside},
    producer_ids::ProducerIds,
    serve::{
        Admission, Listener,
        drain::{Drain, DrainTrigger, drain},
    },
    settings::Settings,
    stored_records::StoredRecords,
};

/// The id of the log that all metadata is folded from, as in Kafka.
const METADATA_TOPIC_ID: TopicId = TopicId(Uuid::from_u128(1));

/// What a broker runs on; simulation brings others.
#[derive(Clone)]
pub struct Components {
    pub clock: Arc<dyn Clock>,
    pub storage: Arc<dyn Storage>,
}

/// Why a broker did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the log directory cannot be opened: {0}")]
    LogDir(#[from] OpenError),
    #[error(transparent)]
    Metadata(#[from] MetadataOpenError),
    #[error("leader epochs cannot be raised after the last, unclean shutdown: {0}")]
    LeaderEpochs(#[from] MetadataError),
    #[error("cannot listen on {listen}: {error}; is another process using the port?")]
    Listen { listen: String, error: io::Error },
    #[error("broker.advertise is {0:?}; give it as HOST:PORT")]
    Advertise(String),
    #[error("a start-up task failed: {0}")]
    Task(String),
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
    /// Recovers what must be known before the first answer, and listens. Ready when this returns.
    pub async fn start(
        settings: Settings,
        log: LogDirSettings,
        data: &Path,
        components: Components,
        registry: &mut Registry,
    ) -> Result<Self, StartError> {
        let Components { clock, storage } = components;
        let metrics = Metrics::register(registry);
        let (log_dir, metadata) = open(settings.clone(), log, data, clock.clone(), storage).await?;
        let listen = |error| StartError::Listen { listen: settings.listen.clone(), error };
        let listener =
            Listener::bind(&settings.listen, Admission::new(&settings.connections)).await.map_err(listen)?;
        let address = listener.address().map_err(listen)?;
        let partitions = Partitions::new(log_dir.clone(), metadata.clone());
        let offsets = OffsetsPartitions {
            metadata: metadata.clone(),
            partitions: partitions.clone(),
            log_dir: log_dir.clone(),
            clock: clock.clone(),
            partitions_wanted: settings.groups.offsets_partitions,
        };
        let groups = Groups::new(GroupsParts {
            settings: settings.groups.clone(),
            topic: Arc::new(offsets),
            clock: clock.clone(),
            fresh_ids: Arc::new(fresh_id),
        });
        let node = Arc::new(Node {
            endpoint: endpoint(&settings, address)?,
            settings,
            clock,
            metrics,
            producer_ids: ProducerIds::new(metadata.clone()),
            disk_reads: Semaphore::new(limits::DISK_READS_MAX),
            log_dir,
            metadata,
            partitions,
            groups,
        });
        let (trigger, drain) = drain();
        let mut background = JoinSet::new();
        background.spawn(follow(&node).run(drain.clone()));
        background.spawn(keep_retention(node.clone(), drain.clone()));
        background.spawn(keep_groups(node.clone(), drain.clone()));
        let listener = tokio::spawn(listener.run(node.clone(), drain));
        Ok(Self { node, address, drain: trigger, listener, background })
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

/// Opens the log directory and folds the metadata log; both block.
async fn open(
    settings: Settings,
    log: LogDirSettings,
    data: &Path,
    clock: Arc<dyn Clock>,
    storage: Arc<dyn Storage>,
) -> Result<(Arc<LogDir>, Metadata), StartError> {
    let data = data.to_owned();
    let opening = tokio::task::spawn_blocking(move || -> Result<_, StartError> {
        let log_dir = LogDir::open(storage, clock.clone(), &data, log)?;
        let metadata_log = open_metadata_log(&log_dir)?;
        Ok((log_dir, metadata_log, clock))
    });
    let (log_dir, metadata_log, clock) =
        opening.await.map_err(|error| StartError::Task(error.to_string()))??;
    let records = StoredRecords::new(log_dir.clone(), metadata_log, clock, LeaderEpoch(0));
    let metadata =
        Metadata::open(Arc::new(records), BrokerId(settings.broker_id), settings.topics, Arc::new(fresh_id))
            .await?;
    if !log_dir.was_closed() && metadata.image().topic_count() > 0 {
        metadata.raise_leader_epochs().await?;
    }
    set_strays_aside(&log_dir, &metadata.image());
    Ok((log_dir, metadata))
}

fn open_metadata_log(log_dir: &Arc<LogDir>) -> Result<Arc<Log>, OpenError> {
    // Never deleted by age or size, and synced whatever topics are set to.
    let config = LogConfig { delete: false, sync: true, ..LogConfig::default() };
    log_dir.log(&TopicPartition::new(topic_name::CLUSTER_METADATA, 0), METADATA_TOPIC_ID, config)
}

/// Ids for the cluster and its topics.
#[expect(clippy::disallowed_methods, reason = "this driver is where ids come from")]
fn fresh_id() -> Uuid {
    Uuid::new_v4()
}

fn endpoint(settings: &Settings, address: SocketAddr) -> Result<BrokerEndpoint, StartError> {
    let advertised = match settings.advertise.as_str() {
        "" => address.to_string(),
        advertise => advertise.to_owned(),
    };
    let bad = || StartError::Advertise(settings.advertise.clone());
    let (host, port) = advertised.rsplit_once(':').ok_or_else(bad)?;
    let port: u16 = port.parse().map_err(|_| bad())?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let rack = (!settings.rack.is_empty()).then(|| settings.rack.as_str().into());
    Ok(BrokerEndpoint { id: BrokerId(settings.broker_id), host: host.into(), port, rack })
}

fn follow(node: &Node) -> Follower {
    Follower::new(
        node.partitions.clone(),
        node.groups.clone(),
        node.log_dir.clone(),
        node.metadata.subscribe(),
    )
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
