//! The records of `__consumer_offsets`, in Kafka's own format, so that other tools can read them.
//!
//! ```text
//!     key                                           value
//!     1 (or 0)  group, topic, partition             offset, epoch, metadata, timestamps     offset_commit.rs
//!     2         group                               generation and members                  group_metadata.rs
//!     others    consumer groups of KIP-848, share groups: not ours, skipped
//! ```
//!
//! A key begins with its version, and so does a value; no value is a tombstone. A record that cannot be read is an error
//! for its reader to count, never a panic, and never allocates more than its own length warrants.

mod group_metadata;
mod key;
mod offset_commit;

pub use group_metadata::{GroupMetadata, StoredMember};
pub use key::Key;

use bytes::Bytes;

use protocol::{
    GroupId, PartitionId, TopicName,
    codec::{DecodeError, EncodeError, Layout},
};

use super::core::CommittedOffset;
use crate::record_log::KeyValue;

/// What one record says.
#[derive(Debug)]
pub enum Record {
    Offset {
        group: GroupId,
        topic: TopicName,
        partition: PartitionId,
        value: Option<CommittedOffset>,
    },
    Group {
        group: GroupId,
        value: Option<GroupMetadata>,
    },
    /// A kind of record that this broker does not serve.
    Foreign {
        key_version: i16,
    },
}

pub fn read(record: &KeyValue) -> Result<Record, DecodeError> {
    let value = record.value.clone();
    Ok(match Key::read(record.key.clone())? {
        Key::Offset { group, topic, partition } => {
            let value = value.map(offset_commit::read).transpose()?;
            Record::Offset { group, topic, partition, value }
        }
        Key::Group { group } => Record::Group { group, value: value.map(group_metadata::read).transpose()? },
        Key::Foreign { version } => Record::Foreign { key_version: version },
    })
}

pub fn offset(
    group: &GroupId,
    key: &(TopicName, PartitionId),
    offset: &CommittedOffset,
) -> Result<KeyValue, EncodeError> {
    Ok(KeyValue { key: key::offset(group, key)?, value: Some(offset_commit::write(offset)?) })
}

pub fn offset_tombstone(group: &GroupId, key: &(TopicName, PartitionId)) -> Result<KeyValue, EncodeError> {
    Ok(KeyValue { key: key::offset(group, key)?, value: None })
}

pub fn group_tombstone(group: &GroupId) -> Result<KeyValue, EncodeError> {
    Ok(KeyValue { key: key::group(group)?, value: None })
}

impl GroupMetadata {
    pub fn record(&self, group: &GroupId) -> Result<KeyValue, EncodeError> {
        let value: Bytes = group_metadata::write(self)?;
        Ok(KeyValue { key: key::group(group)?, value: Some(value) })
    }
}

/// Both kinds of value became flexible in version 4.
fn value_layout(version: i16, message: &'static str) -> Result<Layout, DecodeError> {
    if !(0..=4).contains(&version) {
        return Err(DecodeError::UnknownVersion { message, version });
    }
    Ok(Layout { version, flexible: version >= 4 })
}

#[cfg(test)]
mod tests;
