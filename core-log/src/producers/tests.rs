//! Each rule, each refusal, and the snapshot's bytes.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use protocol::batch::BatchBuilder;

pub(super) const NOW: i64 = 1_000;

/// A batch of `count` records that lies at `base_offset`.
pub(super) fn data(
    id: i64,
    epoch: i16,
    sequence: i32,
    count: i32,
    base_offset: i64,
    transactional: bool,
) -> BatchHeader {
    let mut batch = BatchBuilder::new().base_offset(Offset(base_offset));
    batch = batch.producer(ProducerId(id), ProducerEpoch(epoch), Sequence(sequence));
    for _ in 0..count {
        batch = batch.record(NOW, None, None, &[]);
    }
    let batch = if transactional { batch.transactional() } else { batch };
    BatchHeader::parse_whole(&batch.build().unwrap()).unwrap()
}

/// An end marker, as the transaction coordinator writes it.
pub(super) fn marker(
    id: i64,
    epoch: i16,
    base_offset: i64,
    decision: Decision,
) -> (BatchHeader, Option<EndMarker>) {
    let kind = if decision == Decision::Commit { 1 } else { 0 };
    let batch = BatchBuilder::new()
        .base_offset(Offset(base_offset))
        .producer(ProducerId(id), ProducerEpoch(epoch), Sequence::NONE)
        .transactional()
        .control()
        .record(NOW, Some(&[0, 0, 0, kind]), Some(&[0, 0, 0, 0, 0, 3]), &[])
        .build()
        .unwrap();
    let header = BatchHeader::parse_whole(&batch).unwrap();
    (header, EndMarker::read(&header, &batch).unwrap())
}

fn recorded(batches: &[BatchHeader]) -> Producers {
    let mut producers = Producers::new();
    for batch in batches {
        producers.record(batch, None, NOW);
    }
    producers
}

/// Five batches of three records: sequences 0 to 14 at offsets 100 to 114.
fn five() -> Vec<BatchHeader> {
    (0..5).map(|i| data(7, 0, 3 * i, 3, 100 + i64::from(3 * i), false)).collect()
}

pub(super) fn reload(producers: &Producers, offset: i64) -> Producers {
    Producers::from_snapshot(&producers.to_snapshot(), Offset(offset)).unwrap()
}

#[test]
fn each_of_the_last_five_batches_is_a_duplicate_of_itself() {
    let producers = recorded(&five());
    for batch in five() {
        let (base_offset, last_offset) = (batch.base_offset, batch.last_offset());
        let again = BatchHeader { base_offset: Offset(0), ..batch };
        let duplicate = Verdict::Duplicate { base_offset, last_offset, timestamp: NOW };
        assert_eq!(producers.check(&again), Ok(duplicate));
    }
}

#[test]
fn the_sixth_last_batch_is_out_of_order() {
    let mut batches = five();
    batches.push(data(7, 0, 15, 1, 115, false));
    let error =
        SequenceError::OutOfOrder { producer_id: ProducerId(7), expected: Sequence(16), found: Sequence(0) };
    assert_eq!(recorded(&batches).check(&batches[0]), Err(error));
}

#[test]
fn a_part_of_an_earlier_batch_is_no_duplicate() {
    let producers = recorded(&five());
    for (sequence, count) in [(12, 2), (13, 2), (11, 4), (9, 6)] {
        let found = producers.check(&data(7, 0, sequence, count, 0, false));
        assert!(matches!(found, Err(SequenceError::OutOfOrder { .. })), "{sequence}+{count}: {found:?}");
    }
}

#[test]
fn sequences_wrap_and_duplicates_are_found_across_the_wrap() {
    let wrapping = data(7, 0, i32::MAX - 1, 4, 100, false);
    let producers = recorded(&[wrapping]);
    assert!(matches!(producers.check(&wrapping), Ok(Verdict::Duplicate { base_offset: Offset(100), .. })));
    assert_eq!(producers.check(&data(7, 0, 2, 1, 0, false)), Ok(Verdict::New));
    let last = recorded(&[data(7, 0, i32::MAX, 1, 100, false)]);
    assert_eq!(last.check(&data(7, 0, 0, 1, 0, false)), Ok(Verdict::New));
}

