//! The stored form of metadata: the whole grammar of the metadata log.
//!
//! A record's value is a JSON object with `type`, the type's format `version` and the type's own fields. Its key names what
//! the record says something about, so that keeping only the last record of each key keeps the meaning:
//!
//! | key                        | record           | says                                            |
//! |----------------------------|------------------|-------------------------------------------------|
//! | `cluster`                  | [`ClusterRecord`]     | the cluster's id, once                     |
//! | `topic/<id>`               | [`TopicRecord`]       | a topic was created                        |
//! | `topic/<id>`               | [`RemoveTopicRecord`] | it was deleted                             |
//! | `partitions/<id>`          | [`PartitionsRecord`]  | it has more partitions now                 |
//! | `topic-config/<id>/<name>` | [`TopicConfigRecord`] | one setting of it was set or removed       |
//! | `producer-ids`             | [`ProducerIdsRecord`] | producer ids below this one are given away |
//! | `leader-epoch`             | [`LeaderEpochRecord`] | no partition's leader epoch is below this  |
//! | `partition-epochs/<id>`    | [`PartitionEpochsRecord`] | nor one of this topic below these      |
//! | `ownership/<unit>`         | [`OwnershipRecord`]   | where a failover unit has its home         |
//!
//! A type or version that is not known was written by a newer Isthmus: reading on would act on half the truth, so it stops
//! the start.

use std::collections::BTreeMap;

use bytes::Bytes;
use protocol::{ProducerId, TopicId};
use serde::{Deserialize, Serialize};

use super::{
    identity::{self, stored_topic_id},
    topic_name,
};
use crate::{limits, record_log::KeyValue};

/// The largest value that is read: a topic with the longest value in every setting takes less.
pub(super) const VALUE_BYTES_MAX: usize = 2 << 20;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum MetadataRecord {
    Cluster(ClusterRecord),
    Topic(TopicRecord),
    RemoveTopic(RemoveTopicRecord),
    Partitions(PartitionsRecord),
    TopicConfig(TopicConfigRecord),
    ProducerIds(ProducerIdsRecord),
    LeaderEpoch(LeaderEpochRecord),
    PartitionEpochs(PartitionEpochsRecord),
    Ownership(OwnershipRecord),
}

