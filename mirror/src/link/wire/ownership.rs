//! What the two ends say about who may write a failover unit. The cores of the link only pass it on.

use protocol::{Offset, PartitionId, TopicId};

use crate::{link::wire::GroupOffset, ownership::HomeGeneration};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnershipMessage {
    /// What the speaker knows of a unit.
    State {
        unit: String,
        generation: HomeGeneration,
        home: String,
        stage: Stage,
    },
    /// Take no more writes for the unit; answered by `Fenced` or `Refused`.
    Fence {
        request: u64,
        unit: String,
        generation: HomeGeneration,
    },
    Fenced(Fenced),
    Unfence {
        request: u64,
        unit: String,
        generation: HomeGeneration,
    },
    /// The unit has a new home.
    Promoted {
        unit: String,
        generation: HomeGeneration,
        home: String,
    },
    Refused {
        request: u64,
        reason: String,
    },
}

/// The answer to `Fence`: nothing is written any more, and this is where all ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fenced {
    pub request: u64,
    pub unit: String,
    pub generation: HomeGeneration,
    pub ends: Vec<PartitionEnd>,
    pub groups: Vec<GroupOffset>,
    /// A long answer comes in several messages.
    pub last: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionEnd {
    pub topic_id: TopicId,
    pub partition: PartitionId,
    pub end: Offset,
}

/// Where a unit stands in its ownership's course.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    Home,
    Fencing,
    Draining,
    Promoting,
    Standby,
    Diverged,
    Restoring,
}
