//! Law 8, hostile input costs nothing, as numbers: what decoding may allocate, counted by an allocator that counts.
//!
//! For `n` bytes of input:
//! * a message: at most [`MESSAGE_PER_BYTE`] x n, or [`MESSAGE_FLOOR`] where that is more, all in all;
//! * checking the records of a batch: nothing;
//! * unpacking records under a limit: at most 2 x limit at a time, and the codec's own state: [`STATE`], or for lz4
//!   [`LZ4_BLOCKS`] (zstd's is C memory that this allocator does not see; its window is capped by zstd at 128 MiB);
//! * one unpacked record of m bytes: at most [`RECORD_PER_BYTE`] x m, and never more than [`RECORD_MAX`].

#![cfg(test)]

#[path = "../../fuzz/src/apis.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the fuzz targets")]
mod apis;
#[path = "../../fuzz/src/entropy.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the fuzz targets")]
mod entropy;
#[path = "../../fuzz/src/sample.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the fuzz targets")]
mod sample;

use allocation_counter::{AllocationInfo, measure};
use bytes::{Bytes, BytesMut};

use protocol::{
    batch::{self, BatchBuilder, BatchError, Compression, HEADER_SIZE, HEADERS_MAX, RecordHeader},
    codec::Decoder,
    frame::{RequestPrefix, read_client_id},
    framing::produce::ProduceFrame,
};

use apis::DECLARED;
use entropy::Entropy;

const MESSAGE_PER_BYTE: u64 = 16;
const MESSAGE_FLOOR: u64 = 64 << 10;
/// A frame's count of references, and what an error may carry.
const SMALL: u64 = 512;
const STATE: u64 = 256 << 10;
const LZ4_BLOCKS: u64 = 13 << 20;
const RECORD_PER_BYTE: u64 = 32;
const RECORD_MAX: u64 = 4 << 20;

fn message_bound(length: usize) -> u64 {
    (MESSAGE_PER_BYTE * length as u64).max(MESSAGE_FLOOR) + SMALL
}

/// Decodes with every decoder that takes such bytes; they may refuse, but not cost.
#[track_caller]
fn decode_within_bound(declared: &apis::Declared, version: i16, body: &[u8]) {
    let bytes = Bytes::copy_from_slice(body);
    let spent = measure(|| drop((declared.read)(bytes, version)));
    assert!(spent.bytes_total <= message_bound(body.len()), "{} {version}: {spent:?}", declared.name);
    if declared.key == 0 && declared.is_request {
        let bytes = BytesMut::from(body);
        let spent = measure(|| drop(ProduceFrame::read(Decoder::new(bytes), version)));
        assert!(spent.bytes_total <= message_bound(body.len()), "produce framing {version}: {spent:?}");
    }
}

/// Counts, lengths and sizes that promise far more than there is.
const BOMBS: [&[u8]; 8] = [
    &[0x7f, 0xff, 0xff, 0xff],
    &[0x00, 0xff, 0xff, 0xff],
    &[0x00, 0x00, 0x40, 0x00],
    &[0x7f, 0xff],
    &[0xff, 0xff, 0xff, 0xff, 0x0f],
    &[0xff, 0xff, 0x7f],
    &[0x80, 0x80, 0x01],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
];

#[test]
fn a_count_at_any_place_of_any_message_buys_no_memory() {
    let filler = [[0u8; 16 << 10], [1u8; 16 << 10]];
    for declared in DECLARED {
        for version in declared.versions.clone() {
            let mut entropy = Entropy::seeded(version as u64);
            let body = sample::message(declared.schema, (declared.layout)(version), false, &mut entropy);
            for at in 0..body.len().min(120) {
                for bomb in BOMBS {
                    let (before, after) = (&body[..at], &body[(at + bomb.len()).min(body.len())..]);
                    decode_within_bound(declared, version, &[before, bomb, after].concat());
                }
                // With enough behind it for a count to be believed: each element must still be paid for.
                let filler = &filler[at % 2];
                decode_within_bound(declared, version, &[&body[..at], &[0, 0, 0x20, 0], filler].concat());
                decode_within_bound(declared, version, &[&body[..at], &[0x80, 0x40], filler].concat());
            }
        }
    }
}

