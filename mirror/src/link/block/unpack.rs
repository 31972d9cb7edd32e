//! From the bytes of blocks to batches that may be applied.

use std::fmt;

use bytes::BytesMut;

use protocol::{
    LeaderEpoch, Offset,
    batch::{BatchError, BatchHeader},
};

use super::{Block, BlockHeader, Codec};
use crate::{link::limits::BLOCK_BYTES_MAX, stop::StopReason};

/// Whether offsets may be missing between batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gaps {
    Allowed,
    Refused,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnpackRules {
    /// Batches that end before it are checked but left out: the log has them already.
    pub from: Offset,
    pub gaps: Gaps,
    /// Of a batch that comes in fragments.
    pub batch_bytes_max: usize,
}

/// Why blocks are not what their headers say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    #[error("{found} bytes of payload instead of {expected}")]
    Length { expected: usize, found: usize },
    #[error("the payload does not unpack to {expected} bytes")]
    Unpack { expected: usize },
    #[error("batch at {at} bytes: {error}")]
    Batch { at: usize, error: BatchError },
    #[error("the batch of offset {found} comes after one that ended at {expected}")]
    Order { expected: Offset, found: Offset },
    #[error("the batch at offset {0} has a negative offset delta")]
    OffsetDelta(Offset),
    #[error("offset {expected} is missing, {found} came")]
    Gap { expected: Offset, found: Offset },
    #[error("the header says {field} {expected}, the batches {found}")]
    Mismatch { field: &'static str, expected: i64, found: i64 },
    #[error("the fragments do not make one batch")]
    Fragments,
    #[error("a batch of {bytes} bytes, more than {limit}")]
    TooLarge { bytes: usize, limit: usize },
}

impl BlockError {
    /// What it means for the partition whose chain stands at `offset`.
    pub fn stop_reason(&self, offset: Offset) -> StopReason {
        match self {
            Self::Gap { expected, found } => StopReason::UnexpectedGap { expected: *expected, found: *found },
            Self::TooLarge { bytes, limit } => {
                StopReason::BatchTooLarge { offset, bytes: *bytes as u64, limit: *limit as u64 }
            }
            Self::Length { .. }
            | Self::Unpack { .. }
            | Self::Batch { .. }
            | Self::Order { .. }
            | Self::OffsetDelta(_)
            | Self::Mismatch { .. }
            | Self::Fragments => StopReason::BadBlock { offset, what: self.to_string() },
        }
    }
}

/// Unpacks blocks, one run after the other; keeps the codec's context and its buffers.
pub struct Unpacker {
    zstd: zstd::bulk::Decompressor<'static>,
    unpacked: Vec<u8>,
    whole: Vec<u8>,
}

impl fmt::Debug for Unpacker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unpacker").finish_non_exhaustive()
    }
}

impl Unpacker {
    pub fn new() -> std::io::Result<Self> {
        Ok(Self { zstd: zstd::bulk::Decompressor::new()?, unpacked: Vec::new(), whole: Vec::new() })
    }

    /// The batches of consecutive blocks of a partition, in order. All fragments of a batch are among the blocks.
    pub fn unpack(&mut self, blocks: &[Block], rules: UnpackRules) -> Result<Vec<BytesMut>, BlockError> {
        let mut batches = Vec::new();
        let mut rest = blocks;
        while let Some((first, after)) = rest.split_first() {
            check_payload(first)?;
            if first.header.is_fragment() {
                let fragments =
                    rest.get(..usize::from(first.header.fragment_count)).ok_or(BlockError::Fragments)?;
                self.join(fragments, rules)?;
                one_batch(&first.header, &self.whole)?;
                take_batches(&first.header, &self.whole, rules, &mut batches)?;
                rest = rest.get(fragments.len()..).unwrap_or_default();
            } else {
                let plain = self.plain(first)?;
                take_batches(&first.header, plain, rules, &mut batches)?;
                rest = after;
            }
        }
        Ok(batches)
    }

    fn plain<'a>(&'a mut self, block: &'a Block) -> Result<&'a [u8], BlockError> {
        let expected = block.header.unpacked_bytes as usize;
        if block.header.codec == Codec::Plain {
            return Ok(&block.payload);
        }
        // The header's parser has held `expected` to this limit.
        if self.unpacked.is_empty() {
            self.unpacked.resize(BLOCK_BYTES_MAX, 0);
        }
        let out = self.unpacked.get_mut(..expected).ok_or(BlockError::Unpack { expected })?;
        let written = match block.header.codec {
            Codec::Plain => None,
            Codec::Zstd => self.zstd.decompress_to_buffer(&block.payload, &mut *out).ok(),
            Codec::Lz4 => lz4_flex::block::decompress_into(&block.payload, out).ok(),
        };
        if written != Some(expected) {
            return Err(BlockError::Unpack { expected });
        }
        Ok(out)
    }

