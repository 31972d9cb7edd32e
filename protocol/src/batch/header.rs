//! The batch header, read without touching the records.
//!
//! ```text
//!  0 base offset i64      8 length i32 (of what follows)   12 partition leader epoch i32   16 magic i8
//! 17 crc u32 (CRC-32C of all from 21)   21 attributes i16  23 last offset delta i32
//! 27 base timestamp i64  35 max timestamp i64  43 producer id i64  51 producer epoch i16  53 base sequence i32
//! 57 record count i32    61 records
//! ```

use bytes::Buf;

use crate::ids::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Sequence};

pub const HEADER_SIZE: usize = 61;
/// The only format version there is since Kafka 4.0 (KIP-724).
pub const MAGIC: i8 = 2;
/// Base offset and length: they stand before what the length counts.
pub(super) const LENGTH_OVERHEAD: usize = 12;
const CRC_AT: usize = 17;
const CRC_COVERS_FROM: usize = 21;
const ATTRIBUTES_AT: usize = 21;
const MAX_TIMESTAMP_AT: usize = 35;
const PRODUCER_AT: usize = 43;

/// Why bytes are not a batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    #[error("a batch needs {needed} bytes but {found} are there")]
    Truncated { needed: usize, found: usize },
    #[error("batch length {0} is smaller than a header")]
    LengthTooSmall(i32),
    #[error("magic {0} is not 2")]
    UnsupportedMagic(i8),
    #[error("CRC is {computed:#010x}, the header says {stored:#010x}")]
    BadCrc { stored: u32, computed: u32 },
    #[error("compression {0} is not known")]
    UnknownCompression(u8),
    #[error("{0} bytes follow the batch")]
    TrailingBytes(usize),
    #[error("the records are malformed: {0}")]
    BadRecords(&'static str),
    #[error("decompressed records exceed {limit} bytes")]
    DecompressedTooLarge { limit: usize },
}

/// How the records are compressed: the low three attribute bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compression {
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimestampType {
    /// Record timestamps are the producer's.
    CreateTime,
    /// Every record carries the batch's max timestamp, set by the broker at append.
    LogAppendTime,
}

/// A batch's attribute bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attributes(pub i16);

impl Attributes {
    const COMPRESSION: i16 = 0b0000_0111;
    const LOG_APPEND_TIME: i16 = 0b0000_1000;
    const TRANSACTIONAL: i16 = 0b0001_0000;
    const CONTROL: i16 = 0b0010_0000;
    const DELETE_HORIZON: i16 = 0b0100_0000;

    pub(super) fn new(
        compression: Compression,
        timestamp_type: TimestampType,
        transactional: bool,
        control: bool,
    ) -> Self {
        let compression = match compression {
            Compression::None => 0,
            Compression::Gzip => 1,
            Compression::Snappy => 2,
            Compression::Lz4 => 3,
            Compression::Zstd => 4,
        };
        let flag = |set: bool, bit: i16| if set { bit } else { 0 };
        Self(
            compression
                | flag(timestamp_type == TimestampType::LogAppendTime, Self::LOG_APPEND_TIME)
                | flag(transactional, Self::TRANSACTIONAL)
                | flag(control, Self::CONTROL),
        )
    }

    pub fn compression(self) -> Result<Compression, BatchError> {
        match self.0 & Self::COMPRESSION {
            0 => Ok(Compression::None),
            1 => Ok(Compression::Gzip),
            2 => Ok(Compression::Snappy),
            3 => Ok(Compression::Lz4),
            4 => Ok(Compression::Zstd),
            other => Err(BatchError::UnknownCompression(other as u8)),
        }
    }

    pub fn timestamp_type(self) -> TimestampType {
        match self.0 & Self::LOG_APPEND_TIME {
            0 => TimestampType::CreateTime,
            _ => TimestampType::LogAppendTime,
        }
    }

    pub fn is_transactional(self) -> bool {
        self.0 & Self::TRANSACTIONAL != 0
    }

    /// A control batch holds one transaction marker and no data.
    pub fn is_control(self) -> bool {
        self.0 & Self::CONTROL != 0
    }

    /// Base timestamp is the time from which compaction may drop tombstones (KIP-534).
    pub fn has_delete_horizon(self) -> bool {
        self.0 & Self::DELETE_HORIZON != 0
    }
}

/// A parsed header. Its numbers are what the bytes say; [`BatchHeader::parse`] has checked only the layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchHeader {
    pub base_offset: Offset,
    /// Of the whole batch, header included.
    pub size_bytes: usize,
    pub leader_epoch: LeaderEpoch,
    pub crc: u32,
    pub attributes: Attributes,
    /// Last offset minus base offset; not the record count less one once a batch was compacted.
    pub last_offset_delta: i32,
    pub base_timestamp: i64,
    pub max_timestamp: i64,
    pub producer_id: ProducerId,
    pub producer_epoch: ProducerEpoch,
    pub base_sequence: Sequence,
    pub record_count: i32,
}

