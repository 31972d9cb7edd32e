//! `OffsetCommitValue`: written as version 3, or 1 for an offset with an expiry of its own; read from 0 to 4.

use bytes::Bytes;
use bytestring::ByteString;

use protocol::{
    LeaderEpoch, Offset,
    codec::{DecodeError, Decoder, EncodeError, Encoder, Field, Layout},
};

use super::value_layout;
use crate::coordinator::group::core::CommittedOffset;

pub(super) fn read(bytes: Bytes) -> Result<CommittedOffset, DecodeError> {
    let mut from = Decoder::new(bytes);
    let layout = value_layout(from.i16()?, "OffsetCommitValue")?;
    let offset = Offset(from.i64()?);
    let leader_epoch = if layout.version >= 3 { from.i32()? } else { -1 };
    let metadata = ByteString::decode(&mut from, layout)?;
    let commit_ms = from.i64()?;
    let expire_ms = if layout.version == 1 { from.i64()? } else { -1 };
    if layout.flexible {
        // The topic's id, in newer brokers; the name decides.
        from.tagged_fields(|_, _| Ok(false))?;
    }
    from.finish()?;
    Ok(CommittedOffset {
        offset,
        leader_epoch: LeaderEpoch(leader_epoch),
        metadata: ByteString::from(&*metadata),
        commit_ms,
        expire_ms: (expire_ms >= 0).then_some(expire_ms),
    })
}

pub(super) fn write(offset: &CommittedOffset) -> Result<Bytes, EncodeError> {
    let version = if offset.expire_ms.is_some() { 1 } else { 3 };
    let layout = Layout { version, flexible: false };
    let mut to = Encoder::new();
    to.i16(version);
    to.i64(offset.offset.0);
    if version == 3 {
        to.i32(offset.leader_epoch.0);
    }
    offset.metadata.encode(&mut to, layout)?;
    to.i64(offset.commit_ms);
    if let Some(expire_ms) = offset.expire_ms {
        to.i64(expire_ms);
    }
    Ok(to.into_bytes())
}
