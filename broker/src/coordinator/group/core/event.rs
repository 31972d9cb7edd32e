//! What whoever follows the groups hears, once it is durable.

use bytestring::ByteString;

use protocol::{GroupId, LeaderEpoch, Offset, PartitionId, TopicName};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupEvent {
    Committed(OffsetCommitted),
    Removed(OffsetRemoved),
    /// Nothing is left of the group; its offsets were announced before, each.
    GroupRemoved {
        group: GroupId,
        why: Removal,
    },
    /// Its last member left or fell silent: others may commit for it again.
    Emptied {
        group: GroupId,
    },
}

/// An offset that was just committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OffsetCommitted {
    pub group: GroupId,
    pub topic: TopicName,
    pub partition: PartitionId,
    pub offset: Offset,
    pub leader_epoch: LeaderEpoch,
    pub metadata: ByteString,
    pub commit_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OffsetRemoved {
    pub group: GroupId,
    pub topic: TopicName,
    pub partition: PartitionId,
    pub why: Removal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// A client asked for it.
    Deleted,
    /// Its retention has passed.
    Expired,
    /// Its topic was deleted.
    TopicGone,
}
