//! A block: one round's batches, as they lie in a journal file. All numbers are big-endian.
//!
//! ```text
//!   block   magic u32, version u32, sequence u64, payload bytes u32, pieces u32, CRC-32C u32 of sequence, counts and payload
//!   piece   topic id 16, partition i32, segment base i64, position u64, batch bytes u32, name bytes u16, name, batches
//! ```
//!
//! Blocks begin at multiples of [`PAGE_BYTES`], and the page after the last one is zeros: what a file held before is never taken
//! for its next block, whatever producers had it hold.

use bytes::{Buf, BufMut, Bytes};

use protocol::{Offset, PartitionId, TopicId, TopicPartition, Uuid};

pub(super) const PAGE_BYTES: usize = 4096;
pub(super) const HEADER_BYTES: usize = 28;

const MAGIC: u32 = 0x4953_4a31; // "ISJ1"
const VERSION: u32 = 1;
const PIECE_BYTES: usize = 42;

/// Batches that lie one after the other in a segment.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    pub(crate) segment: Offset,
    pub(crate) position: u64,
    pub(crate) batches: Vec<Bytes>,
}

impl Piece {
    pub(crate) fn bytes(&self) -> usize {
        self.batches.iter().map(Bytes::len).sum()
    }
}

/// The place of a piece's batches, as read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) id: TopicPartition,
    pub(super) topic_id: TopicId,
    pub(super) segment: Offset,
    pub(super) position: u64,
    pub(super) batches: Bytes,
}

pub(super) struct Header {
    pub(super) sequence: u64,
    pub(super) payload_bytes: usize,
    pieces: usize,
    crc: u32,
}

/// What stands before a piece's batches.
pub(super) fn piece_head(id: &TopicPartition, topic_id: TopicId, piece: &Piece) -> Vec<u8> {
    let name = id.topic.0.as_bytes();
    let mut head = Vec::with_capacity(PIECE_BYTES + name.len());
    head.put_u128(topic_id.0.as_u128());
    head.put_i32(id.partition.0);
    head.put_i64(piece.segment.0);
    head.put_u64(piece.position);
    head.put_u32(u32::try_from(piece.bytes()).expect("a round is far smaller"));
    head.put_u16(u16::try_from(name.len()).expect("a topic's name has at most 249 bytes"));
    head.extend_from_slice(name);
    head
}

/// `payload`: the parts that follow the header.
pub(super) fn header<'a>(
    sequence: u64,
    pieces: usize,
    payload: impl Iterator<Item = &'a [u8]> + Clone,
) -> Vec<u8> {
    let bytes: usize = payload.clone().map(<[u8]>::len).sum();
    let mut header = Vec::with_capacity(HEADER_BYTES);
    header.put_u32(MAGIC);
    header.put_u32(VERSION);
    header.put_u64(sequence);
    header.put_u32(u32::try_from(bytes).expect("a round is far smaller"));
    header.put_u32(u32::try_from(pieces).expect("a round has fewer batches"));
    let crc = crc(header.get(8..).unwrap_or_default(), payload);
    header.put_u32(crc);
    header
}

pub(super) fn parse_header(mut bytes: &[u8]) -> Option<Header> {
    if bytes.len() < HEADER_BYTES || bytes.get_u32() != MAGIC || bytes.get_u32() != VERSION {
        return None;
    }
    Some(Header {
        sequence: bytes.get_u64(),
        payload_bytes: usize::try_from(bytes.get_u32()).ok()?,
        pieces: usize::try_from(bytes.get_u32()).ok()?,
        crc: bytes.get_u32(),
    })
}

/// `None`: not what was written.
pub(super) fn parse_payload(header: &Header, mut payload: Bytes) -> Option<Vec<Found>> {
    let mut covered = Vec::with_capacity(16);
    covered.put_u64(header.sequence);
    covered.put_u32(u32::try_from(header.payload_bytes).ok()?);
    covered.put_u32(u32::try_from(header.pieces).ok()?);
    if payload.len() != header.payload_bytes || crc(&covered, std::iter::once(&payload[..])) != header.crc {
        return None;
    }
    let mut found = Vec::new();
    for _ in 0..header.pieces {
        found.push(parse_piece(&mut payload)?);
    }
    payload.is_empty().then_some(found)
}

fn parse_piece(payload: &mut Bytes) -> Option<Found> {
    if payload.len() < PIECE_BYTES {
        return None;
    }
    let topic_id = TopicId(Uuid::from_u128(payload.get_u128()));
    let partition = PartitionId(payload.get_i32());
    let (segment, position) = (Offset(payload.get_i64()), payload.get_u64());
    let (batch_bytes, name_bytes) = (payload.get_u32() as usize, usize::from(payload.get_u16()));
    if payload.len() < name_bytes + batch_bytes {
        return None;
    }
    let name = payload.split_to(name_bytes);
    let id = TopicPartition::new(std::str::from_utf8(&name).ok()?, partition.0);
    Some(Found { id, topic_id, segment, position, batches: payload.split_to(batch_bytes) })
}

fn crc<'a>(covered: &[u8], payload: impl Iterator<Item = &'a [u8]>) -> u32 {
    let mut digest = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32Iscsi);
    digest.update(covered);
    payload.for_each(|part| digest.update(part));
    digest.finalize() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(batches: &[&'static [u8]]) -> (Vec<u8>, Vec<u8>) {
        let piece = Piece {
            segment: Offset(7),
            position: 99,
            batches: batches.iter().map(|batch| Bytes::from_static(batch)).collect(),
        };
        let head = piece_head(&TopicPartition::new("orders", 3), TopicId(Uuid::from_u128(5)), &piece);
        let payload: Vec<u8> = head.into_iter().chain(batches.concat()).collect();
        (header(12, 1, std::iter::once(&payload[..])), payload)
    }

    #[test]
    fn a_block_comes_back() {
        let (head, payload) = block(&[b"abc", b"defg"]);
        let header = parse_header(&head).unwrap();
        assert_eq!((header.sequence, header.payload_bytes), (12, payload.len()));
        let found = parse_payload(&header, payload.into()).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].id, TopicPartition::new("orders", 3));
        assert_eq!((found[0].segment, found[0].position), (Offset(7), 99));
        assert_eq!(found[0].batches, b"abcdefg"[..]);
    }

    #[test]
    fn no_block_with_a_bit_flipped_or_cut_short_comes_back() {
        let (head, payload) = block(&[b"abc"]);
        let whole: Vec<u8> = head.iter().chain(&payload).copied().collect();
        let parse = |bytes: &[u8]| {
            let header = parse_header(bytes)?;
            parse_payload(&header, Bytes::copy_from_slice(bytes.get(HEADER_BYTES..)?))
        };
        assert!(parse(&whole).is_some());
        for bit in 0..whole.len() * 8 {
            let mut bad = whole.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(parse(&bad), None, "bit {bit}");
        }
        for length in 0..whole.len() {
            assert_eq!(parse(&whole[..length]), None, "{length} bytes");
        }
    }
}
