//! The messages as the cores see them.

use std::collections::BTreeMap;

use protocol::{GroupId, LeaderEpoch, Offset, PartitionId, TopicId, TopicName};

use crate::{
    link::{Handle, wire::OwnershipMessage},
    ownership::HomeGeneration,
    stop::StopReason,
};

/// Of the protocol; the two ends must agree.
pub const VERSION: u32 = 1;

/// What the target says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToSource {
    Hello(Hello),
    Subscribe(Subscribe),
    Unsubscribe(Unsubscribe),
    /// All source records before `durable_end` are on stable storage at the target.
    Ack {
        handle: Handle,
        durable_end: Offset,
    },
    /// Bytes of blocks, headers included, that may have been sent since the connection began.
    Credit {
        total_bytes: u64,
    },
    Ownership(OwnershipMessage),
    Ping {
        clock: u64,
    },
}

/// What the source says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToTarget {
    Hello(Hello),
    /// A topic is there, or changed.
    Topic(Topic),
    TopicGone {
        id: TopicId,
    },
    /// All topics that were there when the connection began have been told.
    CatalogComplete,
    Subscribed(Subscribed),
    /// A subscription was not granted, or ends here.
    Refused {
        handle: Handle,
        reason: StopReason,
    },
    Watermark(Watermark),
    GroupOffset(GroupOffset),
    GroupGone(GroupGone),
    /// All group offsets that were there when the connection began have been told.
    GroupsComplete,
    Ownership(OwnershipMessage),
    Pong {
        clock: u64,
        source_clock: u64,
    },
}

/// First on the stream in both directions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    pub version: u32,
    pub link: String,
    pub node: String,
    /// Name of the topology that the node is of: another one is another world.
    pub topology: String,
    /// Of what the node's topology file says: another one is a file that is not rolled out everywhere yet.
    pub digest: String,
    /// Microseconds of the node's monotonic clock.
    pub clock: u64,
}

/// The target wants a partition, and says what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscribe {
    pub handle: Handle,
    pub topic_id: TopicId,
    pub partition: PartitionId,
    pub next_offset: Offset,
    /// Of the last record that the target holds.
    pub last_epoch: Option<LeaderEpoch>,
    pub generation: HomeGeneration,
    /// Nothing of the partition was ever mirrored: it may start wherever the source's log does.
    pub fresh: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsubscribe {
    pub handle: Handle,
    /// `None`: the partition is not wanted any more.
    pub reason: Option<StopReason>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscribed {
    pub handle: Handle,
    /// Where the first block continues from.
    pub start_offset: Offset,
    pub log_start: Offset,
    pub end: Offset,
    /// Offsets may be missing.
    pub compacted: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watermark {
    pub handle: Handle,
    pub log_start: Offset,
    pub end: Offset,
    /// Microseconds of the source's monotonic clock.
    pub clock: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    pub name: TopicName,
    pub id: TopicId,
    /// One for each partition.
    pub leader_epochs: Vec<LeaderEpoch>,
    pub configs: BTreeMap<String, String>,
    /// Offsets may be missing.
    pub compacted: bool,
    pub generation: HomeGeneration,
}

/// What a group committed for a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupOffset {
    pub group: GroupId,
    pub topic_id: TopicId,
    pub partition: PartitionId,
    pub offset: Offset,
    pub epoch: Option<LeaderEpoch>,
    pub metadata: String,
    /// The partition's end when the commit was told.
    pub source_end: Offset,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupGone {
    Group(GroupId),
    Offset { group: GroupId, topic_id: TopicId, partition: PartitionId },
}
