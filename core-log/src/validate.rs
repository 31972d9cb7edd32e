//! What a producer may append: the checks between the wire and the log.
//!
//! Only header, CRC and, where they are not compressed, the records' framing are read. Records are decoded for one
//! reason alone: a compacted topic needs their keys. Order matters: what is cheap and certain first, so that a damaged
//! batch is called damaged, whatever its other fields then say.
//!
//! Kafka's counterpart is `LogValidator`, with the size and CRC checks of `UnifiedLog`.

use bytes::Bytes;

use protocol::{
    ProducerEpoch, ProducerId, Sequence,
    batch::{self, BatchError, BatchHeader, Compression, TimestampType},
};

/// "No timestamp" in a batch header; such records are not held against the clock.
const NO_TIMESTAMP: i64 = -1;

/// What a topic, and the version of the request, allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchRules {
    /// Of a whole batch, compressed as it is: `max.message.bytes`.
    pub max_bytes: usize,
    /// Of a batch's records, unpacked to look at their keys.
    pub decompressed_max_bytes: usize,
    /// Requests below version 7 must not carry zstd: their senders' consumers may not know it.
    pub zstd: bool,
    pub transactional: bool,
    /// Compaction needs keys.
    pub keys_required: bool,
    /// The log stamps append time, so the producer's timestamps do not count.
    pub append_time: bool,
    /// `message.timestamp.before.max.ms`
    pub before_max_ms: i64,
    /// `message.timestamp.after.max.ms`
    pub after_max_ms: i64,
}

/// Why a producer's batch is refused, and the Kafka error that says so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBatch {
    /// INVALID_RECORD: the request's frame was whole, so this is what the producer sent.
    #[error("the batch needs {needed} bytes, {found} were sent")]
    Truncated { needed: usize, found: usize },
    /// CORRUPT_MESSAGE: of impossible length, or with a wrong CRC. The producer sends it again.
    #[error(transparent)]
    Corrupt(BatchError),
    /// INVALID_RECORD: of a format before version 2.
    #[error("batches of magic {0} are not supported")]
    Magic(i8),
    /// INVALID_RECORD: a request carries one batch for each partition.
    #[error("{0} bytes follow the batch")]
    SeveralBatches(usize),
    /// MESSAGE_TOO_LARGE: the producer splits the batch.
    #[error("the batch has {size} bytes, the topic takes {max}")]
    TooLarge { size: usize, max: usize },
    /// INVALID_RECORD
    #[error("the batch counts {record_count} records and has {last_offset_delta} as last offset delta")]
    Count { record_count: i32, last_offset_delta: i32 },
    /// INVALID_RECORD: only transaction coordinators write control batches.
    #[error("a producer must not send a control batch")]
    Control,
    /// INVALID_RECORD: only compaction sets it.
    #[error("a producer must not set a delete horizon")]
    DeleteHorizon,
    /// INVALID_RECORD: a producer has an id, an epoch and a sequence, or none of them.
    #[error("producer {id}, epoch {epoch} and sequence {sequence} do not belong together")]
    Producer { id: ProducerId, epoch: ProducerEpoch, sequence: Sequence },
    /// UNSUPPORTED_FOR_MESSAGE_FORMAT, fatal to the producer: transactions are not offered here.
    #[error("transactional batches are not taken")]
    Transactional,
    /// INVALID_RECORD: a transaction belongs to a producer.
    #[error("a transactional batch has no producer id")]
    TransactionalWithoutProducer,
    /// UNSUPPORTED_COMPRESSION_TYPE
    #[error("compression {0} is not known")]
    UnknownCompression(u8),
    /// UNSUPPORTED_COMPRESSION_TYPE
    #[error("zstd needs version 7 of Produce")]
    ZstdTooEarly,
    /// INVALID_TIMESTAMP
    #[error("timestamp {timestamp} is not within [{earliest}, {latest}]")]
    Timestamp { timestamp: i64, earliest: i64, latest: i64 },
    /// INVALID_TIMESTAMP: append time is the log's to set.
    #[error("a producer must not say that it sets append time")]
    AppendTime,
    /// INVALID_RECORD: the records are not what the header says, or cannot be unpacked.
    #[error(transparent)]
    Records(BatchError),
    /// INVALID_RECORD, with a `record_errors` entry for each of these indices (KIP-467).
    #[error("{} records of a compacted topic have no key", .0.len())]
    RecordsWithoutKey(Vec<i32>),
}

