//! A broker between two moments: its state is recovered, its clients are not let in. In between, its neighbours are built over
//! its handles, and with them the gate that it serves by.

use std::{io, net::SocketAddr, path::Path, sync::Arc};

use prometheus_client::registry::Registry;
use tokio::sync::Semaphore;

use core_log::{ChangeError, Clock, Log, LogConfig, LogDir, LogDirSettings, OpenError, Storage};
use protocol::{BrokerId, LeaderEpoch, TopicId, TopicPartition, Uuid};

use crate::{
    broker::{Broker, Components},
    coordinator::group::{Groups, GroupsParts},
    gate::{Gate, LateGate},
    handles::Handles,
    limits,
    metadata::{BrokerEndpoint, Metadata, MetadataError, OpenError as MetadataOpenError, topic_name},
    metrics::Metrics,
    node::Node,
    offsets_topic::OffsetsPartitions,
    partition::{Follower, Partitions, set_strays_aside},
    producer_ids::ProducerIds,
    serve::{Admission, Listener},
    settings::Settings,
    stored_records::StoredRecords,
};

/// The id of the log that all metadata is folded from, as in Kafka.
const METADATA_TOPIC_ID: TopicId = TopicId(Uuid::from_u128(1));

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
    #[error("the logs do not take the gate's word: {0}")]
    Gate(#[from] ChangeError),
    #[error("a start-up task failed: {0}")]
    Task(String),
}

/// An open broker. Dropping it ends it without a clean shutdown: the next start recovers.
pub struct Opened {
    settings: Settings,
    handles: Handles,
    metrics: Metrics,
    gate: LateGate,
    /// Sees all that changes from here on.
    follower: Follower,
}

impl Opened {
    pub(crate) async fn open(
        settings: Settings,
        log: LogDirSettings,
        data: &Path,
        components: Components,
        registry: &mut Registry,
    ) -> Result<Self, StartError> {
        let Components { clock, storage } = components;
        let metrics = Metrics::register(registry);
        let (log_dir, metadata) = open(settings.clone(), log, data, clock.clone(), storage.clone()).await?;
        let gate = LateGate::default();
        let partitions = Partitions::new(log_dir.clone(), metadata.clone(), Arc::new(gate.clone()));
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
            gate: Arc::new(gate.clone()),
        });
        let follower =
            Follower::new(partitions.clone(), groups.clone(), log_dir.clone(), metadata.subscribe());
        let disk_reads = Arc::new(Semaphore::new(limits::DISK_READS_MAX));
        let handles = Handles { metadata, groups, partitions, log_dir, clock, storage, disk_reads };
        Ok(Self { settings, handles, metrics, gate, follower })
    }

    pub fn handles(&self) -> &Handles {
        &self.handles
    }

    /// Listens. Ready when this returns.
    pub async fn serve(self, gate: Arc<dyn Gate>) -> Result<Broker, StartError> {
        let Self { settings, handles, metrics, gate: late, follower } = self;
        let listen = |error| StartError::Listen { listen: settings.listen.clone(), error };
        let listener =
            Listener::bind(&settings.listen, Admission::new(&settings.connections)).await.map_err(listen)?;
        let address = listener.address().map_err(listen)?;
        let endpoint = endpoint(&settings, address)?;
        late.set(gate.clone());
        // What was opened before there was a gate takes nothing yet.
        handles.gates_changed().await?;
        let node = Arc::new(Node {
            endpoint,
            settings,
            metrics,
            producer_ids: ProducerIds::new(handles.metadata.clone()),
            clock: handles.clock.clone(),
            disk_reads: handles.disk_reads.clone(),
            log_dir: handles.log_dir.clone(),
            metadata: handles.metadata.clone(),
            partitions: handles.partitions.clone(),
            groups: handles.groups.clone(),
            handles,
            gate,
        });
        Ok(Broker::run(node, follower, listener, address))
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
