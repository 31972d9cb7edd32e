//! What the mirror needs from the datacenter it runs in. The daemon implements these over the broker, tests over plain logs.
//!
//! ```text
//!   BatchSource -> SourcePartition     read what may leave          TopicCatalog    which topics there are; makes replicas
//!   BatchSink   -> SinkPartition       append what arrived          GroupStore      committed offsets, both ways
//!   Assignment                         which partitions are ours    OwnershipStore  durable records of who is home
//! ```
//!
//! What an implementation promises:
//! 1. Nothing blocks the caller's thread: disk work happens elsewhere, and the future waits for it.
//! 2. What a future of [`SinkPartition`], [`GroupStore`] or [`OwnershipStore`] reports as done survives a power cut.
//! 3. Changes are events. Nobody asks again and again.
//! 4. Topic ids are those of *this* datacenter. A replica has the id of its source; a merged topic has its own.

mod assignment;
mod catalog;
mod groups;
mod log;
mod ownership;
mod sink;
mod source;

use std::{future::Future, pin::Pin, sync::Arc};

pub use self::{
    assignment::{AllPartitions, Assignment},
    catalog::{Catalog, CatalogTopic, MergedTopic, ReplicaTopic, TopicCatalog},
    groups::{GroupCommit, GroupEvent, GroupOffset, GroupOffsets, GroupStore},
    log::{DiskReads, LogPartition},
    ownership::{OwnershipRecord, OwnershipStore},
    sink::{Arrival, BatchSink, Settled, SinkPartition},
    source::{BatchSource, SourcePartition},
};

/// An asynchronous answer of a port; ports are used as `dyn`.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// All ports of a datacenter. Cheap to clone.
#[derive(Clone)]
pub struct Ports {
    pub source: Arc<dyn BatchSource>,
    pub sink: Arc<dyn BatchSink>,
    pub catalog: Arc<dyn TopicCatalog>,
    pub groups: Arc<dyn GroupStore>,
    pub ownership: Arc<dyn OwnershipStore>,
    pub assignment: Arc<dyn Assignment>,
}

/// Why a port did not do what it was asked. Each says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// There is no such topic, partition or group now; an event tells when there is.
    #[error("not found: {0}")]
    NotFound(Arc<str>),
    /// Try again after a while.
    #[error("unavailable: {0}")]
    Unavailable(Arc<str>),
    /// Trying again changes nothing until somebody decides something.
    #[error("refused: {0}")]
    Refused(Arc<str>),
    /// The disk or the log is out of service until a restart.
    #[error("offline: {0}")]
    Offline(Arc<str>),
    /// This datacenter is shutting down.
    #[error("closed")]
    Closed,
}

impl PortError {
    pub fn is_retriable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}
