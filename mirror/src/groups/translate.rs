//! The question that the group sync asks of whoever knows logs, links and homes.

use protocol::{GroupId, LeaderEpoch, PartitionId, TopicId, TopicName};

use crate::{
    ownership::HomeGeneration,
    position::{SourceOffset, TargetOffset},
};

/// Implemented by the driver over the translation tables, the local catalog and the ownership views.
pub trait Translate {
    /// Whether positions of this group flow over this link now, and at which home generation.
    fn group_flow(&self, group: &GroupId) -> Option<HomeGeneration>;

    /// Where a source position is found here.
    fn translate(&self, topic_id: TopicId, partition: PartitionId, committed: SourceOffset) -> Translation;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Translation {
    Here(Located),
    /// The topic is meant to flow, and the partition or all knowledge of it is not here yet.
    NotYet,
    /// The topic does not flow over this link.
    NotCarried,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    pub topic: TopicName,
    pub topic_id: TopicId,
    pub partition: PartitionId,
    /// The target offset of the first mirrored record whose source offset is not below the committed one; where there is
    /// none, the end of what was mirrored. Not clamped yet.
    pub offset: TargetOffset,
    /// The next source offset that the mirror expects: positions beyond it are ahead of the mirror.
    pub mirrored_to: SourceOffset,
    pub log_start: TargetOffset,
    pub durable_end: TargetOffset,
    /// The partition's own epoch here, or [`LeaderEpoch::NONE`].
    pub leader_epoch: LeaderEpoch,
}
