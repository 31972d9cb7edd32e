//! The records of a batch, for the few requests that ask about single records.
//!
//! Both walks hold the records against the header: as many as it counts, offset deltas ascending up to its last
//! one, and nothing behind them. They do not check the CRC; [`super::verify_crc`] does.

use bytes::{Buf, Bytes};

use super::{BatchError, BatchHeader, Compression, HEADER_SIZE, TimestampType, compress, wire};
use crate::ids::Offset;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub offset: Offset,
    pub timestamp: i64,
    pub key: Option<Bytes>,
    pub value: Option<Bytes>,
    pub headers: Vec<RecordHeader>,
}

/// Keys may repeat within a record and need not be UTF-8.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordHeader {
    pub key: Bytes,
    pub value: Option<Bytes>,
}

/// Iterates the records of exactly one batch, header included. Compressed records are unpacked first, to at most
/// `decompressed_max` bytes; others come out as slices of `batch`.
///
/// Gaps between offsets are allowed: compaction leaves them.
pub fn records(batch: &Bytes, decompressed_max: usize) -> Result<Records, BatchError> {
    let header = BatchHeader::parse_length(batch)?;
    let packed = batch.slice(HEADER_SIZE..);
    let bytes = match header.attributes.compression()? {
        // Compaction leaves headers without records, and no codec makes nothing of nothing.
        _ if packed.is_empty() => packed,
        Compression::None => packed,
        compression => compress::decompress(compression, &packed, decompressed_max)?,
    };
    let left = usize::try_from(header.record_count)
        .map_err(|_| BatchError::BadRecords("the record count is negative"))?;
    Ok(Records { header, bytes, left, next_delta: 0 })
}

/// The iterator of [`records`]. After an error it is at its end.
#[derive(Debug, Clone)]
pub struct Records {
    header: BatchHeader,
    /// Not yet read.
    bytes: Bytes,
    /// Records still to come, by the header's count.
    left: usize,
    /// The smallest offset delta that the next record may have; wide, for the one after `i32::MAX`.
    next_delta: i64,
}

impl Iterator for Records {
    type Item = Result<Record, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 && self.bytes.is_empty() {
            return None;
        }
        let record = self.read();
        if record.is_err() {
            self.left = 0;
            self.bytes.clear();
        }
        Some(record)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        // The count is the peer's word, so it must not size what collects us; each record takes seven bytes or more.
        (0, Some(self.left.min(self.bytes.len() / RECORD_SIZE_MIN).saturating_add(1)))
    }
}

impl std::iter::FusedIterator for Records {}

impl Records {
    fn read(&mut self) -> Result<Record, BatchError> {
        if self.left == 0 {
            return Err(BatchError::BadRecords("bytes follow the last record"));
        }
        let mut rest = &self.bytes[..];
        let mut headers = Vec::new();
        let slices = wire::take(&mut rest, |count, (key, value)| {
            if headers.is_empty() {
                headers.reserve_exact(count);
            }
            headers.push(RecordHeader {
                key: self.bytes.slice_ref(key),
                value: value.map(|value| self.bytes.slice_ref(value)),
            });
        })?;
        let delta = i64::from(slices.offset_delta);
        if delta < self.next_delta || delta > self.header.last_offset_delta.into() {
            return Err(BatchError::BadRecords("offset deltas do not ascend within the batch"));
        }
        let record = Record {
            offset: self.header.base_offset.plus(delta),
            timestamp: timestamp(&self.header, slices.timestamp_delta),
            key: slices.key.map(|key| self.bytes.slice_ref(key)),
            value: slices.value.map(|value| self.bytes.slice_ref(value)),
            headers,
        };
        let read = self.bytes.len() - rest.len();
        self.bytes.advance(read);
        self.left -= 1;
        self.next_delta = delta + 1;
        Ok(record)
    }
}

/// Walks the records of an *uncompressed* batch without allocating: there is at least one, they are as many as the
/// header counts, their offsets are consecutive, and their lengths end where the batch ends. What a producer may send.
pub fn check_records(batch: &[u8]) -> Result<(), BatchError> {
    let header = BatchHeader::parse_length(batch)?;
    if header.attributes.compression()? != Compression::None {
        return Err(BatchError::BadRecords("the records are compressed"));
    }
    if header.record_count < 1 {
        return Err(BatchError::BadRecords("there are none"));
    }
    if header.last_offset_delta != header.record_count - 1 {
        return Err(BatchError::BadRecords("the record count and the last offset delta disagree"));
    }
    let mut rest = batch.get(HEADER_SIZE..).unwrap_or_default();
    for delta in 0..header.record_count {
        if wire::take(&mut rest, |_, _| ())?.offset_delta != delta {
            return Err(BatchError::BadRecords("offset deltas are not consecutive from 0"));
        }
    }
    if !rest.is_empty() {
        return Err(BatchError::BadRecords("bytes follow the last record"));
    }
    Ok(())
}

/// Length, attributes, two deltas, two lengths and a header count, of a byte each.
const RECORD_SIZE_MIN: usize = 7;