/// Checks `batch`, which is all that a request carries for a partition. The base offset and leader epoch that
/// the producer put are not looked at: the log sets both.
pub fn validate(batch: &[u8], rules: &BatchRules, now_ms: i64) -> Result<BatchHeader, InvalidBatch> {
    let header = check_frame(batch, rules)?;
    batch::verify_crc(batch).map_err(InvalidBatch::Corrupt)?;
    check_counts_and_attributes(&header)?;
    check_producer(&header, rules)?;
    let compression = check_compression(&header, rules)?;
    check_timestamps(&header, rules, now_ms)?;
    if compression == Compression::None {
        batch::check_records(batch).map_err(InvalidBatch::Records)?;
    }
    if rules.keys_required {
        check_keys(batch, rules)?;
    }
    Ok(header)
}

/// One batch, no more and no less, of a size that the topic takes.
fn check_frame(batch: &[u8], rules: &BatchRules) -> Result<BatchHeader, InvalidBatch> {
    let header = BatchHeader::parse(batch).map_err(|error| match error {
        BatchError::UnsupportedMagic(magic) => InvalidBatch::Magic(magic),
        BatchError::Truncated { needed, found } => InvalidBatch::Truncated { needed, found },
        error => InvalidBatch::Corrupt(error),
    })?;
    let (size, max) = (header.size_bytes, rules.max_bytes);
    match batch.len().checked_sub(size) {
        None => Err(InvalidBatch::Truncated { needed: size, found: batch.len() }),
        Some(0) if size > max => Err(InvalidBatch::TooLarge { size, max }),
        Some(0) => Ok(header),
        Some(trailing) => Err(InvalidBatch::SeveralBatches(trailing)),
    }
}

fn check_counts_and_attributes(header: &BatchHeader) -> Result<(), InvalidBatch> {
    let BatchHeader { record_count, last_offset_delta, attributes, .. } = *header;
    if record_count < 1 || last_offset_delta != record_count - 1 {
        return Err(InvalidBatch::Count { record_count, last_offset_delta });
    }
    if attributes.is_control() {
        return Err(InvalidBatch::Control);
    }
    if attributes.has_delete_horizon() {
        return Err(InvalidBatch::DeleteHorizon);
    }
    Ok(())
}

fn check_producer(header: &BatchHeader, rules: &BatchRules) -> Result<(), InvalidBatch> {
    let (id, epoch, sequence) = (header.producer_id, header.producer_epoch, header.base_sequence);
    // Without a producer id Kafka never looks at the other two, and clients do not agree on what they put there.
    let complete = id > ProducerId::NONE && epoch > ProducerEpoch::NONE && sequence > Sequence::NONE;
    if id != ProducerId::NONE && !complete {
        return Err(InvalidBatch::Producer { id, epoch, sequence });
    }
    match header.attributes.is_transactional() {
        true if !rules.transactional => Err(InvalidBatch::Transactional),
        true if id == ProducerId::NONE => Err(InvalidBatch::TransactionalWithoutProducer),
        _ => Ok(()),
    }
}

fn check_compression(header: &BatchHeader, rules: &BatchRules) -> Result<Compression, InvalidBatch> {
    match header.attributes.compression() {
        Ok(Compression::Zstd) if !rules.zstd => Err(InvalidBatch::ZstdTooEarly),
        Ok(compression) => Ok(compression),
        Err(BatchError::UnknownCompression(code)) => Err(InvalidBatch::UnknownCompression(code)),
        Err(error) => Err(InvalidBatch::Corrupt(error)),
    }
}

/// Holds the latest timestamp against the clock, not each record's: that would need them unpacked.
fn check_timestamps(header: &BatchHeader, rules: &BatchRules, now_ms: i64) -> Result<(), InvalidBatch> {
    if header.attributes.timestamp_type() == TimestampType::LogAppendTime {
        return Err(InvalidBatch::AppendTime);
    }
    let timestamp = header.max_timestamp;
    if rules.append_time || timestamp == NO_TIMESTAMP {
        return Ok(());
    }
    let (earliest, latest) =
        (now_ms.saturating_sub(rules.before_max_ms), now_ms.saturating_add(rules.after_max_ms));
    if timestamp < earliest || timestamp > latest {
        return Err(InvalidBatch::Timestamp { timestamp, earliest, latest });
    }
    Ok(())
}

