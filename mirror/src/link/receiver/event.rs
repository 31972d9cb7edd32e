//! What the receiver is told, and what it wants done.

use std::time::Duration;

use protocol::{LeaderEpoch, Offset, PartitionId, TopicId, TopicName};

use crate::{
    link::{
        ApplyId,
        block::{Block, UnpackRules},
        sender::LinkError,
        wire::{GroupGone, GroupOffset, Hello, OwnershipMessage, ToTarget, Topic},
    },
    ownership::HomeGeneration,
    stop::StopReason,
};

/// A partition, by its topic's identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionKey {
    pub topic_id: TopicId,
    pub partition: PartitionId,
}

/// How records become part of the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// The same bytes at the same offsets: the position is the log's end.
    Replica,
    /// At the next offset of a topic that others write too: the position comes from the translation table.
    Merged,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A connection is there; `hello` is what we say on it.
    Connected {
        hello: Hello,
    },
    Disconnected,
    /// A message of the control stream.
    Message(ToTarget),
    /// A block arrived whole.
    Block(Block),
    /// This node carries the partition of the source's topic `name`; again when its generation changed.
    Assigned {
        key: PartitionKey,
        name: TopicName,
        generation: HomeGeneration,
        mode: Mode,
    },
    Revoked {
        key: PartitionKey,
    },
    /// Try a stopped partition again: the operator has seen to it.
    Resume {
        key: PartitionKey,
    },
    /// What [`Command::Locate`] found.
    Located {
        key: PartitionKey,
        result: Result<LocalPosition, StopReason>,
    },
    /// [`Command::StartAt`] is done, durably.
    Started {
        key: PartitionKey,
        result: Result<(), ApplyFailure>,
    },
    /// An apply ended. All source records before `end` are in the log, and may be read; so some were when it failed.
    Applied {
        apply: ApplyId,
        end: Offset,
        result: Result<(), ApplyFailure>,
    },
    /// All source records before `end` are on stable storage here, with all that goes with them.
    Durable {
        key: PartitionKey,
        end: Offset,
    },
    /// [`Command::AdvanceStart`] is done.
    StartAdvanced {
        key: PartitionKey,
        to: Offset,
        result: Result<(), ApplyFailure>,
    },
    /// To be said to the source. What was not said when the connection was lost is not said any more.
    Ownership(OwnershipMessage),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Tell what the local log (or the translation table) holds of a partition.
    Locate {
        key: PartitionKey,
        mode: Mode,
    },
    /// The empty log of a replica begins at `offset`.
    StartAt {
        key: PartitionKey,
        offset: Offset,
    },
    /// Unpack and append. At most one for each partition is under way.
    Apply(Apply),
    /// The source's log starts at `to` now; the local log has records up to there or further.
    AdvanceStart {
        key: PartitionKey,
        to: Offset,
    },
    /// What the source has.
    Topic(Topic),
    TopicGone {
        id: TopicId,
    },
    CatalogComplete,
    /// What groups committed at the source.
    GroupOffset(GroupOffset),
    GroupGone(GroupGone),
    GroupsComplete,
    /// The source speaks of ownership.
    Ownership(OwnershipMessage),
    /// A partition entered another state.
    Changed {
        key: PartitionKey,
        state: PartitionState,
    },
    /// The connection is of no use any more.
    Close(LinkError),
}

/// Consecutive blocks of a partition. Unpacking checks them; the rules say what is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Apply {
    pub apply: ApplyId,
    pub key: PartitionKey,
    pub mode: Mode,
    pub generation: HomeGeneration,
    pub blocks: Vec<Block>,
    pub rules: UnpackRules,
}

/// What the target holds of a partition, in offsets of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalPosition {
    pub log_start: Offset,
    pub next_offset: Offset,
    /// All before it is on stable storage.
    pub durable_end: Offset,
    /// Of the last record.
    pub last_epoch: Option<LeaderEpoch>,
    /// Nothing of the partition was ever mirrored.
    pub fresh: bool,
}

/// Why the local log did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApplyFailure {
    /// Goes by; the receiver tries again.
    Wait(Stall),
    /// Does not go by itself.
    Stop(StopReason),
}

/// Where a partition stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartitionState {
    /// There is no connection, or the position is not agreed yet.
    Starting,
    /// Behind where the source was when the subscription began.
    Backfilling,
    Live,
    /// Waits, and goes on by itself.
    Stalled(Stall),
    Stopped(StopReason),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stall {
    /// No room on the disk.
    NoSpace,
    /// The log does not take records of the mirror at the moment: its unit is about to move, or it has to try again.
    Closed,
}

/// A partition, for status and metrics. Offsets are offsets of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionView {
    pub key: PartitionKey,
    pub mode: Mode,
    pub generation: HomeGeneration,
    pub state: PartitionState,
    /// In the log up to here.
    pub applied_end: Offset,
    pub durable_end: Offset,
    /// What was last heard of the source's end.
    pub source_end: Offset,
    pub lag_records: u64,
    /// Since the oldest source end was heard that is not durable here.
    pub lag: Duration,
}
