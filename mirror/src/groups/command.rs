//! What the group sync wants done.

use std::sync::Arc;

use protocol::{GroupId, LeaderEpoch, PartitionId, TopicId, TopicName};

use super::event::Round;
use crate::position::TargetOffset;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Commit these for a group without members; all or none. Answered by `Applied` or `Refused`.
    Apply { group: GroupId, round: Round, commits: Vec<TargetCommit> },
    /// Only under the policy that deletions follow: remove these positions. Answered like `Apply`.
    Remove { group: GroupId, round: Round, partitions: Vec<(TopicName, PartitionId)> },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetCommit {
    pub topic: TopicName,
    pub topic_id: TopicId,
    pub partition: PartitionId,
    pub offset: TargetOffset,
    /// Never above the partition's own epoch here: consumers would wait for an epoch that does not come.
    pub leader_epoch: LeaderEpoch,
    pub metadata: Arc<str>,
}
