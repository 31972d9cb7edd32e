//! The form of the data: whole record batches of one partition, or a piece of one large batch.
//!
//! A block is a header of [`HEADER_SIZE`] and at most [`BLOCK_BYTES_MAX`] of payload, on a stream of its own. Its header
//! names what came before it, so that a lost, repeated or reordered block is seen. Batches compressed by their producer
//! pass as they are. A block of batches that nobody compressed is compressed for the way when a sample of it shrinks, and
//! unpacked to the same bytes; a block that holds both kinds travels plain. A batch larger than a block is cut into
//! fragments, all but the last as large as a block can be, each a block that carries the batch's offsets.
//!
//! Promises:
//! 1. [`Unpacker`] gives exactly the bytes that [`Packer`] took, or an error: lengths, batch headers, order, offsets, epoch
//!    and the CRC of every batch have been checked.
//! 2. No length from the wire sizes an allocation before it was compared with its limit.
//! 3. Packing and unpacking reuse their contexts and buffers.

mod header;
mod pack;
mod pool;
mod unpack;

pub use super::limits::BLOCK_BYTES_MAX;
pub use header::{BlockHeader, Codec, HEADER_SIZE, HeaderError};
pub use pack::{CodecChoice, OutgoingBlock, PackedBlock, Packer};
pub use unpack::{BlockError, Gaps, UnpackRules, Unpacker};

use bytes::Bytes;

/// A block as it arrived: the header has been parsed, the payload not been looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    pub header: BlockHeader,
    pub payload: Bytes,
}

impl Block {
    /// What the block takes of the credit.
    pub fn wire_bytes(&self) -> u64 {
        (HEADER_SIZE + self.payload.len()) as u64
    }
}

#[cfg(test)]
mod tests;
