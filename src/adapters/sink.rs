//! Where batches go: the broker's logs, appended to as a replica or a relay does.

use std::sync::Arc;

use broker::Handles;
use mirror::ports::{BatchSink, BoxFuture, DiskReads, LogPartition, PortError, SinkPartition};
use protocol::{PartitionId, TopicId};

use super::failures;

pub(super) struct BrokerSink {
    broker: Handles,
    reads: DiskReads,
}

impl BrokerSink {
    pub(super) fn new(broker: Handles, reads: DiskReads) -> Self {
        Self { broker, reads }
    }
}

impl BatchSink for BrokerSink {
    fn partition(
        &self,
        topic: TopicId,
        partition: PartitionId,
    ) -> BoxFuture<'_, Result<Arc<dyn SinkPartition>, PortError>> {
        Box::pin(async move {
            let log = self.broker.log(topic, partition).await.map_err(|error| failures::find(&error))?;
            let partition = LogPartition::new(log, self.broker.log_dir().clone(), self.reads.clone());
            Ok(Arc::new(partition) as Arc<dyn SinkPartition>)
        })
    }
}
