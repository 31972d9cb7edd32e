//! The targets. Each takes any bytes and panics only where a promise is broken.

use bytes::{Bytes, BytesMut};

use protocol::{
    Offset,
    batch::{self, BatchBuilder, BatchError, BatchHeader, Compression, HEADER_SIZE, Record},
    codec::{Api, DecodeError, Decoder},
    frame::{RequestPrefix, read_client_id},
    framing::produce::ProduceFrame,
    messages::k00_produce::ProduceRequest,
    versions,
};

use super::{
    apis::{self, DECLARED},
    entropy::Entropy,
    sample,
};

pub type Target = fn(&[u8]);

/// Each target, by the name of its fuzzer and its corpus.
pub const TARGETS: &[(&str, Target)] = &[
    ("request", request),
    ("response", response),
    ("batch", batch),
    ("produce", produce),
    ("round_trip", round_trip),
];

/// A request frame as a connection reads it, without its length. What decodes can be encoded, and decodes again to
/// the same.
pub fn request(data: &[u8]) {
    let mut from = Decoder::new(Bytes::copy_from_slice(data));
    let Ok(prefix) = RequestPrefix::read(&mut from) else { return };
    let Some(served) = versions::served(prefix.api_key) else { return };
    if !served.serves(prefix.version) {
        return;
    }
    let Ok(_) = read_client_id(&mut from, served.is_flexible(prefix.version)) else { return };
    let declared = apis::find(prefix.api_key, true).expect("what is served is declared");
    let _ = (declared.recode)(from.into_rest(), prefix.version);
}

/// Key and version, two bytes each, and a response's body: what a foreign cluster may answer.
pub fn response(data: &[u8]) {
    let mut from = Decoder::new(Bytes::copy_from_slice(data));
    let (Ok(key), Ok(version)) = (from.i16(), from.i16()) else { return };
    let Some(declared) = apis::find(key, false) else { return };
    let _ = (declared.recode)(from.into_rest(), version);
}

/// Records unpack to at most this much here.
const UNPACKED_MAX: usize = 1 << 20;

/// A batch, whose length, magic and CRC are put right first: no fuzzer guesses them.
pub fn batch(data: &[u8]) {
    let _ = BatchHeader::parse_whole(data);
    let _ = batch::records(&Bytes::copy_from_slice(data), UNPACKED_MAX).map(Iterator::count);
    let Some(batch) = plausible(data) else { return };
    let header = BatchHeader::parse_whole(&batch).expect("put right");
    let all: Result<Vec<Record>, BatchError> =
        batch::records(&batch, UNPACKED_MAX).and_then(Iterator::collect);
    if let Ok(records) = &all {
        assert_eq!(i32::try_from(records.len()), Ok(header.record_count));
        assert!(records.is_sorted_by(|a, b| a.offset < b.offset || a.offset == Offset(i64::MAX)));
        rebuild(&header, records);
    }
    match batch::check_records(&batch) {
        Ok(()) => {
            assert_eq!(header.attributes.compression(), Ok(Compression::None));
            let records = all.expect("what passes the check can be read");
            assert!(header.record_count > 0 && header.last_offset_delta == header.record_count - 1);
            assert_eq!(records.last().map(|record| record.offset), Some(header.last_offset()));
        }
        Err(_) => assert!(
            !is_producers(&header)
                || header.attributes.compression() != Ok(Compression::None)
                || all.is_err(),
            "records that are read and consecutive pass the check"
        ),
    }
}

/// What was read and is built again reads the same.
fn rebuild(header: &BatchHeader, records: &[Record]) {
    if records.is_empty() || records.len() > 1_000 {
        return;
    }
    let builder =
        records.iter().fold(BatchBuilder::new().base_offset(header.base_offset), |builder, record| {
            let headers: Vec<_> =
                record.headers.iter().map(|header| (&header.key[..], header.value.as_deref())).collect();
            builder.record(record.timestamp, record.key.as_deref(), record.value.as_deref(), &headers)
        });
    let batch = builder.build().expect("small enough").freeze();
    batch::check_records(&batch).expect("built records pass the check");
    for (at, (again, record)) in (0..).zip(batch::records(&batch, 0).expect("a batch").zip(records)) {
        let again = again.expect("a record");
        assert_eq!(again.offset, header.base_offset.plus(at));
        assert_eq!(Record { offset: record.offset, ..again }, *record);
    }
}

/// As many records as offsets: nothing was compacted away.
fn is_producers(header: &BatchHeader) -> bool {
    header.record_count > 0 && header.last_offset_delta == header.record_count - 1
}

fn plausible(data: &[u8]) -> Option<Bytes> {
    if data.len() < HEADER_SIZE {
        return None;
    }
    let mut batch = data.to_vec();
    let length = i32::try_from(batch.len() - 12).ok()?;
    batch.get_mut(8..12)?.copy_from_slice(&length.to_be_bytes());
    *batch.get_mut(16)? = batch::MAGIC as u8;
    if let Err(BatchError::BadCrc { computed, .. }) = batch::verify_crc(&batch) {
        batch.get_mut(17..21)?.copy_from_slice(&computed.to_be_bytes());
    }
    Some(batch.into())
}

/// A version, one byte, and the body of a Produce request: framed by hand and as declared, it reads the same.
pub fn produce(data: &[u8]) {
    let Some((&version, body)) = data.split_first() else { return };
    let version = i16::from(version);
    let framed = ProduceFrame::read(Decoder::new(BytesMut::from(body)), version);
    let declared = ProduceRequest::read(Bytes::copy_from_slice(body), version);
    match (framed, declared) {
        (Ok(framed), Ok(declared)) => assert_same(&framed, &declared),
        (Err(_), Err(_)) => {}
        // They differ in the memory that an element takes, and in the versions that they know.
        (Err(DecodeError::OverBudget { .. } | DecodeError::UnknownVersion { .. }), Ok(_))
        | (Ok(_), Err(DecodeError::OverBudget { .. })) => {}
        (framed, declared) => panic!("framed by hand {framed:?}, but declared {declared:?}"),
    }
}

fn assert_same(framed: &ProduceFrame, declared: &ProduceRequest) {
    assert_eq!(framed.transactional_id, declared.transactional_id);
    assert_eq!((framed.acks, framed.timeout_ms), (declared.acks, declared.timeout_ms));
    assert_eq!(framed.topics.len(), declared.topic_data.len());
    for (framed, declared) in framed.topics.iter().zip(&declared.topic_data) {
        assert_eq!(framed.name, declared.name);
        assert_eq!(framed.partitions.len(), declared.partition_data.len());
        for (framed, declared) in framed.partitions.iter().zip(&declared.partition_data) {
            assert_eq!(framed.index, declared.index);
            assert_eq!(framed.records.as_deref(), declared.records.as_deref());
        }
    }
}

/// Which message, which version, and choices for its fields: decoding and encoding a valid message changes nothing.
pub fn round_trip(data: &[u8]) {
    let mut entropy = Entropy::from_bytes(data);
    let Some(declared) = DECLARED.get(entropy.below(DECLARED.len())) else { return };
    let versions = declared.versions.end() - declared.versions.start() + 1;
    let version = declared.versions.start() + entropy.below(versions as usize) as i16;
    let body = sample::message(declared.schema, (declared.layout)(version), false, &mut entropy);
    let body = Bytes::from(body);
    assert_eq!((declared.recode)(body.clone(), version), Ok(body), "{} {version}", declared.name);
}
