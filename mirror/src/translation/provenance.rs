//! Where a relayed batch came from, written in the batch.
//!
//! A batch on its way into a merged topic gets other producer fields: as producer id the one that was allocated for this
//! link, source topic and partition; as base sequence the lower 31 bits of its base offset at the source, as producer
//! epoch the 15 bits above. The data and its origin reach the log in one write, so after a crash the log itself says what
//! was mirrored ([`super::reconcile()`]), whatever was trimmed or skipped before it. The records stay the bytes the
//! producer sent.

use protocol::{
    Offset, ProducerEpoch, ProducerId, Sequence,
    batch::{self, BatchError, BatchHeader},
};

use crate::position::{Position, SourceOffset};

const SEQUENCE_BITS: u32 = 31;
/// Sequence and epoch together wrap here: a partition that takes a million records a second does so after two years.
const OFFSETS: i64 = 1 << (SEQUENCE_BITS + 15);

/// The longest gap at the source, in offsets, between two relayed batches that follow each other. A batch that seems
/// further on lies in truth before what it follows.
pub const SOURCE_GAP_MAX: i64 = OFFSETS / 2 - 1;

/// What is to be done with a source batch on its way into a merged topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relay {
    /// Append it at the target, stamped.
    Batch,
    /// A marker of the source's own transactions: it has no place at the target, and its offsets map forward.
    Skip,
    /// Part of a transaction, which the target could not keep whole.
    Transactional,
}

impl Relay {
    pub fn of(header: &BatchHeader) -> Self {
        match header.attributes {
            attributes if attributes.is_control() => Self::Skip,
            attributes if attributes.is_transactional() => Self::Transactional,
            _ => Self::Batch,
        }
    }
}

/// Turns a source batch, still at its source offset, into one that says where it came from. The CRC is carried over
/// instead of computed anew: a batch damaged since it was checked stays recognisable.
pub fn stamp(batch: &mut [u8], provenance: ProducerId) -> Result<(), BatchError> {
    let header = BatchHeader::parse(batch)?;
    let (epoch, sequence) = origin_of(Position::new(header.base_offset));
    batch::set_producer(batch, provenance, epoch, sequence);
    Ok(())
}

/// Whether a batch of the target log was relayed under this provenance.
pub fn is_from(header: &BatchHeader, provenance: ProducerId) -> bool {
    header.producer_id == provenance && provenance != ProducerId::NONE
}

/// Producer epoch and base sequence of a batch whose base offset at the source is `source`.
pub fn origin_of(source: SourceOffset) -> (ProducerEpoch, Sequence) {
    let offset = source.offset().0.rem_euclid(OFFSETS);
    let (epoch, sequence) = (offset >> SEQUENCE_BITS, offset & i64::from(i32::MAX));
    // 15 and 31 bits.
    (ProducerEpoch(i16::try_from(epoch).unwrap_or(0)), Sequence(i32::try_from(sequence).unwrap_or(0)))
}

