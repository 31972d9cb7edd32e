//! Where batches go: the broker's logs, appended to as a replica or a relay does.

use std::sync::Arc;

use broker::Handles;
use bytes::BytesMut;
use core_log::{
    Ack, Append, Batches, ChangeError, Intake, LogEnds, Place, ReadError, ReadLimit, Waiter, Watch,
};
use mirror::ports::{Arrival, BatchSink, BoxFuture, PortError, Settled, SinkPartition};
use protocol::{LeaderEpoch, Offset, PartitionId, ProducerId, TopicId};

use super::{
    failures,
    partitions::{self, BrokerPartition},
};

pub(super) struct BrokerSink {
    broker: Handles,
}

impl BrokerSink {
    pub(super) fn new(broker: Handles) -> Self {
        Self { broker }
    }
}

impl BatchSink for BrokerSink {
    fn partition(
        &self,
        topic: TopicId,
        partition: PartitionId,
    ) -> BoxFuture<'_, Result<Arc<dyn SinkPartition>, PortError>> {
        Box::pin(async move {
            let partition = partitions::open(&self.broker, topic, partition).await?;
            Ok(Arc::new(partition) as Arc<dyn SinkPartition>)
        })
    }
}

impl SinkPartition for BrokerPartition {
    fn ends(&self) -> LogEnds {
        self.log.ends()
    }

    fn offline(&self) -> Option<Arc<str>> {
        self.log.offline()
    }

    fn watch(&self, waiter: &Arc<Waiter>) -> Watch {
        self.log.watch(waiter)
    }

    fn latest_epoch(&self) -> Option<LeaderEpoch> {
        self.log.latest_epoch()
    }

    fn append(&self, batches: Vec<BytesMut>, arrival: Arrival) -> BoxFuture<'_, Settled> {
        let place = match arrival {
            Arrival::Replica => Place::AsGiven,
            Arrival::Merged { leader_epoch } => Place::Relayed { leader_epoch },
        };
        Box::pin(async move {
            let append = |batch| Append { log: self.log.clone(), batch, place };
            let appends = batches.into_iter().map(append).collect();
            let ticket = self.broker.log_dir().submit(appends, Ack::Synced).await;
            Box::pin(ticket) as Settled
        })
    }

    fn advance_start(&self, offset: Offset) -> BoxFuture<'_, Result<Offset, PortError>> {
        changed(self.log.advance_start(offset))
    }

    fn start_at(&self, offset: Offset) -> BoxFuture<'_, Result<LogEnds, PortError>> {
        changed(self.log.start_at(offset))
    }

    fn truncate_to(&self, offset: Offset) -> BoxFuture<'_, Result<Offset, PortError>> {
        changed(self.log.truncate_to(offset))
    }

    fn read(&self, from: Offset, limit: ReadLimit) -> BoxFuture<'_, Result<Batches, ReadError>> {
        Box::pin(BrokerPartition::read(self, from, limit))
    }

    fn set_intake(&self, intake: Intake) -> BoxFuture<'_, Result<LogEnds, PortError>> {
        changed(self.log.set_intake(intake))
    }

    fn forget_producers(&self) -> BoxFuture<'_, Result<Option<ProducerId>, PortError>> {
        changed(self.log.forget_producers())
    }
}

fn changed<'a, T>(
    change: impl Future<Output = Result<T, ChangeError>> + Send + 'a,
) -> BoxFuture<'a, Result<T, PortError>> {
    Box::pin(async move { change.await.map_err(|error| failures::change(&error)) })
}
