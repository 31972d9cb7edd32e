//! Where partitions end and groups stand, as the two sides of a move tell each other.

use serde::{Deserialize, Serialize};

use protocol::{GroupId, Offset, PartitionId, TopicId, TopicName};

use super::serial;

/// A partition's durable end: at the old home once its gates are closed, or where a generation starts at the new one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionEnd {
    #[serde(with = "serial::topic_name")]
    pub topic: TopicName,
    #[serde(with = "serial::topic_id")]
    pub topic_id: TopicId,
    #[serde(with = "serial::partition")]
    pub partition: PartitionId,
    #[serde(with = "serial::offset")]
    pub end: Offset,
}

/// A group's committed position in a partition of the old home.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupPosition {
    #[serde(with = "serial::group_id")]
    pub group: GroupId,
    #[serde(with = "serial::topic_name")]
    pub topic: TopicName,
    #[serde(with = "serial::topic_id")]
    pub topic_id: TopicId,
    #[serde(with = "serial::partition")]
    pub partition: PartitionId,
    /// Next to read.
    #[serde(with = "serial::offset")]
    pub offset: Offset,
    pub metadata: String,
}
