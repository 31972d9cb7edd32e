//! Keys: which group, and which partition's offset.

use bytes::Bytes;
use bytestring::ByteString;

use protocol::{
    GroupId, PartitionId, TopicName,
    codec::{DecodeError, Decoder, EncodeError, Encoder, Field, Layout},
};

/// Keys are never flexible.
const LAYOUT: Layout = Layout { version: 0, flexible: false };
const OFFSET_VERSION: i16 = 1;
const GROUP_VERSION: i16 = 2;

#[derive(Debug, PartialEq, Eq)]
pub enum Key {
    Offset { group: GroupId, topic: TopicName, partition: PartitionId },
    Group { group: GroupId },
    Foreign { version: i16 },
}

impl Key {
    pub fn read(bytes: Bytes) -> Result<Self, DecodeError> {
        let mut from = Decoder::new(bytes);
        let key = match from.i16()? {
            0 | OFFSET_VERSION => Self::Offset {
                group: GroupId(ByteString::decode(&mut from, LAYOUT)?),
                topic: TopicName(ByteString::decode(&mut from, LAYOUT)?),
                partition: PartitionId(from.i32()?),
            },
            GROUP_VERSION => Self::Group { group: GroupId(ByteString::decode(&mut from, LAYOUT)?) },
            version => return Ok(Self::Foreign { version }),
        };
        from.finish()?;
        Ok(key)
    }
}

pub(super) fn offset(
    group: &GroupId,
    (topic, partition): &(TopicName, PartitionId),
) -> Result<Bytes, EncodeError> {
    let mut to = Encoder::new();
    to.i16(OFFSET_VERSION);
    group.0.encode(&mut to, LAYOUT)?;
    topic.0.encode(&mut to, LAYOUT)?;
    to.i32(partition.0);
    Ok(to.into_bytes())
}

pub(super) fn group(group: &GroupId) -> Result<Bytes, EncodeError> {
    let mut to = Encoder::new();
    to.i16(GROUP_VERSION);
    group.0.encode(&mut to, LAYOUT)?;
    Ok(to.into_bytes())
}
