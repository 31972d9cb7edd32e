//! Where batches go: the broker's logs, appended to as a replica or a relay does.

use std::sync::Arc;

use broker::Handles;
use mirror::ports::{BatchSink, BoxFuture, DiskReads, LogPartition, PortError, SinkPartition};
use protocol::{PartitionId, ProducerId, TopicId};

use super::{failures, producer_ids::ProducerIds};

pub(super) struct BrokerSink {
    broker: Handles,
    reads: DiskReads,
    producer_ids: ProducerIds,
}

impl BrokerSink {
    pub(super) fn new(broker: Handles, reads: DiskReads) -> Self {
        let producer_ids = ProducerIds::new(broker.metadata().clone());
        Self { broker, reads, producer_ids }
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

    fn producer_id(&self) -> BoxFuture<'_, Result<ProducerId, PortError>> {
        Box::pin(async move { self.producer_ids.next().await.map_err(|error| failures::metadata(&error)) })
    }
}