/// Types this version reads, each with the newest format version it knows.
const KNOWN: &[(&str, u32)] = &[
    ("cluster", 1),
    ("topic", 1),
    ("remove_topic", 1),
    ("partitions", 1),
    ("topic_config", 1),
    ("producer_ids", 1),
    ("leader_epoch", 1),
    ("partition_epochs", 1),
    ("ownership", 1),
];

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClusterRecord {
    pub version: u32,
    pub cluster_id: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TopicRecord {
    pub version: u32,
    pub name: String,
    #[serde(with = "stored_topic_id")]
    pub id: TopicId,
    pub partitions: i32,
    pub overrides: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RemoveTopicRecord {
    pub version: u32,
    #[serde(with = "stored_topic_id")]
    pub id: TopicId,
    /// For people who read the log.
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartitionsRecord {
    pub version: u32,
    #[serde(with = "stored_topic_id")]
    pub id: TopicId,
    /// The count after the growth.
    pub partitions: i32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TopicConfigRecord {
    pub version: u32,
    #[serde(with = "stored_topic_id")]
    pub id: TopicId,
    pub name: String,
    /// None: the broker's default holds again.
    pub value: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProducerIdsRecord {
    pub version: u32,
    #[serde(with = "stored_producer_id")]
    pub next_producer_id: ProducerId,
    /// Smaller ids must not be handed out any more, although blocks that hold them were set aside.
    #[serde(default = "no_floor", skip_serializing_if = "is_no_floor", with = "stored_producer_id")]
    pub floor: ProducerId,
}

/// Records from before there was one.
fn no_floor() -> ProducerId {
    ProducerId(0)
}

fn is_no_floor(floor: &ProducerId) -> bool {
    *floor == no_floor()
}

/// A broker that ends without a clean shutdown may have lost records that were never promised, but that somebody read: its
/// next start raises every partition's leader epoch, so that such a reader notices (KIP-320).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeaderEpochRecord {
    pub version: u32,
    pub leader_epoch: i32,
}

/// A topic whose home is, or was, elsewhere has the epochs that it had there, at least.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartitionEpochsRecord {
    pub version: u32,
    #[serde(with = "stored_topic_id")]
    pub id: TopicId,
    /// One for each partition there is.
    pub leader_epochs: Vec<i32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OwnershipRecord {
    pub version: u32,
    pub unit: String,
    /// The mirror's own text.
    pub record: String,
}

/// Why a stored record cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    #[error(
        "the record type '{kind}' in format version {version} is not known: a newer Isthmus wrote it; start that version, \
         or restore the data directory from before the upgrade"
    )]
    Unknown { kind: String, version: u32 },
    #[error("it is not a metadata record: {0}")]
    Malformed(String),
}

impl MetadataRecord {
    /// The key and value to store.
    pub fn encode(&self) -> KeyValue {
        let value = serde_json::to_vec(self).expect("strings, integers and maps of strings always serialize");
        KeyValue { key: Bytes::from(self.key()), value: Some(Bytes::from(value)) }
    }

    /// Reads a stored record; nothing for a tombstone.
    pub fn decode(stored: &KeyValue) -> Result<Option<Self>, RecordError> {
        let Some(value) = &stored.value else { return Ok(None) };
        if value.len() > VALUE_BYTES_MAX {
            return Err(RecordError::Malformed(format!("its {} bytes are too many", value.len())));
        }
        let envelope: Envelope = serde_json::from_slice(value).map_err(malformed)?;
        if !KNOWN.iter().any(|(kind, newest)| *kind == envelope.kind && envelope.version <= *newest) {
            return Err(RecordError::Unknown { kind: envelope.kind, version: envelope.version });
        }
        let record: Self = serde_json::from_slice(value).map_err(malformed)?;
        record.check()?;
        if record.key().as_bytes() != stored.key {
            return Err(RecordError::Malformed("its key is not the one of its value".to_owned()));
        }
        Ok(Some(record))
    }

    fn key(&self) -> String {
        match self {
            Self::Cluster(_) => "cluster".to_owned(),
            Self::Topic(TopicRecord { id, .. }) | Self::RemoveTopic(RemoveTopicRecord { id, .. }) => {
                format!("topic/{}", identity::print(id.0))
            }
            Self::Partitions(record) => format!("partitions/{}", identity::print(record.id.0)),
            Self::TopicConfig(record) => {
                format!("topic-config/{}/{}", identity::print(record.id.0), record.name)
            }
            Self::ProducerIds(_) => "producer-ids".to_owned(),
            Self::LeaderEpoch(_) => "leader-epoch".to_owned(),
            Self::PartitionEpochs(record) => format!("partition-epochs/{}", identity::print(record.id.0)),
            Self::Ownership(record) => format!("ownership/{}", record.unit),
        }
    }

    /// What must hold for the image to be sound, whatever the bytes were.
    fn check(&self) -> Result<(), RecordError> {
        let wrong = |what: &str| Err(RecordError::Malformed(what.to_owned()));
        match self {
            Self::Cluster(record) if identity::parse(&record.cluster_id).is_none() => {
                wrong("the cluster id is none")
            }
            Self::Topic(record) if topic_name::check(&record.name).is_err() => {
                wrong("the topic's name is not allowed")
            }
            Self::Topic(TopicRecord { partitions, .. })
            | Self::Partitions(PartitionsRecord { partitions, .. })
                if !(1..=limits::PARTITIONS_PER_TOPIC_MAX).contains(partitions) =>
            {
                wrong("the partition count is out of range")
            }
            Self::LeaderEpoch(record) if record.leader_epoch < 0 => wrong("the leader epoch is negative"),
            Self::PartitionEpochs(record) if record.leader_epochs.iter().any(|epoch| *epoch < 0) => {
                wrong("a leader epoch is negative")
            }
            Self::PartitionEpochs(record)
                if record.leader_epochs.len() > limits::PARTITIONS_PER_TOPIC_MAX as usize =>
            {
                wrong("there are more leader epochs than partitions")
            }
            Self::Ownership(record) if record.unit.is_empty() => wrong("the failover unit has no name"),
            Self::Cluster(_)
            | Self::Topic(_)
            | Self::RemoveTopic(_)
            | Self::Partitions(_)
            | Self::TopicConfig(_)
            | Self::ProducerIds(_)
            | Self::LeaderEpoch(_)
            | Self::PartitionEpochs(_)
            | Self::Ownership(_) => Ok(()),
        }
    }
}

/// What every version's records have.
#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "type")]
    kind: String,
    version: u32,
}

mod stored_producer_id {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::ProducerId;

    pub(super) fn serialize<S: Serializer>(id: &ProducerId, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_i64(id.0)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<ProducerId, D::Error> {
        match i64::deserialize(from)? {
            id @ 0.. => Ok(ProducerId(id)),
            _ => Err(D::Error::custom("a producer id is not negative")),
        }
    }
}

fn malformed(error: serde_json::Error) -> RecordError {
    RecordError::Malformed(error.to_string())
}

#[cfg(test)]
mod tests;
