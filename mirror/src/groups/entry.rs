//! One position of one group, and how far it has got.

use std::sync::Arc;

use protocol::{GroupId, PartitionId, TopicId, TopicName};

use crate::{
    ownership::HomeGeneration,
    position::{SourceOffset, TargetOffset},
};

/// A partition of the source.
pub(super) type Key = (TopicId, PartitionId);

#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The newest true position; `None` once it is gone at the source.
    pub(super) committed: Option<SourceOffset>,
    pub(super) metadata: Arc<str>,
    pub(super) generation: HomeGeneration,
    /// What stands at the target because of this sync.
    pub(super) applied: Option<Applied>,
    pub(super) state: RowState,
    pub(super) skipped: u64,
}

impl Entry {
    /// A position that is placed and not durable is still on its way.
    pub(super) fn shown(&self) -> RowState {
        let durable = self.applied.as_ref().map(|applied| applied.committed) == self.committed;
        match self.state {
            RowState::InSync | RowState::AheadOfMirror | RowState::BelowStart if !durable => {
                RowState::Pending
            }
            state => state,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Applied {
    pub(super) topic: TopicName,
    pub(super) partition: PartitionId,
    pub(super) committed: SourceOffset,
    pub(super) offset: TargetOffset,
    pub(super) metadata: Arc<str>,
}

/// How a position stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RowState {
    /// On its way.
    #[default]
    Pending,
    /// The target's position means the same record as the source's.
    InSync,
    /// Applied at the end of what was mirrored; goes on as data arrives.
    AheadOfMirror,
    /// The record it stands at is no longer at the target: applied at the log start, records skipped.
    BelowStart,
    /// The partition is not here yet.
    NotHere,
    /// The topic or the group does not flow over this link, or no longer.
    NotCarried,
    /// Of a home that is no longer, or not yet, the one that is followed here.
    OtherGeneration,
}

/// For status and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupRow {
    pub group: GroupId,
    pub topic_id: TopicId,
    pub partition: PartitionId,
    pub committed: Option<SourceOffset>,
    pub applied: Option<TargetOffset>,
    pub state: RowState,
    /// The group is active here, so nothing of it is applied.
    pub conflict: bool,
    pub skipped: u64,
}
