//! What the catalog wants done.

use protocol::{PartitionId, TopicId, TopicName};

use super::{event::SourceTopic, stop::TopicStop};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Create a topic of this name, id, and partitions, at these leader epochs. Answered by `Done` or `Failed`.
    CreateReplica { topic: SourceTopic },
    /// Add partitions, raise leader epochs, set the overrides to these. Answered by `Done` or `Failed`.
    FollowReplica { topic: SourceTopic },
    /// A topic of this name with at least that many partitions; created with these configs, left alone otherwise.
    /// Answered by `Done` or `Failed` for the source topic.
    EnsureMerged { into: TopicName, partitions: usize, source: SourceTopic },
    /// This partition of the source can be subscribed; its records go to the same partition of `target`.
    Ready { topic_id: TopicId, partition: PartitionId, target: TopicName, target_id: TopicId, merged: bool },
    /// It can no longer be: unsubscribe. `None`: it no longer flows, by rule or because the home moved.
    Withdraw { topic_id: TopicId, partition: PartitionId, stop: Option<TopicStop> },
    /// For the log and the status page; once for each change.
    Notice(Notice),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Notice {
    #[error("topic {topic} stopped: {stop}")]
    Stopped { topic: TopicName, stop: TopicStop },
    #[error("topic {topic} goes on")]
    Resumed { topic: TopicName },
    #[error(
        "topic {topic} has {target} partitions here and {source_has} at the source; the others stay as they are"
    )]
    MorePartitionsHere { topic: TopicName, target: usize, source_has: usize },
    #[error("topic {topic}: configs that are not known here were skipped: {}", keys.join(", "))]
    ConfigsSkipped { topic: TopicName, keys: Vec<String> },
    #[error("topic {topic} is internal and never mirrored")]
    InternalExcluded { topic: TopicName },
}
