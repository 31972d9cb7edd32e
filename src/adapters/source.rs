//! Where batches come from: the broker's logs, as a fetch reads them.

use std::sync::Arc;

use broker::Handles;
use mirror::ports::{BatchSource, BoxFuture, DiskReads, LogPartition, PortError, SourcePartition};
use protocol::{PartitionId, TopicId};

use super::failures;

pub(super) struct BrokerSource {
    broker: Handles,
    reads: DiskReads,
}

impl BrokerSource {
    pub(super) fn new(broker: Handles, reads: DiskReads) -> Self {
        Self { broker, reads }
    }
}

impl BatchSource for BrokerSource {
    fn partition(
        &self,
        topic: TopicId,
        partition: PartitionId,
    ) -> BoxFuture<'_, Result<Arc<dyn SourcePartition>, PortError>> {
        Box::pin(async move {
            let log = self.broker.log(topic, partition).await.map_err(|error| failures::find(&error))?;
            let partition = LogPartition::new(log, self.broker.log_dir().clone(), self.reads.clone());
            Ok(Arc::new(partition) as Arc<dyn SourcePartition>)
        })
    }
}
