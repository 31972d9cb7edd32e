//! What can be asked of the metadata, and why it can be refused.

use std::collections::BTreeMap;

use protocol::{LeaderEpoch, ProducerId, TopicId, TopicName};

use super::{
    identity,
    topic_config::{ConfigKind, InvalidConfig},
    topic_name::{self, InvalidTopicName},
};

/// One change, checked against the newest image when its turn comes.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    CreateTopic(NewTopic),
    /// Made by the broker itself; nothing happens if the topic is there.
    EnsureInternalTopic(InternalTopic),
    DeleteTopic(TopicId),
    AddPartitions(NewPartitions),
    AlterTopicConfig(TopicConfigChange),
    /// Sets the next block of producer ids aside.
    TakeProducerIds,
    /// Every partition's leader epoch goes up.
    RaiseLeaderEpochs,
    /// A topic that has its home elsewhere, under the id that it has there. Nothing happens if it is there.
    CreateReplica(ReplicaTopic),
    /// The topic becomes as its home says: partitions are added, leader epochs raised, overrides are exactly these.
    FollowReplica(ReplicaTopic),
    /// What is known of a failover unit's home; the text is the mirror's business.
    PutOwnership {
        unit: String,
        record: String,
    },
    /// Producer ids up to this one are given away from now on, those in blocks that were set aside as well.
    AdvanceProducerIds {
        beyond: ProducerId,
    },
    /// Every partition of these topics has at least this leader epoch from now on.
    RaiseTopicEpochs {
        topics: Vec<TopicId>,
        at_least: LeaderEpoch,
    },
}

/// A topic as its home describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaTopic {
    pub name: TopicName,
    pub id: TopicId,
    /// One for each partition.
    pub leader_epochs: Vec<LeaderEpoch>,
    /// Overrides. Those that this broker does not know, or whose values it does not take, are left out.
    pub configs: BTreeMap<String, String>,
}

/// A topic as a client asks for it.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTopic {
    pub name: TopicName,
    /// -1: the broker's default.
    pub partitions: i32,
    /// -1: the broker's default, which is 1.
    pub replication_factor: i16,
    /// Replicas by partition; with these, the two counts must be -1.
    pub assignments: Vec<(i32, Vec<i32>)>,
    pub configs: Vec<(String, Option<String>)>,
}

impl NewTopic {
    /// A topic that leaves everything to the broker's defaults.
    pub fn named(name: impl Into<TopicName>) -> Self {
        Self {
            name: name.into(),
            partitions: -1,
            replication_factor: -1,
            assignments: Vec::new(),
            configs: Vec::new(),
        }
    }
}

/// A topic of ours, with what its coordinator needs of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InternalTopic {
    ConsumerOffsets { partitions: i32 },
}