/// The source offset that a batch's producer epoch and base sequence stand for if it follows `end`; `None` when it cannot.
pub fn source_of((epoch, sequence): (ProducerEpoch, Sequence), end: SourceOffset) -> Option<SourceOffset> {
    let Offset(end_offset) = end.offset();
    let offset = (i64::from(epoch.0) << SEQUENCE_BITS) + i64::from(sequence.0);
    let gap = (offset - end_offset.rem_euclid(OFFSETS)).rem_euclid(OFFSETS);
    (epoch.0 >= 0 && sequence.0 >= 0 && gap <= SOURCE_GAP_MAX).then(|| end.plus(gap))
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use proptest::prelude::*;

    use protocol::batch::{BatchBuilder, Compression, HEADER_SIZE, verify_crc};

    use super::*;

    const LINK: ProducerId = ProducerId(1001);

    fn source_batch(base: i64, compression: Compression) -> BytesMut {
        BatchBuilder::new()
            .compression(compression)
            .base_offset(Offset(base))
            .producer(ProducerId(7), ProducerEpoch(3), Sequence(12))
            .record(5, Some(b"key"), Some(&[b'v'; 300]), &[])
            .record(6, None, Some(b"other"), &[(b"h", None)])
            .build()
            .unwrap()
    }

    #[test]
    fn stamping_changes_the_producer_fields_and_the_crc_and_nothing_else() {
        for compression in [Compression::None, Compression::Lz4, Compression::Zstd] {
            let source = source_batch((5 << 31) + 77, compression);
            let mut relayed = source.clone();
            stamp(&mut relayed, LINK).unwrap();
            let (before, after) =
                (BatchHeader::parse(&source).unwrap(), BatchHeader::parse_whole(&relayed).unwrap());
            assert_eq!(
                (after.producer_id, after.producer_epoch, after.base_sequence),
                (LINK, ProducerEpoch(5), Sequence(77))
            );
            assert!(is_from(&after, LINK) && !is_from(&before, LINK));
            let (producer_id, producer_epoch, base_sequence) =
                (before.producer_id, before.producer_epoch, before.base_sequence);
            assert_eq!(
                BatchHeader { crc: before.crc, producer_id, producer_epoch, base_sequence, ..after },
                before
            );
            assert_eq!(relayed[HEADER_SIZE..], source[HEADER_SIZE..]);
        }
    }

    #[test]
    fn a_batch_damaged_before_it_is_stamped_does_not_get_a_valid_crc() {
        let mut batch = source_batch(9, Compression::None);
        batch[HEADER_SIZE + 20] ^= 4;
        stamp(&mut batch, LINK).unwrap();
        assert!(verify_crc(&batch).is_err());
    }

    #[test]
    fn no_producer_id_is_no_provenance() {
        let local = BatchBuilder::new().record(0, None, None, &[]).build().unwrap();
        assert!(!is_from(&BatchHeader::parse(&local).unwrap(), ProducerId::NONE));
        assert!(stamp(&mut [0; 60], LINK).is_err());
    }

    #[test]
    fn markers_are_skipped_and_transactions_are_not_relayed() {
        let build = |builder: BatchBuilder| {
            BatchHeader::parse(&builder.record(0, None, None, &[]).build().unwrap()).unwrap()
        };
        assert_eq!(Relay::of(&build(BatchBuilder::new())), Relay::Batch);
        assert_eq!(Relay::of(&build(BatchBuilder::new().transactional())), Relay::Transactional);
        assert_eq!(Relay::of(&build(BatchBuilder::new().transactional().control())), Relay::Skip);
    }

    #[test]
    fn what_seems_further_than_the_longest_gap_lies_before() {
        let end = SourceOffset::new(Offset((1 << 46) + (7 << 31) + 10));
        let source_at = |epoch, sequence| source_of((ProducerEpoch(epoch), Sequence(sequence)), end);
        assert_eq!(source_at(7, 10), Some(end));
        assert_eq!(source_at(8, 10), Some(end.plus(1 << 31)));
        assert_eq!(source_of(origin_of(end.plus(SOURCE_GAP_MAX)), end), Some(end.plus(SOURCE_GAP_MAX)));
        assert_eq!(source_of(origin_of(end.plus(SOURCE_GAP_MAX + 1)), end), None);
        assert_eq!((source_at(7, 9), source_at(6, 10)), (None, None));
        assert_eq!((source_at(7, -1), source_at(-1, 10)), (None, None));
    }

    proptest! {
        #[test]
        fn an_origin_gives_back_its_offset(end in 0..i64::MAX / 2, gap in 0..=SOURCE_GAP_MAX) {
            let end = SourceOffset::new(Offset(end));
            prop_assert_eq!(source_of(origin_of(end.plus(gap)), end), Some(end.plus(gap)));
        }
    }
}
