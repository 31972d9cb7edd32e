//! What the sender is told, and what it wants done.

use bytes::Bytes;

use protocol::{GroupId, LeaderEpoch, Offset, PartitionId, TopicId};

use crate::{
    link::{
        BlockNumber, Handle, ReadId,
        block::OutgoingBlock,
        wire::{GroupGone, GroupOffset, OwnershipMessage, ToSource, Topic, VERSION, WireError},
    },
    ownership::HomeGeneration,
    stop::StopReason,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A message of the control stream.
    Message(ToSource),
    /// What [`Command::Open`] found. The driver watches the log from before it looked.
    Opened {
        handle: Handle,
        result: Result<SourceView, StopReason>,
    },
    /// An open partition's watch fired.
    Ends {
        handle: Handle,
        ends: SourceEnds,
    },
    Read {
        read: ReadId,
        result: Result<ReadBatches, ReadFailure>,
    },
    /// A block was packed, and takes so much of the credit: header and payload.
    Packed {
        number: BlockNumber,
        wire_bytes: u64,
    },
    /// The transport knows that a block arrived whole.
    Finished {
        number: BlockNumber,
    },
    /// So many bytes may be with the transport: twice its congestion window, or more.
    TransportWindow {
        bytes: u64,
    },
    /// A topic is there, or changed. All that are there are told when the connection begins, then `CatalogComplete`.
    Topic(Topic),
    TopicGone {
        id: TopicId,
    },
    CatalogComplete,
    /// A group committed. All offsets that are there are told when the connection begins, then `GroupsComplete`.
    GroupOffset(GroupOffset),
    GroupGone(GroupGone),
    GroupsComplete,
    /// To be said to the target.
    Ownership(OwnershipMessage),
    /// A topic's share of the link beside others: 1 unless told, at most 100.
    Weight {
        topic_id: TopicId,
        weight: u32,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Look at a partition, and tell its ends from then on whenever they change.
    Open { handle: Handle, topic_id: TopicId, partition: PartitionId, last_epoch: Option<LeaderEpoch> },
    /// Stop watching a partition.
    Release { handle: Handle },
    /// Read whole batches from the one that holds `from`, below `until`: at most `bytes_max`, but at least one.
    Read { read: ReadId, handle: Handle, from: Offset, until: Offset, bytes_max: usize },
    /// Pack the block (and tell [`Event::Packed`]), then write it to a stream of its own (and tell [`Event::Finished`]).
    Send(OutgoingBlock),
    /// The target speaks of ownership.
    Ownership(OwnershipMessage),
    /// All source records of the partition before `durable_end` are on stable storage at the target.
    Acked { handle: Handle, topic_id: TopicId, partition: PartitionId, durable_end: Offset },
    /// The connection is of no use any more.
    Close(LinkError),
}

/// How a partition looks when it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceView {
    pub ends: SourceEnds,
    /// The largest epoch that is not above the one asked for, and where it ended.
    pub epoch_end: Option<(LeaderEpoch, Offset)>,
}

/// What of a partition may be mirrored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceEnds {
    pub log_start: Offset,
    /// The smaller of high watermark and durable end: what is not on stable storage here is not sent.
    pub end: Offset,
}

/// Whole batches, as the log gives them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadBatches {
    /// Each holds one or more whole batches.
    pub pieces: Vec<Bytes>,
}

/// Why a read gave nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadFailure {
    OutOfRange {
        log_start: Offset,
        log_end: Offset,
    },
    Damaged {
        what: String,
    },
    Offline {
        what: String,
    },
    /// The topic was deleted.
    Gone,
}

/// Why a connection is closed by a core.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    #[error(transparent)]
    Wire(#[from] WireError),
    #[error("the other side speaks version {0}, we speak {VERSION}")]
    Version(u32),
    #[error("the other side did not begin with a hello, or said it twice")]
    Hello,
    #[error("the other side is of topology {found:?}, not of {expected:?}")]
    OtherTopology { expected: String, found: String },
    #[error("the other side carries link {found}, not {expected}")]
    OtherLink { expected: String, found: String },
    #[error("credit went back from {before} to {now}")]
    CreditRevoked { before: u64, now: u64 },
    #[error("{sent} bytes of blocks came where {granted} were granted")]
    CreditExceeded { granted: u64, sent: u64 },
    #[error("handle {} was used before", .0.0)]
    HandleReused(Handle),
    #[error("more than {0} subscriptions")]
    TooManySubscriptions(usize),
    #[error("more than {0} blocks came before one that was begun earlier")]
    TooFarAhead(usize),
}

/// A subscription, for status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionView {
    pub handle: Handle,
    pub topic_id: TopicId,
    pub partition: PartitionId,
    pub generation: HomeGeneration,
    pub class: Class,
    /// Sent up to here.
    pub position: Offset,
    /// Durable at the target up to here.
    pub acked: Offset,
    pub end: Offset,
}

/// What a partition's records wait behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    Live,
    Backfill,
}

/// Names a group's offset in a partition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct GroupKey {
    pub(super) group: GroupId,
    pub(super) topic_id: TopicId,
    pub(super) partition: PartitionId,
}
