//! The rooms of one broker, built once and shared by every connection.

use std::sync::Arc;

use tokio::sync::Semaphore;

use core_log::{Clock, LogDir};

use crate::{
    coordinator::group::Groups,
    gate::Gate,
    handles::Handles,
    metadata::{BrokerEndpoint, Metadata},
    metrics::Metrics,
    partition::Partitions,
    producer_ids::ProducerIds,
    settings::Settings,
};

pub(crate) struct Node {
    pub(crate) settings: Settings,
    pub(crate) endpoint: BrokerEndpoint,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Metrics,
    pub(crate) log_dir: Arc<LogDir>,
    pub(crate) metadata: Metadata,
    pub(crate) partitions: Partitions,
    pub(crate) groups: Groups,
    pub(crate) producer_ids: ProducerIds,
    /// Bounds the threads that read older batches from the disk.
    pub(crate) disk_reads: Arc<Semaphore>,
    pub(crate) gate: Arc<dyn Gate>,
    /// For the broker's neighbours.
    pub(crate) handles: Handles,
}