    /// Puts the fragments of one batch together.
    fn join(&mut self, fragments: &[Block], rules: UnpackRules) -> Result<(), BlockError> {
        let Some(first) = fragments.first().map(|block| &block.header) else {
            return Err(BlockError::Fragments);
        };
        let bytes = first.whole_bytes as usize;
        if bytes > rules.batch_bytes_max {
            return Err(BlockError::TooLarge { bytes, limit: rules.batch_bytes_max });
        }
        self.whole.clear();
        for (at, block) in fragments.iter().enumerate() {
            check_payload(block)?;
            if usize::from(block.header.fragment_index) != at || !is_same_batch(first, &block.header) {
                return Err(BlockError::Fragments);
            }
            self.whole.extend_from_slice(&block.payload);
        }
        if self.whole.len() != bytes {
            return Err(BlockError::Fragments);
        }
        Ok(())
    }
}

/// Whether two fragments are of the same batch.
pub(crate) fn is_same_batch(one: &BlockHeader, other: &BlockHeader) -> bool {
    let identity = |header: &BlockHeader| {
        (
            header.fragment_count,
            header.previous_end,
            header.first_offset,
            header.last_offset,
            header.whole_bytes,
        )
    };
    identity(one) == identity(other)
}

fn check_payload(block: &Block) -> Result<(), BlockError> {
    let (expected, found) = (block.header.wire_bytes as usize, block.payload.len());
    if expected == found { Ok(()) } else { Err(BlockError::Length { expected, found }) }
}

/// Fragments are of one batch, not of a run.
fn one_batch(header: &BlockHeader, bytes: &[u8]) -> Result<(), BlockError> {
    let batch = BatchHeader::parse(bytes).map_err(|error| BlockError::Batch { at: 0, error })?;
    let expected = header.whole_bytes as usize;
    if batch.size_bytes == expected { Ok(()) } else { Err(BlockError::Fragments) }
}

/// Checks everything about the batches of a block, and adds those that the log does not have yet.
fn take_batches(
    header: &BlockHeader,
    plain: &[u8],
    rules: UnpackRules,
    batches: &mut Vec<BytesMut>,
) -> Result<(), BlockError> {
    let mut expected = header.previous_end;
    let mut first = None;
    let mut last_epoch = LeaderEpoch::NONE;
    let mut at = 0;
    while at < plain.len() {
        let bad = |error| BlockError::Batch { at, error };
        let rest = plain.get(at..).unwrap_or_default();
        let size_bytes = BatchHeader::parse(rest).map_err(bad)?.size_bytes;
        let truncated = BatchError::Truncated { needed: size_bytes, found: rest.len() };
        let bytes = rest.get(..size_bytes).ok_or(bad(truncated))?;
        let batch = BatchHeader::parse_whole(bytes).map_err(bad)?;
        check_place(&batch, expected, rules.gaps)?;
        first.get_or_insert(batch.base_offset);
        expected = batch.next_offset();
        last_epoch = batch.leader_epoch;
        if expected > rules.from {
            batches.push(BytesMut::from(bytes));
        }
        at += size_bytes;
    }
    let declared = [
        ("first offset", header.first_offset.0, first.unwrap_or(Offset::NONE).0),
        ("next offset", header.next_offset().0, expected.0),
        ("leader epoch", header.leader_epoch.0.into(), last_epoch.0.into()),
    ];
    match declared.into_iter().find(|(_, expected, found)| expected != found) {
        None => Ok(()),
        Some((field, expected, found)) => Err(BlockError::Mismatch { field, expected, found }),
    }
}

fn check_place(batch: &BatchHeader, expected: Offset, gaps: Gaps) -> Result<(), BlockError> {
    let found = batch.base_offset;
    if batch.last_offset_delta < 0 {
        return Err(BlockError::OffsetDelta(found));
    }
    if found < expected {
        return Err(BlockError::Order { expected, found });
    }
    if found > expected && gaps == Gaps::Refused {
        return Err(BlockError::Gap { expected, found });
    }
    Ok(())
}