impl BatchHeader {
    /// Reads the header at the start of `bytes`, which may hold more, or less, than the batch.
    pub fn parse(bytes: &[u8]) -> Result<Self, BatchError> {
        let Some(mut at) = bytes.get(..HEADER_SIZE) else {
            return Err(BatchError::Truncated { needed: HEADER_SIZE, found: bytes.len() });
        };
        let base_offset = Offset(at.get_i64());
        let length = at.get_i32();
        let leader_epoch = LeaderEpoch(at.get_i32());
        let magic = at.get_i8();
        if magic != MAGIC {
            return Err(BatchError::UnsupportedMagic(magic));
        }
        let size_bytes = usize::try_from(length).unwrap_or(0).saturating_add(LENGTH_OVERHEAD);
        if length < 0 || size_bytes < HEADER_SIZE {
            return Err(BatchError::LengthTooSmall(length));
        }
        Ok(Self {
            base_offset,
            size_bytes,
            leader_epoch,
            crc: at.get_u32(),
            attributes: Attributes(at.get_i16()),
            last_offset_delta: at.get_i32(),
            base_timestamp: at.get_i64(),
            max_timestamp: at.get_i64(),
            producer_id: ProducerId(at.get_i64()),
            producer_epoch: ProducerEpoch(at.get_i16()),
            base_sequence: Sequence(at.get_i32()),
            record_count: at.get_i32(),
        })
    }

    /// Like [`Self::parse`], and the bytes are exactly this one batch, with the CRC it says.
    pub fn parse_whole(bytes: &[u8]) -> Result<Self, BatchError> {
        let header = Self::parse_length(bytes)?;
        verify_crc(bytes).map(|()| header)
    }

    /// Like [`Self::parse`], and the bytes are as long as this one batch.
    pub(super) fn parse_length(bytes: &[u8]) -> Result<Self, BatchError> {
        let header = Self::parse(bytes)?;
        match bytes.len().checked_sub(header.size_bytes) {
            None => Err(BatchError::Truncated { needed: header.size_bytes, found: bytes.len() }),
            Some(0) => Ok(header),
            Some(trailing) => Err(BatchError::TrailingBytes(trailing)),
        }
    }

    pub fn last_offset(&self) -> Offset {
        self.base_offset.plus(i64::from(self.last_offset_delta))
    }

    /// The offset after the batch.
    pub fn next_offset(&self) -> Offset {
        self.last_offset().plus(1)
    }

    pub fn has_producer_id(&self) -> bool {
        self.producer_id != ProducerId::NONE
    }

    pub fn last_sequence(&self) -> Sequence {
        match self.base_sequence {
            Sequence::NONE => Sequence::NONE,
            base => base.plus(self.last_offset_delta),
        }
    }
}

/// Checks the CRC of a whole batch.
pub fn verify_crc(batch: &[u8]) -> Result<(), BatchError> {
    let truncated = BatchError::Truncated { needed: HEADER_SIZE, found: batch.len() };
    let (Some(mut stored), Some(covered)) =
        (batch.get(CRC_AT..CRC_COVERS_FROM), batch.get(CRC_COVERS_FROM..))
    else {
        return Err(truncated);
    };
    let (stored, computed) = (stored.get_u32(), crc32c(covered));
    if stored != computed {
        return Err(BatchError::BadCrc { stored, computed });
    }
    Ok(())
}

/// Gives a batch its place in a log. Both fields stand before what the CRC covers.
///
/// # Panics
///
/// If `batch` is shorter than a header: callers have parsed it.
pub fn assign(batch: &mut [u8], base_offset: Offset, leader_epoch: LeaderEpoch) {
    assert!(batch.len() >= HEADER_SIZE, "assign takes a parsed batch");
    if let Some(field) = batch.get_mut(0..8) {
        field.copy_from_slice(&base_offset.0.to_be_bytes());
    }
    if let Some(field) = batch.get_mut(12..16) {
        field.copy_from_slice(&leader_epoch.0.to_be_bytes());
    }
}

/// Gives every record the broker's time instead of the producer's: attribute bit and max timestamp, with a new CRC.
///
/// # Panics
///
/// If `batch` is shorter than a header: callers have parsed it.
pub fn stamp_append_time(batch: &mut [u8], now_ms: i64) {
    assert!(batch.len() >= HEADER_SIZE, "stamp_append_time takes a parsed batch");
    if let Some(field) = batch.get_mut(ATTRIBUTES_AT..).and_then(|from| from.first_chunk_mut()) {
        *field = (i16::from_be_bytes(*field) | Attributes::LOG_APPEND_TIME).to_be_bytes();
    }
    if let Some(field) = batch.get_mut(MAX_TIMESTAMP_AT..).and_then(|from| from.first_chunk_mut()) {
        *field = now_ms.to_be_bytes();
    }
    seal(batch);
}

