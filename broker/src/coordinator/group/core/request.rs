//! What can be asked of a group, and what it answers.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use bytestring::ByteString;

use protocol::{ErrorCode, GenerationId, LeaderEpoch, MemberId, Offset, PartitionId, TopicName, Uuid};

/// Names one request that waits for its [`Answer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// What an operator calls a member, so that it keeps its place through a restart (KIP-345).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceId(pub ByteString);

/// Who asks: an empty member id means "not known yet".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    pub member_id: MemberId,
    pub instance_id: Option<InstanceId>,
}

#[derive(Debug)]
pub enum Request {
    /// With randomness for the id of a member that has none.
    Join(Join, Uuid),
    Sync(Sync),
    Heartbeat(Heartbeat),
    Leave(Vec<Identity>),
    Commit(Commit),
    DeleteOffsets(Vec<(TopicName, PartitionId)>),
    DeleteGroup,
    /// Deletes what is older than the retention allows; the group too, when nothing of it is left.
    Expire,
    /// Deletes the offsets of a topic that is gone.
    ForgetTopic(TopicName),
    Describe,
    Offsets,
    /// The offsets once every write that was begun before has ended.
    SettledOffsets,
}

impl Request {
    /// What is answered where the group's gate is shut; `None` for what goes on all the same: reading, topics that are gone, and
    /// commits from outside, which follow the group's home. Its offsets do not expire here meanwhile: members there may live on
    /// one that was committed long ago.
    pub fn refusal(&self, error: ErrorCode) -> Option<Answer> {
        match self {
            Self::Join(join, _) => {
                Some(Answer::Join(Err(JoinRefused { error, member_id: join.who.member_id.clone() })))
            }
            Self::Sync(_) => Some(Answer::Sync(Err(error))),
            Self::Heartbeat(_) => Some(Answer::Heartbeat(error)),
            Self::Leave(_) => Some(Answer::Leave(Err(error))),
            Self::Commit(Commit { author: Author::Client { .. }, .. }) => Some(Answer::Commit(Err(error))),
            Self::DeleteOffsets(_) => Some(Answer::DeleteOffsets(Err(error))),
            Self::DeleteGroup => Some(Answer::DeleteGroup(error)),
            Self::Expire => Some(Answer::Swept(0)),
            Self::Commit(Commit { author: Author::Outside, .. })
            | Self::ForgetTopic(_)
            | Self::Describe
            | Self::Offsets
            | Self::SettledOffsets => None,
        }
    }
}

#[derive(Debug)]
pub enum Answer {
    Join(Result<Joined, JoinRefused>),
    Sync(Result<Synced, ErrorCode>),
    Heartbeat(ErrorCode),
    /// One code for each identity, in order; or one for all.
    Leave(Result<Vec<ErrorCode>, ErrorCode>),
    /// One code for each offset, in order; or one for all.
    Commit(Result<Vec<ErrorCode>, ErrorCode>),
    /// One code for each partition, in order; or one for all.
    DeleteOffsets(Result<Vec<ErrorCode>, ErrorCode>),
    DeleteGroup(ErrorCode),
    /// How many offsets were deleted.
    Swept(usize),
    /// `None`: there is no such group.
    Description(Option<Description>),
    Offsets(Arc<OffsetsByTopic>),
}

/// A protocol (assignor) that a member can use, with what it tells the leader when that one is chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protocol {
    pub name: ByteString,
    pub metadata: Bytes,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    pub id: ByteString,
    pub host: ByteString,
}

#[derive(Clone, Debug)]
pub struct Join {
    pub who: Identity,
    pub client: Client,
    pub session_timeout_ms: i32,
    pub rebalance_timeout_ms: i32,
    pub protocol_type: ByteString,
    pub protocols: Vec<Protocol>,
    /// A new member must come back with the id it was given before it counts (KIP-394; version 4).
    pub member_id_required: bool,
    /// The client understands `skip_assignment` (KIP-814; version 9).
    pub may_skip_assignment: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    pub generation: GenerationId,
    pub protocol_type: Option<ByteString>,
    pub protocol: Option<ByteString>,
    pub leader: MemberId,
    pub member_id: MemberId,
    /// For the leader only.
    pub members: Vec<JoinedMember>,
    pub skip_assignment: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinedMember {
    pub member_id: MemberId,
    pub instance_id: Option<InstanceId>,
    pub metadata: Bytes,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinRefused {
    pub error: ErrorCode,
    pub member_id: MemberId,
}

#[derive(Clone, Debug)]
pub struct Sync {
    pub who: Identity,
    pub generation: GenerationId,
    pub protocol_type: Option<ByteString>,
    pub protocol: Option<ByteString>,
    /// From the leader only.
    pub assignments: Vec<(MemberId, Bytes)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synced {
    pub protocol_type: Option<ByteString>,
    pub protocol: Option<ByteString>,
    pub assignment: Bytes,
}

#[derive(Clone, Debug)]
pub struct Heartbeat {
    pub who: Identity,
    pub generation: GenerationId,
}

#[derive(Clone, Debug)]
pub struct Commit {
    pub author: Author,
    /// How long the offsets shall live (versions 2 to 4); negative: as long as the broker's setting says.
    pub retention_ms: i64,
    pub offsets: Vec<OffsetToCommit>,
}

/// On whose word offsets are committed.
#[derive(Clone, Debug)]
pub enum Author {
    /// A client. Generation -1 and no member id: a consumer that assigns itself, or an operator's tool.
    Client { who: Identity, generation: GenerationId, missing_group: ErrorCode },
    /// This node, for a group that is not active here.
    Outside,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OffsetToCommit {
    pub topic: TopicName,
    pub partition: PartitionId,
    pub offset: Offset,
    pub leader_epoch: LeaderEpoch,
    pub metadata: ByteString,
}

/// An offset as it is stored: the next record to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedOffset {
    pub offset: Offset,
    pub leader_epoch: LeaderEpoch,
    pub metadata: ByteString,
    pub commit_ms: i64,
    /// Set by clients of versions 2 to 4 only.
    pub expire_ms: Option<i64>,
}

pub type OffsetsByTopic = BTreeMap<TopicName, BTreeMap<PartitionId, CommittedOffset>>;

/// A group's state, by Kafka's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupState {
    Empty,
    PreparingRebalance,
    CompletingRebalance,
    Stable,
    Dead,
}

impl GroupState {
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::PreparingRebalance => "PreparingRebalance",
            Self::CompletingRebalance => "CompletingRebalance",
            Self::Stable => "Stable",
            Self::Dead => "Dead",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    pub state: GroupState,
    pub generation: GenerationId,
    pub protocol_type: ByteString,
    /// Chosen for a stable group only.
    pub protocol: ByteString,
    pub members: Vec<MemberDescription>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberDescription {
    pub member_id: MemberId,
    pub instance_id: Option<InstanceId>,
    pub client: Client,
    /// For the chosen protocol of a stable group; empty otherwise.
    pub metadata: Bytes,
    pub assignment: Bytes,
}
