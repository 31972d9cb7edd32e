//! What the broker's neighbours in the process may hold: its state, not its sockets.

use std::sync::Arc;

use tokio::sync::Semaphore;

use core_log::{ChangeError, Clock, Log, LogDir, Storage};
use protocol::{PartitionId, TopicId};

use crate::{
    coordinator::group::Groups,
    metadata::Metadata,
    partition::{FindError, Partitions},
};

/// Cheap to clone; usable before the broker serves, and until it has drained.
#[derive(Clone)]
pub struct Handles {
    pub(crate) metadata: Metadata,
    pub(crate) groups: Groups,
    pub(crate) partitions: Partitions,
    pub(crate) log_dir: Arc<LogDir>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) disk_reads: Arc<Semaphore>,
}

impl Handles {
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    pub fn groups(&self) -> &Groups {
        &self.groups
    }

    pub fn log_dir(&self) -> &Arc<LogDir> {
        &self.log_dir
    }

    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.storage
    }

    /// Bounds the threads that read older batches from the disk: whoever reads takes a permit.
    pub fn disk_reads(&self) -> &Arc<Semaphore> {
        &self.disk_reads
    }

    /// The log of a partition, opened if need be. Its intake is what the gate says, and nobody before there is one.
    pub async fn log(&self, topic: TopicId, partition: PartitionId) -> Result<Arc<Log>, FindError> {
        let image = self.metadata.image();
        let topic = image.topic_by_id(topic).ok_or(FindError::Unknown)?;
        Ok(self.partitions.find(topic, partition).await?.log.clone())
    }

    /// Has every open partition obey the gate as it is now. When this returns, nothing that an earlier answer of the gate let
    /// in is still on its way into a log; [`Log::set_intake`] says what that means for each.
    pub async fn gates_changed(&self) -> Result<(), ChangeError> {
        self.partitions.obey_gate().await
    }
}