fn timestamp(header: &BatchHeader, delta: i64) -> i64 {
    match header.attributes.timestamp_type() {
        // Wraps, as in Kafka: a nonsensical timestamp must not make a stored batch unreadable.
        TimestampType::CreateTime => header.base_timestamp.wrapping_add(delta),
        TimestampType::LogAppendTime => header.max_timestamp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        batch::{BatchBuilder, stamp_append_time},
        ids::{LeaderEpoch, ProducerEpoch, ProducerId, Sequence},
    };

    const ALL: [Compression; 5] =
        [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd];
    const LIMIT: usize = 1 << 20;

    fn three(compression: Compression) -> BatchBuilder {
        BatchBuilder::new()
            .compression(compression)
            .base_offset(Offset(40))
            .record(
                1_000,
                Some(b"a"),
                Some(&[7; 5_000]),
                &[(b"h", Some(b"1")), (b"h", None), (b"\xff", None)],
            )
            .record(990, None, Some(b""), &[])
            .record(1_020, Some(b""), None, &[])
    }

    fn fix(batch: &mut [u8], at: usize, bytes: &[u8]) {
        batch[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn last_error(batch: &[u8]) -> BatchError {
        let mut all = records(&Bytes::copy_from_slice(batch), LIMIT).unwrap();
        let error = all.find_map(Result::err).unwrap();
        assert_eq!(all.next(), None, "fused after an error");
        error
    }

    #[test]
    fn records_come_back_as_they_were_built_whatever_the_codec() {
        for compression in ALL {
            let batch = three(compression).build().unwrap().freeze();
            let header = BatchHeader::parse_whole(&batch).unwrap();
            assert_eq!(header.attributes.compression(), Ok(compression));
            assert_eq!((header.record_count, header.last_offset_delta), (3, 2));
            assert_eq!((header.base_timestamp, header.max_timestamp), (1_000, 1_020));
            let all: Vec<_> = records(&batch, LIMIT).unwrap().collect::<Result<_, _>>().unwrap();
            assert_eq!(all.iter().map(|record| record.offset.0).collect::<Vec<_>>(), [40, 41, 42]);
            assert_eq!(all.iter().map(|record| record.timestamp).collect::<Vec<_>>(), [1_000, 990, 1_020]);
            assert_eq!(all[0].value.as_deref(), Some(&[7; 5_000][..]));
            let header = |key: &'static [u8], value: Option<&'static [u8]>| RecordHeader {
                key: Bytes::from_static(key),
                value: value.map(Bytes::from_static),
            };
            assert_eq!(all[0].headers, [header(b"h", Some(b"1")), header(b"h", None), header(b"\xff", None)]);
            assert_eq!((all[1].key.as_deref(), all[1].value.as_deref()), (None, Some(&b""[..])));
            assert_eq!((all[2].key.as_deref(), all[2].value.as_deref()), (Some(&b""[..]), None));
        }
    }

    #[test]
    fn uncompressed_records_are_slices_of_the_batch() {
        let batch = three(Compression::None).build().unwrap().freeze();
        let value = records(&batch, 0).unwrap().next().unwrap().unwrap().value.unwrap();
        assert!(batch.as_ptr_range().contains(&value.as_ptr()));
    }

    #[test]
    fn decompression_stops_at_the_limit() {
        for compression in ALL {
            let batch =
                BatchBuilder::new().compression(compression).record(0, None, Some(&[0; 100_000]), &[]);
            let batch = batch.build().unwrap().freeze();
            let whole = batch.slice(HEADER_SIZE..).len();
            match compression {
                Compression::None => assert_eq!(records(&batch, 0).unwrap().count(), 1),
                _ => {
                    assert!(whole < 10_000, "{compression:?} did not compress");
                    let refused = records(&batch, 99_999).unwrap_err();
                    assert_eq!(refused, BatchError::DecompressedTooLarge { limit: 99_999 });
                    assert_eq!(records(&batch, 100_020).unwrap().count(), 1);
                }
            }
        }
    }

    #[test]
    fn log_append_time_gives_every_record_the_max_timestamp() {
        let mut batch = three(Compression::Lz4).build().unwrap();
        stamp_append_time(&mut batch, 77_777);
        let batch = batch.freeze();
        let header = BatchHeader::parse_whole(&batch).unwrap();
        assert_eq!(header.attributes.timestamp_type(), TimestampType::LogAppendTime);
        assert_eq!(header.attributes.compression(), Ok(Compression::Lz4));
        assert!(records(&batch, LIMIT).unwrap().all(|record| record.unwrap().timestamp == 77_777));
    }

    #[test]
    fn the_builder_writes_the_fields_it_is_given() {
        let batch = three(Compression::None)
            .leader_epoch(LeaderEpoch(5))
            .producer(ProducerId(9), ProducerEpoch(2), Sequence(11))
            .timestamp_type(TimestampType::LogAppendTime)
            .transactional()
            .control()
            .build()
            .unwrap();
        let header = BatchHeader::parse_whole(&batch).unwrap();
        assert_eq!(header.leader_epoch, LeaderEpoch(5));
        assert_eq!(header.producer_id, ProducerId(9));
        assert_eq!(header.producer_epoch, ProducerEpoch(2));
        assert_eq!((header.base_sequence, header.last_sequence()), (Sequence(11), Sequence(13)));
        assert_eq!(header.attributes.timestamp_type(), TimestampType::LogAppendTime);
        assert!(header.attributes.is_transactional() && header.attributes.is_control());
        assert!(!header.attributes.has_delete_horizon());
    }

    #[test]
    fn the_base_timestamp_is_the_first_and_the_max_the_largest() {
        let batch =
            [20, 50, 10].iter().fold(BatchBuilder::new(), |batch, &at| batch.record(at, None, None, &[]));
        let batch = batch.build().unwrap().freeze();
        let header = BatchHeader::parse(&batch).unwrap();
        assert_eq!((header.base_timestamp, header.max_timestamp), (20, 50));
        let timestamps: Vec<_> =
            records(&batch, 0).unwrap().map(|record| record.unwrap().timestamp).collect();
        assert_eq!(timestamps, [20, 50, 10]);
    }

    #[test]
    fn a_batch_of_no_records_is_not_built() {
        assert!(matches!(BatchBuilder::new().build(), Err(BatchError::BadRecords(_))));
    }

    #[test]
    fn a_producers_batch_passes_the_check_and_a_compressed_one_does_not() {
        check_records(&three(Compression::None).build().unwrap()).unwrap();
        let refused = check_records(&three(Compression::Zstd).build().unwrap());
        assert_eq!(refused, Err(BatchError::BadRecords("the records are compressed")));
    }

    #[test]
    fn a_count_that_disagrees_is_refused() {
        for wrong in [2i32, 4, i32::MAX] {
            let mut batch = three(Compression::None).build().unwrap();
            fix(&mut batch, 57, &wrong.to_be_bytes());
            assert!(matches!(last_error(&batch), BatchError::BadRecords(_)));
            check_records(&batch).unwrap_err();
            // With a last offset delta that agrees, only the walk can tell.
            fix(&mut batch, 23, &(wrong - 1).to_be_bytes());
            assert!(matches!(last_error(&batch), BatchError::BadRecords(_)));
            check_records(&batch).unwrap_err();
        }
        for wrong in [0i32, -1] {
            let mut batch = three(Compression::None).build().unwrap();
            fix(&mut batch, 57, &wrong.to_be_bytes());
            check_records(&batch).unwrap_err();
        }
    }

    #[test]
    fn gaps_are_read_but_not_accepted_from_producers() {
        let mut batch =
            BatchBuilder::new().record(0, None, None, &[]).record(0, None, None, &[]).build().unwrap();
        // The second record's offset delta: 1 becomes 5. Each record takes seven bytes.
        fix(&mut batch, 61 + 7 + 3, &[10]);
        fix(&mut batch, 23, &5i32.to_be_bytes());
        let offsets: Vec<_> =
            records(&batch.clone().freeze(), 0).unwrap().map(|record| record.unwrap().offset.0).collect();
        assert_eq!(offsets, [0, 5]);
        check_records(&batch).unwrap_err();
        // Beyond the header's last offset, or twice the same, is refused by both.
        fix(&mut batch, 23, &4i32.to_be_bytes());
        last_error(&batch);
        fix(&mut batch, 61 + 7 + 3, &[0]);
        last_error(&batch);
    }

    #[test]
    fn a_batch_whose_records_were_all_compacted_away_has_none() {
        for compression in ALL {
            let mut batch = three(compression).build().unwrap();
            batch.truncate(HEADER_SIZE);
            fix(&mut batch, 8, &49i32.to_be_bytes());
            assert!(matches!(last_error(&batch), BatchError::BadRecords(_)), "it still counts three");
            fix(&mut batch, 57, &0i32.to_be_bytes());
            assert_eq!(records(&batch.freeze(), LIMIT).unwrap().count(), 0);
        }
    }

    #[test]
    fn bytes_after_the_records_or_the_batch_are_refused() {
        let mut batch = three(Compression::None).build().unwrap();
        batch.extend_from_slice(&[0]);
        assert_eq!(check_records(&batch), Err(BatchError::TrailingBytes(1)));
        assert_eq!(records(&batch.clone().freeze(), 0).unwrap_err(), BatchError::TrailingBytes(1));
        let length = i32::try_from(batch.len() - 12).unwrap();
        fix(&mut batch, 8, &length.to_be_bytes());
        assert_eq!(check_records(&batch), Err(BatchError::BadRecords("bytes follow the last record")));
        assert_eq!(last_error(&batch), BatchError::BadRecords("bytes follow the last record"));
    }

    #[test]
    fn a_cut_batch_is_refused_at_every_length() {
        let whole = three(Compression::None).build().unwrap();
        for length in 0..whole.len() {
            records(&Bytes::copy_from_slice(&whole[..length]), 0).unwrap_err();
            check_records(&whole[..length]).unwrap_err();
        }
    }
}
