//! Durable records of who is home, and what changes with them.

use protocol::{LeaderEpoch, ProducerId, TopicName};

use super::{BoxFuture, PortError};

/// What this datacenter knows of a failover unit; text to everybody but the ownership core.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnershipRecord {
    pub unit: String,
    pub record: String,
}

pub trait OwnershipStore: Send + Sync + 'static {
    fn load(&self) -> BoxFuture<'_, Result<Vec<OwnershipRecord>, PortError>>;

    /// Durable once answered.
    fn save(&self, record: OwnershipRecord) -> BoxFuture<'_, Result<(), PortError>>;

    /// Who may write changed: every open partition and group asks again. Answers once all obey.
    fn gates_changed(&self) -> BoxFuture<'_, Result<(), PortError>>;

    /// No producer id up to and including `beyond` is given out any more.
    fn advance_producer_ids(&self, beyond: ProducerId) -> BoxFuture<'_, Result<(), PortError>>;

    /// Leader epochs of these topics are at least `at_least` from now on.
    fn raise_leader_epochs(
        &self,
        topics: Vec<TopicName>,
        at_least: LeaderEpoch,
    ) -> BoxFuture<'_, Result<(), PortError>>;
}