#[test]
fn a_newer_epoch_starts_at_zero_and_fences_the_older() {
    let mut producers = recorded(&five());
    let late = producers.check(&data(7, 1, 15, 1, 0, false));
    assert!(matches!(late, Err(SequenceError::OutOfOrder { expected: Sequence(0), .. })));
    let first = data(7, 1, 0, 1, 115, false);
    assert_eq!(producers.check(&first), Ok(Verdict::New));
    producers.record(&first, None, NOW);
    let fenced = SequenceError::StaleEpoch {
        producer_id: ProducerId(7),
        current: ProducerEpoch(1),
        found: ProducerEpoch(0),
    };
    assert_eq!(producers.check(&five()[4]), Err(fenced));
}

#[test]
fn an_unknown_producer_may_start_anywhere() {
    let mut producers = recorded(&five());
    assert_eq!(producers.check(&data(8, 4, 77, 1, 0, false)), Ok(Verdict::New));
    producers.expire(NOW + 9, 10);
    assert_eq!(producers.len(), 1);
    producers.expire(NOW + 10, 10);
    assert!(producers.is_empty());
    assert_eq!(producers.check(&data(7, 0, 77, 1, 0, false)), Ok(Verdict::New));
}

#[test]
fn batches_without_a_producer_are_new_and_leave_nothing() {
    let plain = BatchBuilder::new().record(0, None, None, &[]).build().unwrap();
    let plain = BatchHeader::parse(&plain).unwrap();
    let producers = recorded(&[plain, plain]);
    assert_eq!(producers.check(&plain), Ok(Verdict::New));
    assert!(producers.is_empty());
}

#[test]
fn the_last_stable_offset_waits_for_the_marker_and_for_its_visibility() {
    let mut producers = recorded(&[data(1, 0, 0, 2, 10, true), data(2, 0, 0, 1, 12, true)]);
    assert_eq!(producers.last_stable(Offset(13)), Offset(10));
    assert_eq!(producers.last_stable(Offset(5)), Offset(5), "never above the high watermark");

    let (batch, end) = marker(1, 0, 13, Decision::Abort);
    let ended = producers.record(&batch, end, NOW).unwrap();
    assert_eq!((ended.first_offset, ended.last_offset), (Offset(10), Offset(13)));
    assert_eq!((ended.decision, ended.last_stable), (Decision::Abort, Offset(12)));
    assert_eq!(producers.last_stable(Offset(13)), Offset(10), "the marker at 13 is not visible yet");
    assert_eq!(producers.last_stable(Offset(14)), Offset(12));

    let (batch, end) = marker(2, 0, 14, Decision::Commit);
    assert_eq!(producers.record(&batch, end, NOW).unwrap().last_stable, Offset(15));
    assert_eq!(producers.last_stable(Offset(15)), Offset(15));
}

#[test]
fn a_marker_of_a_newer_epoch_ends_the_transaction_and_fences() {
    let mut producers = recorded(&[data(1, 0, 0, 2, 10, true)]);
    let (batch, end) = marker(1, 1, 12, Decision::Abort);
    assert!(producers.record(&batch, end, NOW).is_some());
    assert_eq!(producers.record(&batch, end, NOW), None, "nothing is open any more");
    let fenced = producers.check(&data(1, 0, 2, 1, 0, true));
    assert!(matches!(fenced, Err(SequenceError::StaleEpoch { .. })));
    assert_eq!(producers.check(&data(1, 1, 0, 1, 0, true)), Ok(Verdict::New));
    let late = producers.check(&data(1, 1, 2, 1, 0, true));
    assert!(matches!(late, Err(SequenceError::OutOfOrder { expected: Sequence(0), .. })));
}

#[test]
fn a_plain_batch_is_refused_inside_a_transaction() {
    let producers = recorded(&[data(1, 0, 0, 2, 10, true)]);
    let error = SequenceError::OpenTransaction { producer_id: ProducerId(1), since: Offset(10) };
    assert_eq!(producers.check(&data(1, 0, 2, 1, 0, false)), Err(error));
    assert_eq!(producers.check(&data(1, 0, 2, 1, 0, true)), Ok(Verdict::New));
}

#[test]
fn a_producer_with_an_open_transaction_does_not_expire() {
    let mut producers = recorded(&[data(1, 0, 0, 2, 10, true)]);
    producers.expire(i64::MAX, 1);
    assert_eq!(producers.last_stable(Offset(50)), Offset(10));
    assert_eq!(producers.len(), 1);
}