#[test]
fn arbitrary_bytes_cost_no_more_than_their_length_allows() {
    for declared in DECLARED {
        for version in declared.versions.clone() {
            let mut entropy = Entropy::seeded(u64::from(declared.is_request) << 16 | version as u64);
            for _ in 0..40 {
                let length_max = if entropy.one_in(8) { 20_000 } else { 300 };
                let length = entropy.below(length_max);
                // Small bytes make plausible counts.
                let max = [256, 16, 3][entropy.below(3)];
                let body: Vec<u8> = (0..length).map(|_| entropy.below(max) as u8).collect();
                decode_within_bound(declared, version, &body);
            }
        }
    }
}

/// The densest messages, at the size where the budget's slope takes over from its floor.
#[test]
fn a_long_legal_message_stays_within_the_slope() {
    for declared in DECLARED {
        let version = *declared.versions.end();
        for element in [0u8, 1, 2] {
            // Every array as long as a count of two or three bytes can make it, of the smallest elements.
            let body = [&[element, 0xff, 0xff, 0x01][..], &vec![element; 100_000]].concat();
            (0..4).for_each(|skip| decode_within_bound(declared, version, &body[skip..]));
        }
    }
}

#[test]
fn a_request_header_costs_nothing_beside_its_frame() {
    let mut entropy = Entropy::seeded(1);
    for _ in 0..2_000 {
        let frame: Vec<u8> = (0..entropy.below(200)).map(|_| entropy.u64() as u8).collect();
        let flexible = entropy.one_in(2);
        let spent = measure(|| {
            let mut from = Decoder::new(Bytes::copy_from_slice(&frame));
            drop(RequestPrefix::read(&mut from).and_then(|_| read_client_id(&mut from, flexible)));
        });
        assert!(spent.bytes_total <= frame.len() as u64 + SMALL, "{spent:?}");
    }
}

#[test]
fn checking_records_allocates_nothing() {
    let batch = BatchBuilder::new()
        .record(1, Some(b"key"), Some(&[0; 1000]), &[(b"a", None), (b"b", Some(b"c"))])
        .record(2, None, None, &[])
        .build()
        .unwrap();
    let spent = measure(|| batch::check_records(&batch).unwrap());
    assert_eq!(spent.bytes_total, 0);
    // Neither where it refuses.
    for at in HEADER_SIZE..batch.len() {
        let mut wrong = batch.clone();
        wrong[at] ^= 0xff;
        let spent = measure(|| drop(batch::check_records(&wrong)));
        assert_eq!(spent.bytes_total, 0);
    }
}

/// Walks a batch, keeping one record at a time.
fn walk(batch: &Bytes, limit: usize) -> (AllocationInfo, Option<BatchError>) {
    let mut refused = None;
    let spent = measure(|| match batch::records(batch, limit) {
        Ok(all) => refused = all.filter_map(Result::err).next(),
        Err(error) => refused = Some(error),
    });
    (spent, refused)
}

fn raw_batch(compression: Compression, count: i32, records: &[u8]) -> Bytes {
    // A built batch lends its header; what follows it is replaced.
    let header = BatchBuilder::new().compression(compression).record(0, None, None, &[]).build().unwrap();
    let mut batch = [&header[..HEADER_SIZE], records].concat();
    let length = i32::try_from(batch.len() - 12).unwrap();
    batch[8..12].copy_from_slice(&length.to_be_bytes());
    batch[23..27].copy_from_slice(&count.wrapping_sub(1).to_be_bytes());
    batch[57..61].copy_from_slice(&count.to_be_bytes());
    batch.into()
}

#[test]
fn a_records_headers_cost_no_more_than_its_bytes_allow() {
    let header: (&[u8], Option<&[u8]>) = (b"", None);
    for count in [0, 1, 100, 1_000, HEADERS_MAX] {
        let batch = BatchBuilder::new().record(0, None, None, &vec![header; count]).build().unwrap().freeze();
        let (spent, refused) = walk(&batch, 0);
        assert_eq!(refused, None);
        let bound = (RECORD_PER_BYTE * batch.len() as u64).min(RECORD_MAX);
        assert!(spent.bytes_max <= bound + SMALL, "{count}: {spent:?}");
    }
    assert_eq!(RECORD_MAX, (HEADERS_MAX * size_of::<RecordHeader>()) as u64);
}