/// Gives a batch another producer, and the CRC that follows from the old one: the records are not read, and a batch
/// whose CRC was wrong still has a wrong one.
///
/// # Panics
///
/// If `batch` is shorter than a header: callers have parsed it.
pub fn set_producer(batch: &mut [u8], id: ProducerId, epoch: ProducerEpoch, base_sequence: Sequence) {
    assert!(batch.len() >= HEADER_SIZE, "set_producer takes a parsed batch");
    let before = header_crc(batch);
    if let Some(fields) = batch.get_mut(PRODUCER_AT..).and_then(|from| from.first_chunk_mut::<14>()) {
        let [id, epoch, base_sequence] =
            [&id.0.to_be_bytes()[..], &epoch.0.to_be_bytes(), &base_sequence.0.to_be_bytes()];
        fields
            .iter_mut()
            .zip([id, epoch, base_sequence].into_iter().flatten())
            .for_each(|(to, from)| *to = *from);
    }
    let records_bytes = (batch.len() - HEADER_SIZE) as u64;
    // A CRC is linear: what changed in the header, moved on by the length of the records, changes the whole alike.
    let moved = |crc: u32| {
        let algorithm = crc_fast::CrcAlgorithm::Crc32Iscsi;
        crc_fast::checksum_combine(algorithm, u64::from(crc), 0, records_bytes) as u32
    };
    let change = moved(before) ^ moved(header_crc(batch));
    if let Some(crc) = batch.get_mut(CRC_AT..).and_then(|from| from.first_chunk_mut()) {
        *crc = (u32::from_be_bytes(*crc) ^ change).to_be_bytes();
    }
}

/// The CRC of the part of the header that the batch's CRC covers.
fn header_crc(batch: &[u8]) -> u32 {
    crc32c(batch.get(CRC_COVERS_FROM..HEADER_SIZE).unwrap_or_default())
}

/// Writes the CRC of a whole batch.
pub(super) fn seal(batch: &mut [u8]) {
    let crc = crc32c(batch.get(CRC_COVERS_FROM..).unwrap_or_default());
    if let Some(field) = batch.get_mut(CRC_AT..CRC_COVERS_FROM) {
        field.copy_from_slice(&crc.to_be_bytes());
    }
}

/// CRC-32C (Castagnoli), in hardware where the processor has it.
pub(crate) fn crc32c(bytes: &[u8]) -> u32 {
    // The algorithm is 32 bits wide, so its checksum fits.
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, bytes) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc32c_has_the_check_value_of_the_castagnoli_polynomial() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }

    #[test]
    fn another_producer_gets_the_crc_that_the_whole_batch_has() {
        for length in [0, 1, 7, 300, 70_000] {
            let mut batch: Vec<u8> = (0..HEADER_SIZE + length).map(|at| (at * 31 % 251) as u8).collect();
            batch[16] = 2;
            let counted = (batch.len() - LENGTH_OVERHEAD) as i32;
            batch[8..12].copy_from_slice(&counted.to_be_bytes());
            seal(&mut batch);
            let sent = BatchHeader::parse_whole(&batch).unwrap();
            set_producer(&mut batch, ProducerId(77), ProducerEpoch(2), Sequence(-1));
            let header = BatchHeader::parse_whole(&batch).unwrap();
            let (producer_id, producer_epoch) = (ProducerId(77), ProducerEpoch(2));
            let base_sequence = Sequence(-1);
            assert_eq!(
                header,
                BatchHeader { producer_id, producer_epoch, base_sequence, crc: header.crc, ..sent }
            );
        }
    }

    #[test]
    fn another_producer_does_not_mend_a_damaged_batch() {
        let mut batch = vec![2u8; HEADER_SIZE + 100];
        seal(&mut batch);
        batch[HEADER_SIZE + 50] ^= 1;
        set_producer(&mut batch, ProducerId(77), ProducerEpoch(0), Sequence(9));
        assert!(matches!(verify_crc(&batch), Err(BatchError::BadCrc { .. })));
    }

    #[test]
    fn a_short_or_foreign_batch_is_an_error() {
        assert_eq!(BatchHeader::parse(&[0; 60]), Err(BatchError::Truncated { needed: 61, found: 60 }));
        assert_eq!(BatchHeader::parse(&[0; 61]), Err(BatchError::UnsupportedMagic(0)));
        let mut negative = [0u8; 61];
        negative[16] = 2;
        negative[8] = 0xff;
        assert!(matches!(BatchHeader::parse(&negative), Err(BatchError::LengthTooSmall(_))));
    }
}