#[test]
fn truncation_clears_what_it_cannot_restore() {
    let mut producers = recorded(&five());
    let before = producers.clone();
    assert_eq!(producers.truncate_from(Offset(115)), Truncated::Unchanged);
    assert_eq!(producers, before);
    assert_eq!(producers.truncate_from(Offset(114)), Truncated::Cleared);
    assert_eq!(producers, Producers::new());
}

#[test]
fn a_snapshot_is_kafkas_with_the_earlier_batches_behind_it() {
    let mut producers = recorded(&[data(7, 2, 0, 3, 100, false), data(7, 2, 3, 2, 103, true)]);
    let bytes = producers.to_snapshot();
    let mut body = vec![0, 0, 0, 1];
    body.extend(7i64.to_be_bytes());
    body.extend(2i16.to_be_bytes());
    body.extend(4i32.to_be_bytes()); // last sequence
    body.extend(104i64.to_be_bytes()); // last offset
    body.extend(1i32.to_be_bytes()); // offset delta
    body.extend(NOW.to_be_bytes());
    body.extend((-1i32).to_be_bytes()); // coordinator epoch
    body.extend(103i64.to_be_bytes()); // open since
    assert_eq!(&bytes[..2], [0, 1]);
    assert_eq!(&bytes[6..56], body, "what Kafka reads");
    let mut section = vec![0, 0, 0, 0, 0, 1];
    section.extend(7i64.to_be_bytes());
    section.extend(2i32.to_be_bytes());
    section.extend(102i64.to_be_bytes());
    section.extend(2i32.to_be_bytes());
    section.extend(NOW.to_be_bytes());
    assert_eq!(&bytes[56..], section);
    assert_eq!(reload(&producers, 105), producers);
    assert_eq!(producers.last_stable(Offset(105)), reload(&producers, 105).last_stable(Offset(105)));
}

/// A snapshot that Kafka wrote has nothing behind the producers.
#[test]
fn a_snapshot_of_kafkas_gives_the_last_batch() {
    let producers = recorded(&five());
    let mut bytes = producers.to_snapshot().to_vec();
    bytes.truncate(56);
    let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, &bytes[6..]) as u32;
    bytes[2..6].copy_from_slice(&crc.to_be_bytes());
    let loaded = Producers::from_snapshot(&bytes, Offset(115)).unwrap();
    assert!(matches!(loaded.check(&five()[4]), Ok(Verdict::Duplicate { .. })));
    assert!(matches!(loaded.check(&five()[3]), Err(SequenceError::OutOfOrder { .. })));
    assert_eq!(loaded.check(&data(7, 0, 15, 1, 0, false)), Ok(Verdict::New));
}

#[test]
fn a_producer_known_by_its_marker_alone_survives_a_snapshot() {
    let mut producers = Producers::new();
    let (batch, end) = marker(1, 4, 12, Decision::Commit);
    producers.record(&batch, end, NOW);
    assert_eq!(reload(&producers, 13), producers);
}

#[test]
fn damaged_snapshots_are_errors() {
    let bytes = recorded(&five()).to_snapshot();
    let parse = |bytes: &[u8]| Producers::from_snapshot(bytes, Offset(115));
    assert!(parse(&bytes).is_ok());
    assert!(matches!(Producers::from_snapshot(&bytes, Offset(114)), Err(SnapshotError::BadEntry(_))));
    for length in 0..bytes.len() {
        assert!(parse(&bytes[..length]).is_err(), "cut at {length}");
    }
    for at in 0..bytes.len() {
        let mut damaged = bytes.to_vec();
        damaged[at] ^= 0x10;
        assert!(parse(&damaged).is_err(), "damaged at {at}");
    }
    // A count beyond the bytes, under a CRC that agrees, must not size anything.
    let mut lying = vec![0, 1, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff];
    let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, &lying[6..]) as u32;
    lying[2..6].copy_from_slice(&crc.to_be_bytes());
    assert_eq!(parse(&lying), Err(SnapshotError::Truncated));
    assert_eq!(parse(&Bytes::from_static(&[0, 2])), Err(SnapshotError::UnknownVersion(2)));
}

proptest! {
    #[test]
    fn any_bytes_are_parsed_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Producers::from_snapshot(&bytes, Offset(i64::MAX));
        let mut sealed = vec![0, 1, 0, 0, 0, 0];
        sealed.extend(&bytes);
        let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, &bytes) as u32;
        sealed[2..6].copy_from_slice(&crc.to_be_bytes());
        let _ = Producers::from_snapshot(&sealed, Offset(i64::MAX));
    }
}