#[test]
fn counts_in_records_buy_no_memory() {
    // Length, attributes, deltas, null key, null value, then a header count of 65,535, in a record of 70 kB and in
    // one of nine bytes; and a batch that counts two billion records.
    let long = [&[0xa2, 0xd4, 0x08, 0, 0, 0, 1, 1, 0xfe, 0xff, 0x07][..], &[0x80; 70_000]].concat();
    for records in [&long[..], &[18, 0, 0, 0, 1, 1, 0xfe, 0xff, 0x07, 0], &[]] {
        let (spent, refused) = walk(&raw_batch(Compression::None, i32::MAX, records), 0);
        assert!(matches!(refused, Some(BatchError::BadRecords(_))), "{refused:?}");
        assert!(spent.bytes_max <= SMALL, "{spent:?}");
    }
    // Collecting must not trust the count either.
    let batch = raw_batch(Compression::None, i32::MAX, &[12, 0, 0, 0, 1, 1, 0]);
    let spent = measure(|| drop(batch::records(&batch, 0).unwrap().collect::<Vec<_>>()));
    assert!(spent.bytes_max <= 4 << 10, "{spent:?}");
}

const CODECS: [Compression; 4] =
    [Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd];

fn unpacking_bound(compression: Compression, limit: usize) -> u64 {
    let state = if compression == Compression::Lz4 { LZ4_BLOCKS } else { STATE };
    2 * limit as u64 + state
}

#[test]
fn zip_bombs_stop_at_the_limit() {
    let zeros = vec![0; 24 << 20];
    for compression in CODECS {
        let batch = BatchBuilder::new().compression(compression).record(0, None, Some(&zeros), &[]);
        let batch = batch.build().unwrap().freeze();
        for limit in [0, 1_000, 64 << 10, 1 << 20] {
            let (spent, refused) = walk(&batch, limit);
            assert_eq!(refused, Some(BatchError::DecompressedTooLarge { limit }), "{compression:?}");
            assert!(spent.bytes_max <= unpacking_bound(compression, limit), "{compression:?} {spent:?}");
        }
    }
}

/// Streams that say how large they are, and lie.
#[test]
fn claimed_sizes_buy_no_memory() {
    let limit = 1 << 30;
    let snappy = [0xff, 0xff, 0xff, 0xff, 0x03, 0, 0];
    let snappy_framed = [&b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01\x7f\xff\xff\xff"[..], &[0; 100]].concat();
    // Magic, version and content size flag, 4 MiB blocks, a content of 2^62, some checksum.
    let lz4 = [&[0x04, 0x22, 0x4d, 0x18, 0x68, 0x70, 0, 0, 0, 0, 0, 0, 0, 0x40, 0x9c][..], &[0; 50]].concat();
    // Magic, a single segment with an eight-byte content size of 2^40.
    let zstd = [&[0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 1, 0, 0][..], &[0; 50]].concat();
    // Magic, deflate, a name that does not end.
    let gzip = [&[0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 0][..], &[b'n'; 200_000]].concat();
    let streams: [(Compression, &[u8]); 5] = [
        (Compression::Snappy, &snappy),
        (Compression::Snappy, &snappy_framed),
        (Compression::Lz4, &lz4),
        (Compression::Zstd, &zstd),
        (Compression::Gzip, &gzip),
    ];
    for (compression, stream) in streams {
        let (spent, refused) = walk(&raw_batch(compression, 1, stream), limit);
        assert!(refused.is_some(), "{compression:?}");
        let bound = 4 * stream.len() as u64 + unpacking_bound(compression, 0);
        assert!(spent.bytes_max <= bound, "{compression:?} {spent:?}");
    }
}

#[test]
fn arbitrary_bytes_as_records_stay_within_the_bound() {
    let limit = 256 << 10;
    let mut entropy = Entropy::seeded(7);
    for compression in [&CODECS[..], &[Compression::None]].concat() {
        let valid =
            BatchBuilder::new().compression(compression).record(0, Some(b"k"), Some(&[3; 3_000]), &[]);
        let valid = valid.build().unwrap();
        for _ in 0..1_500 {
            let mut records = valid[HEADER_SIZE..].to_vec();
            for _ in 0..=entropy.below(4) {
                let at = entropy.below(records.len());
                records[at] = entropy.u64() as u8;
            }
            let (spent, _) = walk(&raw_batch(compression, 1 + entropy.below(3) as i32, &records), limit);
            let bound = unpacking_bound(compression, limit) + RECORD_MAX;
            assert!(spent.bytes_max <= bound, "{compression:?} {spent:?}");
        }
    }
}
