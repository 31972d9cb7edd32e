//! From batches to the bytes of a block.

use std::fmt;

use bytes::{Bytes, BytesMut};

use super::{
    header::{BlockHeader, Codec, HEADER_SIZE},
    pool::Pool,
};
use crate::link::limits::BLOCK_BYTES_MAX;

/// Fast enough for a link, and far better than lz4 on events (performance: ratio 5 to 6 at 600 MB/s).
const ZSTD_LEVEL: i32 = 1;
/// So much of a block tells whether the rest will shrink.
const SAMPLE_BYTES: usize = 64 << 10;
/// Less is not worth a codec's fixed costs.
const COMPRESS_BYTES_MIN: usize = 256;
/// Compressed buffers that are kept for use again.
const POOL_BUFFERS_MAX: usize = 64;
/// What a compressed block usually takes; larger ones grow.
const POOL_BUFFER_BYTES: usize = 256 << 10;

/// What the settings say about compression on the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CodecChoice {
    /// zstd, unless a sample of the block does not shrink, or the sender finds plain bytes cheaper on its path.
    #[default]
    Auto,
    Zstd,
    Lz4,
    Off,
}

/// A block as the sender's core plans it: plain, and with the lengths of plain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingBlock {
    pub header: BlockHeader,
    pub pieces: Vec<Bytes>,
    /// Nobody compressed any of its batches, and it is worth the sender's while.
    pub compressible: bool,
    /// Of its stream: higher goes first.
    pub priority: i32,
}

/// What goes on the stream: the header, then the payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedBlock {
    pub header: BlockHeader,
    pub encoded_header: [u8; HEADER_SIZE],
    pub payload: Vec<Bytes>,
}

impl PackedBlock {
    /// What the block takes of the credit.
    pub fn wire_bytes(&self) -> u64 {
        HEADER_SIZE as u64 + u64::from(self.header.wire_bytes)
    }
}

/// Packs blocks, one after the other; keeps the codec's context and its buffers.
pub struct Packer {
    choice: CodecChoice,
    zstd: zstd::bulk::Compressor<'static>,
    gathered: Vec<u8>,
    compressed: Vec<u8>,
    pool: Pool,
}

impl fmt::Debug for Packer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packer").field("choice", &self.choice).finish_non_exhaustive()
    }
}

impl Packer {
    pub fn new(choice: CodecChoice) -> std::io::Result<Self> {
        Ok(Self {
            choice,
            zstd: zstd::bulk::Compressor::new(ZSTD_LEVEL)?,
            gathered: Vec::new(),
            compressed: Vec::new(),
            pool: Pool::new(POOL_BUFFERS_MAX, POOL_BUFFER_BYTES),
        })
    }

    /// Compresses the block if that pays. It never grows, and its pieces are handed on uncopied when it stays plain.
    pub fn pack(&mut self, block: OutgoingBlock) -> PackedBlock {
        let OutgoingBlock { mut header, mut pieces, compressible, .. } = block;
        if let Some((codec, payload)) = self.compress(&header, &pieces, compressible) {
            header.codec = codec;
            header.wire_bytes = payload.len() as u32; // Less than the plain length, which is a u32.
            pieces = vec![payload];
        }
        PackedBlock { header, encoded_header: header.encode(), payload: pieces }
    }

    fn compress(
        &mut self,
        header: &BlockHeader,
        pieces: &[Bytes],
        compressible: bool,
    ) -> Option<(Codec, Bytes)> {
        let codec = match self.choice {
            CodecChoice::Auto | CodecChoice::Zstd => Codec::Zstd,
            CodecChoice::Lz4 => Codec::Lz4,
            CodecChoice::Off => return None,
        };
        let bytes = header.unpacked_bytes as usize;
        if !compressible || header.is_fragment() || bytes < COMPRESS_BYTES_MIN {
            return None;
        }
        let Self { zstd, gathered, compressed, pool, .. } = self;
        let plain = gather(pieces, gathered);
        let sample = plain.get(..SAMPLE_BYTES).unwrap_or(plain);
        let mut size = compress_into(codec, zstd, sample, compressed)?;
        if !pays(sample.len(), size) {
            return None;
        }
        if sample.len() < plain.len() {
            size = compress_into(codec, zstd, plain, compressed)?;
        }
        if !pays(plain.len(), size) {
            return None;
        }
        let mut payload: BytesMut = pool.take();
        payload.extend_from_slice(compressed.get(..size)?);
        Some((codec, pool.lend(payload)))
    }
}

/// At least a tenth must go, or the unpacking is not worth it.
fn pays(plain: usize, compressed: usize) -> bool {
    compressed < plain - plain / 10
}

/// The pieces as one slice, without a copy when they are one.
fn gather<'a>(pieces: &'a [Bytes], gathered: &'a mut Vec<u8>) -> &'a [u8] {
    if let [only] = pieces {
        return only;
    }
    gathered.clear();
    pieces.iter().for_each(|piece| gathered.extend_from_slice(piece));
    gathered
}

/// `None`: the codec failed, and the block goes plain.
fn compress_into(
    codec: Codec,
    zstd: &mut zstd::bulk::Compressor<'_>,
    plain: &[u8],
    out: &mut Vec<u8>,
) -> Option<usize> {
    if out.is_empty() {
        // Once: large enough for both codecs' worst case of a block.
        let worst = lz4_flex::block::get_maximum_output_size(BLOCK_BYTES_MAX)
            .max(zstd::zstd_safe::compress_bound(BLOCK_BYTES_MAX));
        out.resize(worst, 0);
    }
    match codec {
        Codec::Plain => None,
        Codec::Zstd => zstd.compress_to_buffer(plain, out.as_mut_slice()).ok(),
        Codec::Lz4 => lz4_flex::block::compress_into(plain, out).ok(),
    }
}
