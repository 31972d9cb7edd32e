//! What the produce path does with a batch, and what the few readers of records do.
//!
//! `cargo bench -p protocol --bench batch`; divan takes a filter, and `--sample-count`.

use bytes::Bytes;
use divan::{Bencher, counter::BytesCount};

use protocol::batch::{self, BatchBuilder, BatchHeader, Compression};

/// Batches of about these sizes, of records of about 100 bytes.
const SIZES: [usize; 3] = [1 << 10, 16 << 10, 1 << 20];
const UNPACKED_MAX: usize = 8 << 20;
const CODECS: [Compression; 4] =
    [Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd];

fn main() {
    divan::main();
}

fn batch_of(size: usize, compression: Compression) -> Bytes {
    let builder = BatchBuilder::new().compression(compression);
    let records = (0..size / 100).fold(builder, |builder, at| {
        let value =
            format!(r#"{{"id":{at},"kind":"page","user":{},"path":"/a/{}"}}"#, at * 7919 % 10007, at % 97);
        let key = at.to_be_bytes();
        builder.record(
            1_700_000_000_000 + at as i64,
            Some(&key),
            Some(value.as_bytes()),
            &[(b"trace", Some(&key))],
        )
    });
    records.build().expect("small enough").freeze()
}

/// CRC, header and records: all that is checked before a batch is appended.
#[divan::bench(args = SIZES)]
fn validate(bencher: Bencher<'_, '_>, size: usize) {
    let batch = batch_of(size, Compression::None);
    bencher.counter(BytesCount::new(batch.len())).bench(|| {
        BatchHeader::parse_whole(divan::black_box(&batch)).and_then(|_| batch::check_records(&batch))
    });
}

/// The CRC and the header alone: what a compressed batch gets.
#[divan::bench(args = SIZES)]
fn parse_whole(bencher: Bencher<'_, '_>, size: usize) {
    let batch = batch_of(size, Compression::None);
    bencher
        .counter(BytesCount::new(batch.len()))
        .bench(|| BatchHeader::parse_whole(divan::black_box(&batch)));
}

#[divan::bench(args = SIZES)]
fn records(bencher: Bencher<'_, '_>, size: usize) {
    let batch = batch_of(size, Compression::None);
    bencher
        .counter(BytesCount::new(batch.len()))
        .bench(|| batch::records(divan::black_box(&batch), 0).map(|all| all.filter(Result::is_ok).count()));
}

/// Unpacking 64 KiB and reading its records.
#[divan::bench(args = CODECS)]
fn records_compressed(bencher: Bencher<'_, '_>, compression: Compression) {
    let unpacked = batch_of(64 << 10, Compression::None).len();
    let batch = batch_of(64 << 10, compression);
    bencher.counter(BytesCount::new(unpacked)).bench(|| {
        batch::records(divan::black_box(&batch), UNPACKED_MAX).map(|all| all.filter(Result::is_ok).count())
    });
}

#[divan::bench(args = SIZES)]
fn stamp_append_time(bencher: Bencher<'_, '_>, size: usize) {
    let batch = bytes::BytesMut::from(&batch_of(size, Compression::None)[..]);
    bencher
        .counter(BytesCount::new(batch.len()))
        .with_inputs(|| batch.clone())
        .bench_local_refs(|batch| batch::stamp_append_time(batch, 1));
}
