//! Durable records of who is home, and what changes with them: in the broker's metadata.

use broker::{Handles, metadata::MetadataError};
use mirror::ports::{BoxFuture, OwnershipRecord, OwnershipStore, PortError};
use protocol::{LeaderEpoch, ProducerId, TopicName};

use super::failures;

pub(super) struct BrokerOwnership {
    broker: Handles,
}

impl BrokerOwnership {
    pub(super) fn new(broker: Handles) -> Self {
        Self { broker }
    }
}

impl OwnershipStore for BrokerOwnership {
    fn load(&self) -> BoxFuture<'_, Result<Vec<OwnershipRecord>, PortError>> {
        Box::pin(async move {
            let image = self.broker.metadata().image();
            let record =
                |(unit, record): (&str, &str)| OwnershipRecord { unit: unit.into(), record: record.into() };
            Ok(image.ownership().map(record).collect())
        })
    }

    fn save(&self, record: OwnershipRecord) -> BoxFuture<'_, Result<(), PortError>> {
        done(self.broker.metadata().put_ownership(record.unit, record.record))
    }

    fn gates_changed(&self) -> BoxFuture<'_, Result<(), PortError>> {
        Box::pin(async move { Ok(self.broker.gates_changed().await?) })
    }

    fn advance_producer_ids(&self, beyond: ProducerId) -> BoxFuture<'_, Result<(), PortError>> {
        done(self.broker.metadata().advance_producer_ids(beyond))
    }

    fn raise_leader_epochs(
        &self,
        topics: Vec<TopicName>,
        at_least: LeaderEpoch,
    ) -> BoxFuture<'_, Result<(), PortError>> {
        let image = self.broker.metadata().image();
        // A topic that was deleted meanwhile has no epochs to raise.
        let ids = topics.iter().filter_map(|name| Some(image.topic(name.as_str())?.id)).collect();
        done(self.broker.metadata().raise_topic_epochs(ids, at_least))
    }
}

fn done<'a>(
    change: impl Future<Output = Result<(), MetadataError>> + Send + 'a,
) -> BoxFuture<'a, Result<(), PortError>> {
    Box::pin(async move { change.await.map_err(|error| failures::metadata(&error)) })
}
