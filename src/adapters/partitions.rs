//! An open partition of the broker, read off the runtime's threads. Reading is the same for what leaves and for what arrived.

use std::sync::Arc;

use broker::Handles;
use core_log::{Batches, Log, ReadError, ReadLimit};
use mirror::ports::PortError;
use protocol::{Offset, PartitionId, TopicId};

use super::failures;

#[derive(Clone)]
pub(super) struct BrokerPartition {
    pub(super) log: Arc<Log>,
    pub(super) broker: Handles,
}

pub(super) async fn open(
    broker: &Handles,
    topic: TopicId,
    partition: PartitionId,
) -> Result<BrokerPartition, PortError> {
    let log = broker.log(topic, partition).await.map_err(|error| failures::find(&error))?;
    Ok(BrokerPartition { log, broker: broker.clone() })
}

impl BrokerPartition {
    /// Shares the broker's bound on threads that read older batches, so that back-fill leaves some to consumers.
    pub(super) async fn read(&self, from: Offset, limit: ReadLimit) -> Result<Batches, ReadError> {
        let Ok(_place) = self.broker.disk_reads().acquire().await else {
            return Err(ReadError::Offline("the broker is shutting down".into()));
        };
        let log = self.log.clone();
        let reading = tokio::task::spawn_blocking(move || log.read(from, limit));
        reading.await.unwrap_or_else(|error| Err(failures::interrupted(&error)))
    }
}