impl InternalTopic {
    pub fn name(self) -> &'static str {
        match self {
            Self::ConsumerOffsets { .. } => topic_name::CONSUMER_OFFSETS,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPartitions {
    pub topic: TopicName,
    /// The count after the growth.
    pub count: i32,
    /// Replicas of the new partitions, in order; none: the broker assigns.
    pub assignments: Option<Vec<Vec<i32>>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicConfigChange {
    pub topic: TopicName,
    pub edit: ConfigEdit,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigEdit {
    /// These overrides and no others.
    Replace(Vec<(String, Option<String>)>),
    /// The overrides that are there, with these changes.
    Adjust(Vec<ConfigAdjustment>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigAdjustment {
    pub name: String,
    pub operation: ConfigOperation,
    pub value: Option<String>,
}

/// How one setting changes, by its number in IncrementalAlterConfigs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i8)]
pub enum ConfigOperation {
    Set = 0,
    Delete = 1,
    /// Adds items to a list.
    Append = 2,
    /// Takes items from a list.
    Subtract = 3,
}

impl ConfigOperation {
    pub fn from_wire(number: i8) -> Option<Self> {
        [Self::Set, Self::Delete, Self::Append, Self::Subtract]
            .into_iter()
            .find(|known| *known as i8 == number)
    }
}

/// Producer ids that were durably set aside: nobody else gets them, even after a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProducerIdBlock {
    pub first: ProducerId,
    pub count: i64,
}

/// Why a change is refused; the texts are for the client and read as Kafka's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{0}")]
    InvalidName(#[from] InvalidTopicName),
    #[error("Topic '{name}' collides with existing topic: {existing}")]
    Collides { name: TopicName, existing: TopicName },
    #[error("Creation of internal topic __cluster_metadata is prohibited.")]
    ClusterMetadata,
    #[error("Topic '{0}' is internal: the broker itself creates it and decides about its partitions")]
    Internal(TopicName),
    #[error("Topic '{0}' already exists.")]
    Exists(TopicName),
    #[error("This server does not host this topic-partition.")]
    UnknownTopic(TopicName),
    #[error("This server does not host the topic ID {}.", identity::print(.0.0))]
    UnknownTopicId(TopicId),
    #[error("A manual partition assignment was specified, but {0} was not set to -1.")]
    CountsAndAssignments(&'static str),
    #[error("Replication factor must be larger than 0, or -1 to use the default value.")]
    FactorNotPositive,
    #[error(
        "Unable to replicate the partition {0} time(s): The target replication factor of {0} cannot be reached because only 1 \
         broker(s) are registered."
    )]
    FactorTooLarge(i16),
    #[error("Number of partitions was set to an invalid non-positive value.")]
    PartitionsNotPositive,
    #[error("A topic may have at most {max} partitions, not {asked}.")]
    TooManyPartitions { asked: i32, max: i32 },
    #[error("All topics together may have at most {max} partitions.")]
    ClusterFull { max: usize },
    #[error("Topic already has {0} partition(s).")]
    PartitionsUnchanged(i32),
    #[error("The topic {topic} currently has {current} partition(s); {asked} would not be an increase.")]
    PartitionsShrink { topic: TopicName, current: i32, asked: i32 },
    #[error("{0}")]
    InvalidAssignment(InvalidAssignment),
    #[error("Null value not supported for topic configs: {}", .0.join(","))]
    NullConfigs(Vec<String>),
    #[error("Error due to duplicate config keys")]
    RepeatedConfigs,
    #[error("{0}")]
    InvalidConfig(#[from] InvalidConfig),
    #[error(
        "write.caching must be false for an internal topic: committed offsets are synced before the answer"
    )]
    InternalUnsynced,
    #[error(
        "The configuration value cannot be added because it exceeds the maximum value size of {max} bytes."
    )]
    ConfigTooLong { max: usize },
    #[error("Can't {operation} to key {name} because its type is not LIST but {kind}.")]
    NotAList { operation: &'static str, name: &'static str, kind: ConfigKind },
    #[error("Unable to perform excessively large batch operation: at most {max} changes at once.")]
    TooManyChanges { max: usize },
    #[error("All producer ids are given away.")]
    ProducerIdsExhausted,
    #[error("Topic '{name}' already exists with the topic ID {}, not {}.", identity::print(.existing.0), identity::print(.asked.0))]
    OtherId { name: TopicName, existing: TopicId, asked: TopicId },
    #[error("The topic ID {} already belongs to the topic '{existing}'.", identity::print(.id.0))]
    IdTaken { id: TopicId, existing: TopicName },
    #[error("A topic cannot have the topic ID {}.", identity::print(.0.0))]
    ReservedId(TopicId),
    #[error("An ownership record names a failover unit and has at most {max} bytes.")]
    InvalidOwnership { max: usize },
    #[error("The id source gives no fresh id.")]
    NoFreshId,
}

/// What is wrong with replicas that a client chose.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAssignment {
    #[error("Found multiple manual partition assignments for partition {0}")]
    Repeated(i32),
    #[error("partitions should be a consecutive 0-based integer sequence")]
    NotConsecutive,
    #[error("The manual partition assignment includes an empty replica list.")]
    Empty,
    #[error("The manual partition assignment includes broker {0}, but no such broker is registered.")]
    UnknownBroker(i32),
    #[error("The manual partition assignment includes the broker {0} more than once.")]
    RepeatedBroker(i32),
    #[error(
        "Attempted to add {added} additional partition(s), but only {given} assignment(s) were specified."
    )]
    Count { added: i32, given: usize },
}
