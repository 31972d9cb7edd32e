//! Batches and acks that a broker must refuse.

use bytes::{Bytes, BytesMut};
use integration::{Daemon, Wire, client, produce};
use protocol::{
    ErrorCode, ProducerEpoch, ProducerId, Sequence,
    batch::{BatchBuilder, Compression},
    messages::k00_produce::ProduceResponse,
};

use crate::bystander::Bystander;

const CLOSED: &str = "isthmus_broker_connections_closed_total";
const ERRORS: &str = "isthmus_broker_errors_total";
const TOPIC: &str = "t";
/// The last Produce version without zstd.
const PRODUCE_WITHOUT_ZSTD: i16 = 6;

#[test]
fn malformed_batches_are_refused_with_kafkas_codes_and_nothing_is_appended() {
    let daemon = Daemon::start();
    let bystander = Bystander::start(&daemon);
    produce::create_topic(daemon.address(), TOPIC, 1);
    let good = produce::batch(&[b"one", b"two"]);
    let cases: Vec<(&str, Bytes, ErrorCode)> = vec![
        ("a flipped bit", altered(&good, |batch| batch[70] ^= 1), ErrorCode::CORRUPT_MESSAGE),
        ("a wrong CRC", altered(&good, |batch| batch[17] ^= 0x80), ErrorCode::CORRUPT_MESSAGE),
        ("a cut batch", good.slice(..good.len() - 3), ErrorCode::INVALID_RECORD),
        ("half a header", good.slice(..30), ErrorCode::INVALID_RECORD),
        ("a length of -1", altered(&good, |batch| batch[8..12].fill(0xff)), ErrorCode::CORRUPT_MESSAGE),
        ("format 1", altered(&good, |batch| batch[16] = 1), ErrorCode::INVALID_RECORD),
        ("two batches", [&good[..], &good].concat().into(), ErrorCode::INVALID_RECORD),
        ("no batch", Bytes::new(), ErrorCode::INVALID_RECORD),
        ("a count that is too high", resealed(&good, |batch| batch[60] = 3), ErrorCode::INVALID_RECORD),
        ("a count of -1", resealed(&good, |batch| batch[57..61].fill(0xff)), ErrorCode::INVALID_RECORD),
        (
            "a control batch",
            produce::records(BatchBuilder::new().control(), &[b"v"]),
            ErrorCode::INVALID_RECORD,
        ),
        ("a producer without a sequence", without_sequence(), ErrorCode::INVALID_RECORD),
        ("a large batch", produce::batch(&[&vec![7; 1_100_000]]), ErrorCode::MESSAGE_TOO_LARGE),
    ];
    let mut wire = Wire::connect(daemon.address());
    for (what, batch, expected) in &cases {
        let before = daemon.metrics();
        let (error, _) = produce::produce(&mut wire, TOPIC, batch);
        assert_eq!(error, *expected, "{what}");
        daemon.assert_counted(&before, &[ERRORS, "Produce", expected.name()]);
    }
    assert_eq!(
        produce::produce(&mut wire, TOPIC, &good),
        (ErrorCode::NONE, 0),
        "nothing was appended before"
    );
    assert_eq!(client::read_partition(&daemon.bootstrap(), TOPIC, 0, 0).len(), 2);
    bystander.finish(&daemon);
}

#[test]
fn zstd_needs_a_version_that_knows_it() {
    let daemon = Daemon::start();
    produce::create_topic(daemon.address(), TOPIC, 1);
    let zstd = produce::records(BatchBuilder::new().compression(Compression::Zstd), &[b"v"]);
    let mut wire = Wire::connect(daemon.address());
    let answer: ProduceResponse =
        wire.call(PRODUCE_WITHOUT_ZSTD, &produce::produce_request(TOPIC, -1, &zstd));
    assert_eq!(error_of(&answer), ErrorCode::UNSUPPORTED_COMPRESSION_TYPE);
    assert_eq!(produce::produce(&mut wire, TOPIC, &zstd), (ErrorCode::NONE, 0));
}

#[test]
fn a_topic_or_partition_that_is_not_there_is_an_answer() {
    let daemon = Daemon::start();
    produce::create_topic(daemon.address(), TOPIC, 1);
    let mut wire = Wire::connect(daemon.address());
    let batch = produce::batch(&[b"v"]);
    assert_eq!(produce::produce(&mut wire, "missing", &batch).0, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    for index in [1, -1, i32::MAX] {
        let mut request = produce::produce_request(TOPIC, -1, &batch);
        request.topic_data[0].partition_data[0].index = index;
        let answer: ProduceResponse = wire.call(produce::PRODUCE, &request);
        assert_eq!(error_of(&answer), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, "{index}");
    }
}

#[test]
fn acks_are_all_one_or_none() {
    let daemon = Daemon::start();
    produce::create_topic(daemon.address(), TOPIC, 1);
    let before = daemon.metrics();
    let mut wire = Wire::connect(daemon.address());
    for acks in [2, -2, i16::MAX] {
        let request = produce::produce_request(TOPIC, acks, &produce::batch(&[b"v"]));
        let answer: ProduceResponse = wire.call(produce::PRODUCE, &request);
        assert_eq!(error_of(&answer), ErrorCode::INVALID_REQUIRED_ACKS, "{acks}");
    }
    daemon.assert_counted(&before, &[ERRORS, "Produce", "INVALID_REQUIRED_ACKS"]);
    assert_eq!(produce::produce(&mut wire, TOPIC, &produce::batch(&[b"v"])), (ErrorCode::NONE, 0));
}

#[test]
fn an_error_without_acks_closes_the_connection() {
    let daemon = Daemon::start();
    let bystander = Bystander::start(&daemon);
    produce::create_topic(daemon.address(), TOPIC, 1);
    let good = produce::batch(&[b"v"]);
    let corrupt = altered(&good, |batch| batch[17] ^= 1);
    for (topic, batch) in [("missing", &good), (TOPIC, &corrupt)] {
        let before = daemon.metrics();
        let mut wire = Wire::connect(daemon.address());
        wire.send(produce::PRODUCE, &produce::produce_request(topic, 0, batch));
        wire.assert_closed();
        daemon.assert_counted(&before, &[CLOSED, "silent_produce_failed"]);
    }
    // Without an error there is no answer, and the connection goes on.
    let mut wire = Wire::connect(daemon.address());
    wire.send(produce::PRODUCE, &produce::produce_request(TOPIC, 0, &good));
    assert_eq!(produce::produce(&mut wire, TOPIC, &good), (ErrorCode::NONE, 1));
    bystander.finish(&daemon);
}

fn error_of(answer: &ProduceResponse) -> ErrorCode {
    answer.responses[0].partition_responses[0].error_code
}

fn altered(batch: &Bytes, change: impl FnOnce(&mut [u8])) -> Bytes {
    let mut batch = BytesMut::from(&batch[..]);
    change(&mut batch);
    batch.freeze()
}

/// Altered, with a CRC that says so was meant.
fn resealed(batch: &Bytes, change: impl FnOnce(&mut [u8])) -> Bytes {
    altered(batch, |batch| {
        change(batch);
        let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, &batch[21..]);
        batch[17..21].copy_from_slice(&u32::try_from(crc).expect("CRC-32C has 32 bits").to_be_bytes());
    })
}

fn without_sequence() -> Bytes {
    produce::records(BatchBuilder::new().producer(ProducerId(5), ProducerEpoch(0), Sequence::NONE), &[b"v"])
}