fn check_keys(batch: &[u8], rules: &BatchRules) -> Result<(), InvalidBatch> {
    let records = batch::records(&Bytes::copy_from_slice(batch), rules.decompressed_max_bytes);
    let mut without_key = Vec::new();
    for (index, record) in (0i32..).zip(records.map_err(InvalidBatch::Records)?) {
        if record.map_err(InvalidBatch::Records)?.key.is_none() {
            without_key.push(index);
        }
    }
    if without_key.is_empty() { Ok(()) } else { Err(InvalidBatch::RecordsWithoutKey(without_key)) }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use proptest::prelude::*;
    use protocol::batch::BatchBuilder;

    use super::*;

    const NOW: i64 = 1_000_000;

    fn rules() -> BatchRules {
        BatchRules {
            max_bytes: 10_000,
            decompressed_max_bytes: 10_000,
            zstd: true,
            transactional: false,
            keys_required: false,
            append_time: false,
            before_max_ms: i64::MAX,
            after_max_ms: 3_600_000,
        }
    }

    /// Two records, one with a key and one without.
    fn two() -> BatchBuilder {
        BatchBuilder::new().record(NOW, Some(b"k"), Some(b"v"), &[]).record(NOW + 1, None, Some(b"v"), &[])
    }

    fn check(batch: &[u8]) -> Result<BatchHeader, InvalidBatch> {
        validate(batch, &rules(), NOW)
    }

    /// `two`, with other bytes at `at`, and a CRC that agrees.
    fn patched(at: usize, bytes: &[u8]) -> BytesMut {
        let mut batch = two().build().unwrap();
        batch[at..at + bytes.len()].copy_from_slice(bytes);
        sealed(batch)
    }

    fn sealed(mut batch: BytesMut) -> BytesMut {
        if let Err(BatchError::BadCrc { computed, .. }) = batch::verify_crc(&batch) {
            batch[17..21].copy_from_slice(&computed.to_be_bytes());
        }
        batch
    }

    #[test]
    fn a_sound_batch_passes_whatever_its_codec() {
        for compression in
            [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd]
        {
            let batch = two().compression(compression).build().unwrap();
            assert_eq!(check(&batch), BatchHeader::parse(&batch).map_err(InvalidBatch::Corrupt));
        }
    }

    #[test]
    fn bytes_that_are_not_one_batch_are_refused() {
        let batch = two().build().unwrap();
        for cut in [0, 12, 60, batch.len() - 1] {
            assert!(matches!(check(&batch[..cut]), Err(InvalidBatch::Truncated { .. })));
        }
        let twice = [&batch[..], &batch[..]].concat();
        assert_eq!(check(&twice), Err(InvalidBatch::SeveralBatches(batch.len())));
        assert_eq!(check(&patched(16, &[1])), Err(InvalidBatch::Magic(1)));
        let short = check(&patched(8, &[0, 0, 0, 3]));
        assert_eq!(short, Err(InvalidBatch::Corrupt(BatchError::LengthTooSmall(3))));
    }

    #[test]
    fn a_damaged_batch_is_called_damaged_wherever_the_damage_is() {
        let batch = two().build().unwrap();
        for at in 21..batch.len() {
            let mut damaged = batch.clone();
            damaged[at] ^= 0x20;
            assert!(matches!(check(&damaged), Err(InvalidBatch::Corrupt(BatchError::BadCrc { .. }))), "{at}");
        }
    }

    #[test]
    fn the_size_limit_counts_the_whole_batch_as_sent() {
        let batch = two().build().unwrap();
        let size = batch.len();
        let with = |max_bytes| validate(&batch, &BatchRules { max_bytes, ..rules() }, NOW);
        assert!(with(size).is_ok());
        assert_eq!(with(size - 1), Err(InvalidBatch::TooLarge { size, max: size - 1 }));
    }

    #[test]
    fn counts_must_agree_and_be_positive() {
        for (record_count, last_offset_delta) in
            [(0, -1), (0, 0), (-1, -2), (2, 2), (2, 0), (i32::MIN, i32::MAX)]
        {
            let mut batch = patched(57, &i32::to_be_bytes(record_count));
            batch[23..27].copy_from_slice(&i32::to_be_bytes(last_offset_delta));
            let error = InvalidBatch::Count { record_count, last_offset_delta };
            assert_eq!(check(&sealed(batch)), Err(error));
        }
    }

    #[test]
    fn records_of_an_uncompressed_batch_must_be_as_many_as_counted() {
        let mut batch = patched(57, &3i32.to_be_bytes());
        batch[23..27].copy_from_slice(&2i32.to_be_bytes());
        assert!(matches!(check(&sealed(batch)), Err(InvalidBatch::Records(_))));
    }

    #[test]
    fn attributes_that_are_not_a_producers_are_refused() {
        let with = |attributes: i16| check(&patched(21, &attributes.to_be_bytes()));
        assert_eq!(with(0b10_0000), Err(InvalidBatch::Control));
        assert_eq!(with(0b100_0000), Err(InvalidBatch::DeleteHorizon));
        assert_eq!(with(0b1000), Err(InvalidBatch::AppendTime));
        for unknown in 5..8 {
            assert_eq!(with(unknown), Err(InvalidBatch::UnknownCompression(unknown as u8)));
        }
    }

    #[test]
    fn zstd_needs_a_late_enough_request() {
        let early = BatchRules { zstd: false, ..rules() };
        let zstd = two().compression(Compression::Zstd).build().unwrap();
        assert_eq!(validate(&zstd, &early, NOW), Err(InvalidBatch::ZstdTooEarly));
        assert!(validate(&two().compression(Compression::Lz4).build().unwrap(), &early, NOW).is_ok());
    }

    #[test]
    fn a_producer_id_needs_an_epoch_and_a_sequence() {
        for (id, epoch, sequence, sound) in [
            (7, 0, 0, true),
            (7, 3, i32::MAX, true),
            (-1, -1, -1, true),
            // Without an id the others do not matter, as in Kafka.
            (-1, 0, 0, true),
            (7, -1, 0, false),
            (7, 0, -1, false),
            (7, 0, -2, false),
            (-2, 0, 0, false),
        ] {
            let (id, epoch, sequence) = (ProducerId(id), ProducerEpoch(epoch), Sequence(sequence));
            let found = check(&two().producer(id, epoch, sequence).build().unwrap());
            match sound {
                true => assert!(found.is_ok(), "{id} {epoch} {sequence}: {found:?}"),
                false => assert_eq!(found, Err(InvalidBatch::Producer { id, epoch, sequence })),
            }
        }
    }

    #[test]
    fn transactions_need_leave_and_a_producer() {
        let batch =
            two().producer(ProducerId(7), ProducerEpoch(0), Sequence(0)).transactional().build().unwrap();
        let offered = BatchRules { transactional: true, ..rules() };
        assert_eq!(check(&batch), Err(InvalidBatch::Transactional));
        assert!(validate(&batch, &offered, NOW).is_ok());
        let nobodys = two().transactional().build().unwrap();
        assert_eq!(validate(&nobodys, &offered, NOW), Err(InvalidBatch::TransactionalWithoutProducer));
    }

    #[test]
    fn the_latest_timestamp_lies_in_the_window() {
        let window = BatchRules { before_max_ms: 100, after_max_ms: 50, ..rules() };
        let at = |timestamp: i64| {
            let batch = BatchBuilder::new().record(timestamp, None, None, &[]).build().unwrap();
            validate(&batch, &window, NOW).map(|_| ())
        };
        let (earliest, latest) = (NOW - 100, NOW + 50);
        let outside = |timestamp| Err(InvalidBatch::Timestamp { timestamp, earliest, latest });
        for inside in [earliest, NOW, latest, NO_TIMESTAMP] {
            assert_eq!(at(inside), Ok(()));
        }
        for timestamp in [earliest - 1, latest + 1, 0, -2, i64::MIN, i64::MAX] {
            assert_eq!(at(timestamp), outside(timestamp));
        }
        let stamped = BatchRules { append_time: true, ..window };
        let old = BatchBuilder::new().record(0, None, None, &[]).build().unwrap();
        assert!(validate(&old, &stamped, NOW).is_ok(), "the log stamps its own time");
    }

    #[test]
    fn compacted_topics_name_the_records_without_a_key() {
        let compacted = BatchRules { keys_required: true, ..rules() };
        let keyed = BatchBuilder::new().record(NOW, Some(b""), None, &[]);
        for compression in [Compression::None, Compression::Zstd] {
            let batch = two().record(NOW, None, None, &[]).compression(compression).build().unwrap();
            let error = InvalidBatch::RecordsWithoutKey(vec![1, 2]);
            assert_eq!(validate(&batch, &compacted, NOW), Err(error));
            let batch = keyed.clone().compression(compression).build().unwrap();
            assert!(validate(&batch, &compacted, NOW).is_ok(), "an empty key is a key");
        }
    }

    #[test]
    fn a_compacted_topic_unpacks_no_more_than_it_may() {
        let compacted = BatchRules { keys_required: true, decompressed_max_bytes: 5_000, ..rules() };
        let bomb = BatchBuilder::new()
            .record(NOW, Some(b"k"), Some(&[0; 50_000]), &[])
            .compression(Compression::Zstd)
            .build()
            .unwrap();
        let error = InvalidBatch::Records(BatchError::DecompressedTooLarge { limit: 5_000 });
        assert_eq!(validate(&bomb, &compacted, NOW), Err(error));
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged_without_panic(
            edits in prop::collection::vec((0..90usize, any::<u8>()), 0..6),
            keys_required in any::<bool>(),
        ) {
            let mut batch = two().build().unwrap();
            for (at, byte) in edits {
                let at = at % batch.len();
                batch[at] = byte;
            }
            let rules = BatchRules { keys_required, transactional: true, ..rules() };
            let _ = validate(&sealed(batch), &rules, NOW);
        }
    }
}
