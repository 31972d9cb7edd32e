//! What the catalog is told.

use std::collections::BTreeMap;

use protocol::{LeaderEpoch, PartitionId, TopicId, TopicName};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The link is up: a full listing follows, ended by `Complete`. Also begins a listing anew.
    Connected,
    /// The link is down: what is ready stays so.
    Disconnected,
    Topic(SourceTopic),
    TopicGone {
        id: TopicId,
    },
    /// The listing is complete: topics that were known and not named are gone.
    Complete,
    /// The topics of this datacenter, at once after the start and whenever they changed.
    Local(LocalCatalog),
    /// The link's rules, or homes of units, changed.
    FlowsChanged,
    /// A command for this source topic was carried out; the change is, or will be, in the next `Local`.
    Done {
        id: TopicId,
        skipped_configs: Vec<String>,
    },
    /// A command for this source topic failed.
    Failed {
        id: TopicId,
        what: String,
        again: bool,
    },
    /// [`super::CatalogSync::next_deadline`] has passed.
    DeadlinePassed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceTopic {
    pub name: TopicName,
    pub id: TopicId,
    /// One per partition.
    pub leader_epochs: Vec<LeaderEpoch>,
    pub configs: BTreeMap<String, String>,
    pub compacted: bool,
}

pub type LocalCatalog = BTreeMap<TopicName, LocalTopic>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalTopic {
    pub id: TopicId,
    /// One per partition.
    pub leader_epochs: Vec<LeaderEpoch>,
    /// Overrides only.
    pub configs: BTreeMap<String, String>,
}

impl SourceTopic {
    pub fn partitions(&self) -> impl Iterator<Item = PartitionId> {
        (0..).map(PartitionId).take(self.leader_epochs.len())
    }
}
