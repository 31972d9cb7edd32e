//! Packing and unpacking the records of a batch.
//!
//! Unpacking never believes a size that the bytes claim: output grows as it is made, and stops at the caller's limit.
//! Beside twice the output, what a codec needs has a fixed bound: gzip and snappy 256 KiB; lz4 its blocks, up to
//! 13 MiB where the frame asks for the largest kind; zstd its window, up to 128 MiB of address space
//! (zstd's own default), of which only what was written is touched. `tests/allocation.rs` holds us to it.

use std::io::{self, Read, Write};

use bytes::Bytes;

use super::{BatchError, Compression, snappy};

/// Packs the records of a batch as Kafka's Java client does by default.
pub(super) fn compress(compression: Compression, records: &[u8]) -> Result<Vec<u8>, BatchError> {
    let packed = match compression {
        Compression::None => Ok(records.to_vec()),
        Compression::Gzip => gzip(records),
        Compression::Snappy => return snappy::compress(records),
        Compression::Lz4 => lz4(records),
        Compression::Zstd => zstd::encode_all(records, zstd::DEFAULT_COMPRESSION_LEVEL),
    };
    // Memory is written to, so only a codec's own limits could fail.
    packed.map_err(|_| BatchError::BadRecords("they cannot be compressed"))
}

/// Unpacks the records of a batch, to at most `limit` bytes.
pub(super) fn decompress(
    compression: Compression,
    packed: &Bytes,
    limit: usize,
) -> Result<Bytes, BatchError> {
    let unpacked = match compression {
        Compression::None => return Ok(packed.clone()),
        Compression::Gzip => {
            let mut from = flate2::bufread::MultiGzDecoder::new(&packed[..]);
            drain(&mut from, packed.len(), limit)
        }
        Compression::Snappy => snappy::decompress(packed, limit),
        Compression::Lz4 => unpack_lz4(packed, limit),
        Compression::Zstd => {
            let mut from = zstd::Decoder::with_buffer(&packed[..]).map_err(malformed)?;
            drain(&mut from, packed.len(), limit)
        }
    };
    unpacked.map(Bytes::from)
}

/// The default level, as Java's.
fn gzip(records: &[u8]) -> io::Result<Vec<u8>> {
    let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    to.write_all(records)?;
    to.finish()
}

/// Independent blocks of 64 KiB and no checksums: Java reads no other than independent ones.
fn lz4(records: &[u8]) -> io::Result<Vec<u8>> {
    use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
    let form = FrameInfo::new().block_mode(BlockMode::Independent).block_size(BlockSize::Max64KB);
    let mut to = FrameEncoder::with_frame_info(form, Vec::new());
    to.write_all(records)?;
    to.finish().map_err(io::Error::from)
}

fn unpack_lz4(packed: &[u8], limit: usize) -> Result<Vec<u8>, BatchError> {
    let mut from = lz4_flex::frame::FrameDecoder::new(packed);
    let unpacked = drain(&mut from, packed.len(), limit)?;
    // The decoder ends quietly at the end mark, and also where the bytes end before it.
    match from.into_inner() {
        [] => Ok(unpacked),
        _ => Err(BatchError::BadRecords("bytes follow the compressed records")),
    }
}

/// Reads to the end of a stream or past the limit, whichever comes first.
fn drain(from: &mut impl Read, packed_length: usize, limit: usize) -> Result<Vec<u8>, BatchError> {
    let mut unpacked = Vec::new();
    let mut filled = 0;
    loop {
        if filled == unpacked.len() {
            if filled > limit {
                return Err(BatchError::DecompressedTooLarge { limit });
            }
            let guess = filled.saturating_mul(2).max(packed_length.saturating_mul(UNPACKED_GUESS));
            // One byte beyond the limit tells a stream that ends there from one that does not.
            let larger = guess.max(filled.saturating_add(UNPACKED_STEP_MIN)).min(limit.saturating_add(1));
            unpacked.reserve_exact(larger - filled);
            unpacked.resize(larger, 0);
        }
        match from.read(unpacked.get_mut(filled..).unwrap_or_default()).map_err(malformed)? {
            0 => break,
            read => filled += read,
        }
    }
    unpacked.truncate(filled);
    Ok(unpacked)
}

/// Typical records shrink to a quarter; a wrong guess costs a copy.
const UNPACKED_GUESS: usize = 4;
const UNPACKED_STEP_MIN: usize = 512;

fn malformed(_: io::Error) -> BatchError {
    BatchError::BadRecords("the compressed stream is malformed")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODECS: [Compression; 4] =
        [Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd];
    const LIMIT: usize = 1 << 22;

    /// Compressible, but not constant; larger than any block.
    fn text(length: usize) -> Vec<u8> {
        (0..length).map(|at| (at / 7 % 50 + at % 3) as u8).collect()
    }

    #[test]
    fn every_codec_returns_what_it_was_given() {
        for compression in CODECS {
            for length in [0, 1, 100, 32 << 10, (64 << 10) + 1, 300_000] {
                let packed = Bytes::from(compress(compression, &text(length)).unwrap());
                let unpacked = decompress(compression, &packed, length).unwrap();
                assert!(unpacked == text(length), "{compression:?} of {length}");
                if length > 0 {
                    let refused = decompress(compression, &packed, length - 1).unwrap_err();
                    assert_eq!(refused, BatchError::DecompressedTooLarge { limit: length - 1 });
                }
            }
        }
    }

    #[test]
    fn bytes_after_a_compressed_stream_are_refused() {
        for compression in CODECS {
            for tail in [&b"\0"[..], b"\x01", b"tail", b"a longer tail of some bytes"] {
                let mut packed = compress(compression, &text(1000)).unwrap();
                packed.extend_from_slice(tail);
                let refused = decompress(compression, &packed.into(), LIMIT);
                assert!(
                    matches!(refused, Err(BatchError::BadRecords(_))),
                    "{compression:?} {tail:?}: {refused:?}"
                );
            }
        }
    }

    #[test]
    fn a_cut_stream_never_passes_for_a_whole_one() {
        for compression in CODECS {
            let packed = Bytes::from(compress(compression, &text(500)).unwrap());
            for length in 0..packed.len() {
                if let Ok(unpacked) = decompress(compression, &packed.slice(..length), LIMIT) {
                    // A missing end mark goes unnoticed in lz4, missing records do not.
                    let whole = compression == Compression::Lz4 && unpacked == text(500);
                    assert!(whole || unpacked.is_empty(), "{compression:?} cut to {length}");
                }
            }
        }
    }

    #[test]
    fn gzip_members_and_zstd_frames_may_follow_each_other() {
        for compression in [Compression::Gzip, Compression::Zstd] {
            let mut packed = compress(compression, b"first ").unwrap();
            packed.extend_from_slice(&compress(compression, b"second").unwrap());
            assert_eq!(decompress(compression, &packed.into(), LIMIT).unwrap(), "first second");
        }
    }
}
