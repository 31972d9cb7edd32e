//! The header of a block, big-endian.
//!
//! ```text
//!  0 version u8          1 codec u8           2 fragment index u16   4 fragment count u16   6 zero u16
//!  8 handle u32         12 number u64        20 topic id             36 partition i32       40 leader epoch i32
//! 44 generation u64     52 previous end i64  60 first offset i64     68 last offset i64     76 source end i64
//! 84 source clock u64   92 wire bytes u32    96 unpacked bytes u32  100 whole bytes u32
//! ```

use bytes::{Buf, BufMut};

use protocol::{LeaderEpoch, Offset, PartitionId, TopicId, Uuid};

use crate::{
    link::{BlockNumber, Handle, limits::BLOCK_BYTES_MAX},
    ownership::HomeGeneration,
};

pub const HEADER_SIZE: usize = 104;
const VERSION: u8 = 1;

/// How a payload travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    Plain,
    Zstd,
    Lz4,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockHeader {
    pub codec: Codec,
    /// 0 of 1 unless the block is a piece of one large batch.
    pub fragment_index: u16,
    pub fragment_count: u16,
    pub handle: Handle,
    pub number: BlockNumber,
    pub topic_id: TopicId,
    pub partition: PartitionId,
    /// Of the last batch.
    pub leader_epoch: LeaderEpoch,
    pub generation: HomeGeneration,
    /// The chain: where the block before this one ended, or the subscription started.
    pub previous_end: Offset,
    /// Of the first batch. Above `previous_end` where offsets are missing.
    pub first_offset: Offset,
    pub last_offset: Offset,
    /// Where the partition ended when the block was begun, and the source's monotonic clock then, in microseconds.
    pub source_end: Offset,
    pub source_clock: u64,
    /// Of the payload.
    pub wire_bytes: u32,
    /// Of the payload once unpacked.
    pub unpacked_bytes: u32,
    /// Of the batch that this is a fragment of, else the same as `unpacked_bytes`.
    pub whole_bytes: u32,
}

/// Why bytes are not a block's header. The connection is of no use after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    #[error("block header version {0} is not {VERSION}")]
    UnknownVersion(u8),
    #[error("block codec {0} is not known")]
    UnknownCodec(u8),
    #[error("the block header's {0} is out of range, or does not fit the rest")]
    Inconsistent(&'static str),
}

impl BlockHeader {
    pub fn encode(&self) -> [u8; HEADER_SIZE] {
        let mut bytes = [0; HEADER_SIZE];
        let mut out = bytes.as_mut_slice();
        out.put_u8(VERSION);
        out.put_u8(match self.codec {
            Codec::Plain => 0,
            Codec::Zstd => 1,
            Codec::Lz4 => 2,
        });
        out.put_u16(self.fragment_index);
        out.put_u16(self.fragment_count);
        out.put_u16(0);
        out.put_u32(self.handle.0);
        out.put_u64(self.number.0);
        out.put_slice(self.topic_id.0.as_bytes());
        out.put_i32(self.partition.0);
        out.put_i32(self.leader_epoch.0);
        out.put_u64(self.generation.0);
        out.put_i64(self.previous_end.0);
        out.put_i64(self.first_offset.0);
        out.put_i64(self.last_offset.0);
        out.put_i64(self.source_end.0);
        out.put_u64(self.source_clock);
        out.put_u32(self.wire_bytes);
        out.put_u32(self.unpacked_bytes);
        out.put_u32(self.whole_bytes);
        bytes
    }

    /// Reads a header. All its fields are within their limits and fit together afterwards.
    pub fn parse(bytes: &[u8; HEADER_SIZE]) -> Result<Self, HeaderError> {
        let mut at = bytes.as_slice();
        match at.get_u8() {
            VERSION => {}
            other => return Err(HeaderError::UnknownVersion(other)),
        }
        let codec = match at.get_u8() {
            0 => Codec::Plain,
            1 => Codec::Zstd,
            2 => Codec::Lz4,
            other => return Err(HeaderError::UnknownCodec(other)),
        };
        let (fragment_index, fragment_count) = (at.get_u16(), at.get_u16());
        if at.get_u16() != 0 {
            return Err(HeaderError::Inconsistent("reserved field"));
        }
        let header = Self {
            codec,
            fragment_index,
            fragment_count,
            handle: Handle(at.get_u32()),
            number: BlockNumber(at.get_u64()),
            topic_id: TopicId(Uuid::from_u128(at.get_u128())),
            partition: PartitionId(at.get_i32()),
            leader_epoch: LeaderEpoch(at.get_i32()),
            generation: HomeGeneration(at.get_u64()),
            previous_end: Offset(at.get_i64()),
            first_offset: Offset(at.get_i64()),
            last_offset: Offset(at.get_i64()),
            source_end: Offset(at.get_i64()),
            source_clock: at.get_u64(),
            wire_bytes: at.get_u32(),
            unpacked_bytes: at.get_u32(),
            whole_bytes: at.get_u32(),
        };
        header.check_offsets()?;
        header.check_lengths()?;
        Ok(header)
    }

    /// The offset after the block: where its successor continues.
    pub fn next_offset(&self) -> Offset {
        self.last_offset.plus(1)
    }

    pub fn is_fragment(&self) -> bool {
        self.fragment_count > 1
    }

    fn check_offsets(&self) -> Result<(), HeaderError> {
        let checks = [
            (self.topic_id != TopicId::ZERO, "topic id"),
            (self.partition.0 >= 0, "partition"),
            (self.leader_epoch >= LeaderEpoch::NONE, "leader epoch"),
            (self.previous_end >= Offset::ZERO, "previous end"),
            (self.first_offset >= self.previous_end, "first offset"),
            (self.last_offset >= self.first_offset, "last offset"),
            // Also keeps the last offset below the largest number.
            (self.source_end > self.last_offset, "source end"),
        ];
        all(&checks)
    }

    fn check_lengths(&self) -> Result<(), HeaderError> {
        let (wire, unpacked, whole) =
            (self.wire_bytes as usize, self.unpacked_bytes as usize, self.whole_bytes as usize);
        let checks = [
            (wire > 0 && wire <= BLOCK_BYTES_MAX, "wire bytes"),
            (unpacked <= BLOCK_BYTES_MAX, "unpacked bytes"),
            (if self.codec == Codec::Plain { wire == unpacked } else { wire < unpacked }, "wire bytes"),
            (self.fragment_index < self.fragment_count, "fragment index"),
            (self.is_fragment() || whole == unpacked, "whole bytes"),
        ];
        all(&checks)?;
        if self.is_fragment() {
            let (index, count) = (usize::from(self.fragment_index), usize::from(self.fragment_count));
            let rest = whole.saturating_sub(index * BLOCK_BYTES_MAX);
            return all(&[
                (self.codec == Codec::Plain, "codec"),
                (whole.div_ceil(BLOCK_BYTES_MAX) == count, "fragment count"),
                (unpacked == rest.min(BLOCK_BYTES_MAX), "unpacked bytes"),
            ]);
        }
        Ok(())
    }
}

fn all(checks: &[(bool, &'static str)]) -> Result<(), HeaderError> {
    match checks.iter().find(|(holds, _)| !holds) {
        None => Ok(()),
        Some((_, field)) => Err(HeaderError::Inconsistent(field)),
    }
}
