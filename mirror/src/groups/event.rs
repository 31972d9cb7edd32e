//! What the group sync is told.

use std::sync::Arc;

use protocol::{GroupId, PartitionId, TopicId};

use crate::{ownership::HomeGeneration, position::SourceOffset};

/// Ties an answer to the batch that was applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Round(pub u64);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The source has this position; in the order of its commits. Sent again, all of them, on every new connection.
    Committed(SourceCommit),
    /// The source has no position of this group there any more: deleted or expired.
    Gone {
        group: GroupId,
        topic_id: TopicId,
        partition: PartitionId,
    },
    /// The durable end or the log start of the partition's mirror moved, or the partition appeared here.
    Arrived {
        topic_id: TopicId,
        partition: PartitionId,
    },
    /// The group has no members here any more.
    TargetEmpty {
        group: GroupId,
    },
    /// News of that kind were missed: any of the groups may be.
    TargetsMayBeEmpty,
    /// Homes or rules changed: what was allowed may not be any more, and the other way round.
    FlowsChanged,
    /// Durable.
    Applied {
        group: GroupId,
        round: Round,
    },
    Refused {
        group: GroupId,
        round: Round,
        refusal: Refusal,
    },
    /// [`super::GroupSync::next_deadline`] has passed.
    DeadlinePassed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceCommit {
    pub group: GroupId,
    pub topic_id: TopicId,
    pub partition: PartitionId,
    /// Next to read.
    pub offset: SourceOffset,
    pub metadata: Arc<str>,
    /// The home generation that the source spoke for; 0 outside of units.
    pub generation: HomeGeneration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The group has members here: it is not ours to move.
    Active,
    /// The coordinator cannot answer now: tried again after a pause.
    Unavailable,
}
