//! `GroupMetadataValue`: written as version 3, read from 0 to 4.

use bytes::Bytes;
use bytestring::ByteString;

use protocol::{
    GenerationId, MemberId,
    codec::{DecodeError, Decoder, EncodeError, Encoder, Field, Layout},
};

use super::value_layout;

const VERSION: i16 = 3;

/// A generation of a group: who was in it and what each member was assigned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMetadata {
    /// Empty: the group has only ever stored offsets.
    pub protocol_type: ByteString,
    pub generation: GenerationId,
    pub protocol: Option<ByteString>,
    pub leader: Option<MemberId>,
    /// When the group entered its state; older brokers did not store it.
    pub state_since_ms: Option<i64>,
    pub members: Vec<StoredMember>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMember {
    pub member_id: MemberId,
    pub instance_id: Option<ByteString>,
    pub client_id: ByteString,
    pub client_host: ByteString,
    /// -1: the same as the session timeout.
    pub rebalance_timeout_ms: i32,
    pub session_timeout_ms: i32,
    pub subscription: Bytes,
    pub assignment: Bytes,
}

pub(super) fn read(bytes: Bytes) -> Result<GroupMetadata, DecodeError> {
    let mut from = Decoder::new(bytes);
    let layout = value_layout(from.i16()?, "GroupMetadataValue")?;
    let metadata = GroupMetadata::decode(&mut from, layout)?;
    from.finish()?;
    Ok(metadata)
}

pub(super) fn write(metadata: &GroupMetadata) -> Result<Bytes, EncodeError> {
    let mut to = Encoder::new();
    to.i16(VERSION);
    metadata.encode(&mut to, Layout { version: VERSION, flexible: false })?;
    Ok(to.into_bytes())
}

impl GroupMetadata {
    fn decode(from: &mut Decoder, layout: Layout) -> Result<Self, DecodeError> {
        let metadata = Self {
            protocol_type: Field::decode(from, layout)?,
            generation: GenerationId(from.i32()?),
            protocol: Field::decode(from, layout)?,
            leader: Option::<ByteString>::decode(from, layout)?.map(MemberId),
            state_since_ms: if layout.version >= 2 { Some(from.i64()?).filter(|ms| *ms >= 0) } else { None },
            members: read_members(from, layout)?,
        };
        skip_tagged(from, layout)?;
        Ok(metadata)
    }

    fn encode(&self, to: &mut Encoder, layout: Layout) -> Result<(), EncodeError> {
        self.protocol_type.encode(to, layout)?;
        to.i32(self.generation.0);
        self.protocol.encode(to, layout)?;
        self.leader.as_ref().map(|leader| leader.0.clone()).encode(to, layout)?;
        to.i64(self.state_since_ms.unwrap_or(-1));
        to.bytes_length(Some(self.members.len()), layout.flexible)?;
        self.members.iter().try_for_each(|member| member.encode(to, layout))
    }
}

impl StoredMember {
    fn decode(from: &mut Decoder, layout: Layout) -> Result<Self, DecodeError> {
        let member = Self {
            member_id: MemberId(Field::decode(from, layout)?),
            instance_id: if layout.version >= 3 { Field::decode(from, layout)? } else { None },
            client_id: Field::decode(from, layout)?,
            client_host: Field::decode(from, layout)?,
            rebalance_timeout_ms: if layout.version >= 1 { from.i32()? } else { -1 },
            session_timeout_ms: from.i32()?,
            subscription: Field::decode(from, layout)?,
            assignment: Field::decode(from, layout)?,
        };
        skip_tagged(from, layout)?;
        Ok(member)
    }

    fn encode(&self, to: &mut Encoder, layout: Layout) -> Result<(), EncodeError> {
        self.member_id.0.encode(to, layout)?;
        self.instance_id.encode(to, layout)?;
        self.client_id.encode(to, layout)?;
        self.client_host.encode(to, layout)?;
        to.i32(self.rebalance_timeout_ms);
        to.i32(self.session_timeout_ms);
        self.subscription.encode(to, layout)?;
        self.assignment.encode(to, layout)
    }
}

fn read_members(from: &mut Decoder, layout: Layout) -> Result<Vec<StoredMember>, DecodeError> {
    let count = from.array_count(layout.flexible, size_of::<StoredMember>())?;
    let count = count.ok_or(DecodeError::UnexpectedNull("members"))?;
    (0..count).map(|_| StoredMember::decode(from, layout)).collect()
}

fn skip_tagged(from: &mut Decoder, layout: Layout) -> Result<(), DecodeError> {
    if layout.flexible { from.tagged_fields(|_, _| Ok(false)) } else { Ok(()) }
}
