//! Committed offsets of consumer groups: read at the source of a link, written at its target.

use bytestring::ByteString;
use tokio::sync::broadcast;

use protocol::{GroupId, LeaderEpoch, Offset, PartitionId, TopicId, TopicName};

use super::{BoxFuture, PortError};

/// A group's committed offset of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupOffset {
    pub topic: TopicName,
    /// Of this datacenter's topic of that name; the nil id if there is none now.
    pub topic_id: TopicId,
    pub partition: PartitionId,
    /// Next to read.
    pub offset: Offset,
    pub leader_epoch: LeaderEpoch,
    pub metadata: ByteString,
}

/// A group and all it has committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupOffsets {
    pub group: GroupId,
    pub offsets: Vec<GroupOffset>,
}

/// What changed in a group, after it became durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupEvent {
    Committed {
        group: GroupId,
        offset: GroupOffset,
    },
    /// Deleted by a client or expired.
    OffsetGone {
        group: GroupId,
        topic: TopicName,
        topic_id: TopicId,
        partition: PartitionId,
    },
    GroupGone {
        group: GroupId,
    },
}

/// An offset to be committed here on behalf of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupCommit {
    pub topic: TopicName,
    pub partition: PartitionId,
    pub offset: Offset,
    /// -1 if not known to be right here.
    pub leader_epoch: LeaderEpoch,
    pub metadata: ByteString,
}

pub trait GroupStore: Send + Sync + 'static {
    /// Every change from now on. Subscribe first, then ask for [`Self::all`]; who lags asks for all again.
    fn subscribe(&self) -> broadcast::Receiver<GroupEvent>;

    fn all(&self) -> BoxFuture<'_, Result<Vec<GroupOffsets>, PortError>>;

    /// The group's offsets, once every commit accepted before is durable.
    fn settled(&self, group: GroupId) -> BoxFuture<'_, Result<Vec<GroupOffset>, PortError>>;

    /// It has members here: what it commits is its own.
    fn is_active(&self, group: GroupId) -> BoxFuture<'_, Result<bool, PortError>>;

    fn commit(&self, group: GroupId, offsets: Vec<GroupCommit>) -> BoxFuture<'_, Result<(), PortError>>;

    fn delete_offsets(
        &self,
        group: GroupId,
        partitions: Vec<(TopicName, PartitionId)>,
    ) -> BoxFuture<'_, Result<(), PortError>>;
}
