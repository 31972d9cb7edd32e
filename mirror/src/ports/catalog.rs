//! Which topics this datacenter has, and how it gets those that are mirrored to it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use tokio::sync::watch;

use protocol::{LeaderEpoch, TopicId, TopicName};

use super::{BoxFuture, PortError};

/// The topics of a datacenter at one moment; internal ones are not among them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalog {
    pub topics: HashMap<TopicId, Arc<CatalogTopic>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogTopic {
    pub name: TopicName,
    pub id: TopicId,
    /// One for each partition.
    pub leader_epochs: Vec<LeaderEpoch>,
    /// What was set for this topic, not the broker's defaults.
    pub configs: BTreeMap<String, String>,
    /// Its effective clean-up policy compacts: offsets may be missing inside the log.
    pub compacted: bool,
}

/// A topic as it is at its source, to be had here under the same name and id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaTopic {
    pub name: TopicName,
    pub id: TopicId,
    pub leader_epochs: Vec<LeaderEpoch>,
    pub configs: BTreeMap<String, String>,
}

/// A topic of this datacenter that several sources are merged into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergedTopic {
    pub name: TopicName,
    /// At least as many.
    pub partitions: i32,
    pub configs: BTreeMap<String, String>,
}

pub trait TopicCatalog: Send + Sync + 'static {
    /// The present catalog, and every later one.
    fn subscribe(&self) -> watch::Receiver<Arc<Catalog>>;

    /// Makes the replica. One of the same name and id is fine; another id is [`PortError::Refused`].
    fn create_replica(&self, topic: ReplicaTopic) -> BoxFuture<'_, Result<(), PortError>>;

    /// Brings an existing replica up to its source: adds partitions, raises leader epochs, sets the overrides to those
    /// given. Answers the config keys that are not known here and were skipped.
    fn follow_replica(&self, topic: ReplicaTopic) -> BoxFuture<'_, Result<Vec<String>, PortError>>;

    /// Makes or grows a merged topic. Answers it as it is.
    fn ensure_merged(&self, topic: MergedTopic) -> BoxFuture<'_, Result<Arc<CatalogTopic>, PortError>>;
}
