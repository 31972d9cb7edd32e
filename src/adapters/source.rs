//! Where batches come from: the broker's logs, as a fetch reads them.

use std::sync::Arc;

use broker::Handles;
use core_log::{Batches, LogEnds, ReadError, ReadLimit, Waiter, Watch};
use mirror::ports::{BatchSource, BoxFuture, PortError, SourcePartition};
use protocol::{LeaderEpoch, Offset, PartitionId, TopicId};

use super::partitions::{self, BrokerPartition};

pub(super) struct BrokerSource {
    broker: Handles,
}

impl BrokerSource {
    pub(super) fn new(broker: Handles) -> Self {
        Self { broker }
    }
}

impl BatchSource for BrokerSource {
    fn partition(
        &self,
        topic: TopicId,
        partition: PartitionId,
    ) -> BoxFuture<'_, Result<Arc<dyn SourcePartition>, PortError>> {
        Box::pin(async move {
            let partition = partitions::open(&self.broker, topic, partition).await?;
            Ok(Arc::new(partition) as Arc<dyn SourcePartition>)
        })
    }
}

impl SourcePartition for BrokerPartition {
    fn ends(&self) -> LogEnds {
        self.log.ends()
    }

    fn offline(&self) -> Option<Arc<str>> {
        self.log.offline()
    }

    fn watch(&self, waiter: &Arc<Waiter>) -> Watch {
        self.log.watch(waiter)
    }

    fn epoch_end(&self, epoch: LeaderEpoch) -> Option<(LeaderEpoch, Offset)> {
        self.log.epoch_end(epoch)
    }

    fn latest_epoch(&self) -> Option<LeaderEpoch> {
        self.log.latest_epoch()
    }

    fn read_recent(&self, from: Offset, limit: ReadLimit) -> Option<Result<Batches, ReadError>> {
        self.log.read_recent(from, limit)
    }

    fn read(&self, from: Offset, limit: ReadLimit) -> BoxFuture<'_, Result<Batches, ReadError>> {
        Box::pin(BrokerPartition::read(self, from, limit))
    }
}
