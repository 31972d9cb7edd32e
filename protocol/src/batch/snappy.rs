//! Snappy in the two forms that Kafka's clients send: raw (librdkafka and most others), and the framing of
//! `org.xerial.snappy.SnappyOutputStream` (Java).
//!
//! ```text
//! raw:    one snappy block
//! framed: 0x82 "SNAPPY" 0x00 | version i32 | compatible version i32 | then each: length i32, snappy block
//! ```
//!
//! We write the framed form, as Java does; every client that reads batches reads it.

use super::BatchError;

const MAGIC: &[u8; 8] = b"\x82SNAPPY\0";
/// Magic, version 1, compatible version 1.
const HEADER: &[u8; 16] = b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01";
const LENGTH_SIZE: usize = 4;
/// Java's block size.
const BLOCK_SIZE: usize = 32 << 10;
/// No snappy block unpacks to more than this many times its size: three bytes copy at most 64. So a claimed length
/// beyond it is a lie, and one within it costs what was paid for.
const RATIO_MAX: usize = 22;

pub(super) fn compress(records: &[u8]) -> Result<Vec<u8>, BatchError> {
    let mut packed = HEADER.to_vec();
    let mut encoder = snap::raw::Encoder::new();
    for block in records.chunks(BLOCK_SIZE) {
        let block = encoder.compress_vec(block).map_err(malformed)?;
        // Fits: a block has at most 32 KiB and a little.
        packed.extend_from_slice(&(block.len() as u32).to_be_bytes());
        packed.extend_from_slice(&block);
    }
    Ok(packed)
}

/// Unpacks either form, to at most `limit` bytes.
pub(super) fn decompress(packed: &[u8], limit: usize) -> Result<Vec<u8>, BatchError> {
    let mut unpacked = Vec::new();
    let Some(mut rest) = strip_header(packed)? else {
        append_block(&mut unpacked, packed, limit)?;
        return Ok(unpacked);
    };
    while !rest.is_empty() {
        // Streams may be joined: Java's reader expects a header wherever a block's length could stand.
        if let Some(next) = strip_header(rest)? {
            rest = next;
            continue;
        }
        let (length, after) = rest.split_first_chunk::<LENGTH_SIZE>().ok_or(CUT)?;
        // Beyond the address space is also beyond the bytes.
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let (block, after) = after.split_at_checked(length).ok_or(CUT)?;
        append_block(&mut unpacked, block, limit)?;
        rest = after;
    }
    Ok(unpacked)
}

const CUT: BatchError = BatchError::BadRecords("the snappy framing is cut short");

/// What follows a framing header, if there is one.
fn strip_header(packed: &[u8]) -> Result<Option<&[u8]>, BatchError> {
    if !packed.starts_with(MAGIC) {
        return Ok(None);
    }
    // Versions are not compared: there has only been one.
    packed.get(HEADER.len()..).map(Some).ok_or(CUT)
}

fn append_block(unpacked: &mut Vec<u8>, block: &[u8], limit: usize) -> Result<(), BatchError> {
    let claimed = snap::raw::decompress_len(block).map_err(malformed)?;
    if claimed > block.len().saturating_mul(RATIO_MAX) {
        return Err(BatchError::BadRecords("a snappy block cannot be as large as it says"));
    }
    let before = unpacked.len();
    let after = before.saturating_add(claimed);
    if after > limit {
        return Err(BatchError::DecompressedTooLarge { limit });
    }
    if after > unpacked.capacity() {
        // Doubles, but not past the limit.
        let larger = before.saturating_mul(2).min(limit).max(after);
        unpacked.reserve_exact(larger - before);
    }
    unpacked.resize(after, 0);
    let room = unpacked.get_mut(before..).unwrap_or_default();
    let written = snap::raw::Decoder::new().decompress(block, room).map_err(malformed)?;
    unpacked.truncate(before.saturating_add(written));
    Ok(())
}

fn malformed(_: snap::Error) -> BatchError {
    BatchError::BadRecords("a snappy block is malformed")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What snappy-java makes of "foobar\n".
    const FOOBAR: &[u8] = b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01\0\0\0\x09\x07\x18foobar\n";

    #[test]
    fn the_framed_form_is_javas() {
        assert_eq!(compress(b"foobar\n").unwrap(), FOOBAR);
        assert_eq!(decompress(FOOBAR, 100).unwrap(), b"foobar\n");
    }

    #[test]
    fn the_raw_form_and_joined_streams_are_read() {
        let text = b"raw snappy, as librdkafka sends it: snappy, snappy, snappy".repeat(3);
        let raw = snap::raw::Encoder::new().compress_vec(&text).unwrap();
        assert_eq!(decompress(&raw, 1000).unwrap(), text);
        assert_eq!(decompress(&[FOOBAR, FOOBAR].concat(), 100).unwrap(), b"foobar\nfoobar\n");
    }

    #[test]
    fn a_claimed_length_buys_no_memory() {
        // Four GiB less one, in a block of six bytes.
        let bomb = [0xff, 0xff, 0xff, 0xff, 0x0f, 0];
        let refused = BatchError::BadRecords("a snappy block cannot be as large as it says");
        assert_eq!(decompress(&bomb, usize::MAX), Err(refused));
    }

    #[test]
    fn the_largest_ratio_of_a_block_is_within_our_bound() {
        let zeros = vec![0; 60 << 10];
        let packed = snap::raw::Encoder::new().compress_vec(&zeros).unwrap();
        assert!(packed.len() * RATIO_MAX >= zeros.len());
        assert_eq!(decompress(&packed, zeros.len()).unwrap(), zeros);
    }

    #[test]
    fn a_block_length_beyond_the_bytes_is_refused() {
        for cut in 17..FOOBAR.len() {
            assert_eq!(decompress(&FOOBAR[..cut], 100), Err(CUT));
        }
    }
}
