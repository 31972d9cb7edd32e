//! Record batches, both ways, every codec.
//!
//! Their records keep headers in a map of strings, so here header keys are UTF-8 and do not repeat; repeated and
//! binary keys are tested where we read and write them. They write the smallest timestamp as the base, we and Java
//! the first one, so values are compared and not bytes.

use bytes::{Bytes, BytesMut};
use kafka_protocol::{
    indexmap::IndexMap,
    protocol::StrBytes,
    records::{self as theirs, RecordBatchDecoder, RecordBatchEncoder, RecordEncodeOptions},
};
use proptest::{collection::vec, option, prelude::*};

use protocol::{
    LeaderEpoch, Offset, ProducerEpoch, ProducerId, Sequence,
    batch::{self, BatchBuilder, BatchHeader, Compression, Record, TimestampType},
};

const LIMIT: usize = 8 << 20;

#[derive(Debug, Clone)]
struct Plain {
    timestamp: i64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(String, Option<Vec<u8>>)>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    base_offset: i64,
    leader_epoch: i32,
    producer: (i64, i16, i32),
    transactional: bool,
}

/// Short, or repetitive and longer than a block of any codec.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => vec(any::<u8>(), 0..40),
        1 => (vec(any::<u8>(), 1..9), 1usize..20_000).prop_map(|(unit, times)| unit.repeat(times)),
    ]
}

fn headers() -> impl Strategy<Value = Vec<(String, Option<Vec<u8>>)>> {
    vec(("[a-zé]{0,6}", option::of(vec(any::<u8>(), 0..12))), 0..4).prop_map(|mut headers| {
        headers.sort();
        headers.dedup_by(|a, b| a.0 == b.0);
        headers
    })
}

fn plain() -> impl Strategy<Value = Plain> {
    let timestamp = 1_700_000_000_000i64..1_700_000_600_000;
    (timestamp, option::of(bytes()), option::of(bytes()), headers())
        .prop_map(|(timestamp, key, value, headers)| Plain { timestamp, key, value, headers })
}

fn place() -> impl Strategy<Value = Place> {
    let producer = prop_oneof![Just((-1, -1, -1)), (0i64..1 << 40, 0i16..100, 0i32..1_000_000)];
    (0i64..1 << 50, -1i32..1000, producer, any::<bool>()).prop_map(
        |(base_offset, leader_epoch, producer, transactional)| Place {
            base_offset,
            leader_epoch,
            producer,
            transactional,
        },
    )
}

fn compression() -> impl Strategy<Value = (Compression, theirs::Compression)> {
    prop_oneof![
        Just((Compression::None, theirs::Compression::None)),
        Just((Compression::Gzip, theirs::Compression::Gzip)),
        Just((Compression::Snappy, theirs::Compression::Snappy)),
        Just((Compression::Lz4, theirs::Compression::Lz4)),
        Just((Compression::Zstd, theirs::Compression::Zstd)),
    ]
}

fn build(records: &[Plain], place: Place, compression: Compression) -> BatchBuilder {
    let (id, epoch, sequence) = place.producer;
    let builder = BatchBuilder::new()
        .compression(compression)
        .base_offset(Offset(place.base_offset))
        .leader_epoch(LeaderEpoch(place.leader_epoch))
        .producer(ProducerId(id), ProducerEpoch(epoch), Sequence(sequence));
    let builder = if place.transactional { builder.transactional() } else { builder };
    records.iter().fold(builder, |builder, record| {
        let headers: Vec<_> =
            record.headers.iter().map(|(key, value)| (key.as_bytes(), value.as_deref())).collect();
        builder.record(record.timestamp, record.key.as_deref(), record.value.as_deref(), &headers)
    })
}

fn to_theirs(at: usize, record: &Plain, place: Place) -> theirs::Record {
    let (producer_id, producer_epoch, base_sequence) = place.producer;
    let headers: IndexMap<_, _> = record
        .headers
        .iter()
        .map(|(key, value)| (StrBytes::from_string(key.clone()), value.clone().map(Bytes::from)))
        .collect();
    theirs::Record {
        transactional: place.transactional,
        control: false,
        delete_horizon: false,
        partition_leader_epoch: place.leader_epoch,
        producer_id,
        producer_epoch,
        timestamp_type: theirs::TimestampType::Creation,
        offset: place.base_offset + at as i64,
        sequence: base_sequence.wrapping_add(at as i32),
        timestamp: record.timestamp,
        key: record.key.clone().map(Bytes::from),
        value: record.value.clone().map(Bytes::from),
        headers,
    }
}

fn from_ours(record: &Record) -> Plain {
    let text = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).expect("keys here are UTF-8");
    Plain {
        timestamp: record.timestamp,
        key: record.key.as_ref().map(|key| key.to_vec()),
        value: record.value.as_ref().map(|value| value.to_vec()),
        headers: record
            .headers
            .iter()
            .map(|header| (text(&header.key), header.value.as_ref().map(|value| value.to_vec())))
            .collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn they_read_what_we_build(
        records in vec(plain(), 1..12),
        place in place(),
        (ours, _) in compression(),
    ) {
        let mut batch = build(&records, place, ours).build().unwrap().freeze();
        let read = RecordBatchDecoder::decode(&mut batch).unwrap().records;
        let expected: Vec<_> =
            records.iter().enumerate().map(|(at, record)| to_theirs(at, record, place)).collect();
        prop_assert!(batch.is_empty());
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn we_read_what_they_encode(
        records in vec(plain(), 1..12),
        place in place(),
        (ours, theirs) in compression(),
    ) {
        let all: Vec<_> = records.iter().enumerate().map(|(at, record)| to_theirs(at, record, place)).collect();
        let mut batch = BytesMut::new();
        let options = RecordEncodeOptions { version: 2, compression: theirs };
        RecordBatchEncoder::encode(&mut batch, &all, &options).unwrap();
        let batch = batch.freeze();

        let header = BatchHeader::parse_whole(&batch).unwrap();
        prop_assert_eq!(header.attributes.compression(), Ok(ours));
        prop_assert_eq!(header.attributes.timestamp_type(), TimestampType::CreateTime);
        prop_assert_eq!(header.attributes.is_transactional(), place.transactional);
        prop_assert_eq!(header.leader_epoch.0, place.leader_epoch);
        prop_assert_eq!((header.producer_id.0, header.producer_epoch.0, header.base_sequence.0), place.producer);
        if ours == Compression::None {
            batch::check_records(&batch).unwrap();
        }
        let read: Vec<_> = batch::records(&batch, LIMIT).unwrap().collect::<Result<_, _>>().unwrap();
        for (at, (read, record)) in read.iter().zip(&records).enumerate() {
            prop_assert_eq!(read.offset.0, place.base_offset + at as i64);
            prop_assert_eq!(format!("{:?}", from_ours(read)), format!("{record:?}"));
        }
        prop_assert_eq!(read.len(), records.len());
    }
}
