//! Building batches: for what the broker itself writes (group offsets, metadata, markers), and for tests.

use bytes::{BufMut, BytesMut};

use super::{
    Attributes, BatchError, Compression, HEADER_SIZE, TimestampType, compress,
    header::{self, MAGIC},
    wire::{self, HeaderSlices, RecordSlices},
};
use crate::ids::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Sequence};

/// Gathers records into one batch. Unless told otherwise: uncompressed, from offset 0, with the producer's
/// timestamps and no producer id.
#[derive(Debug, Clone)]
#[must_use]
pub struct BatchBuilder {
    compression: Compression,
    base_offset: Offset,
    leader_epoch: LeaderEpoch,
    producer: (ProducerId, ProducerEpoch, Sequence),
    timestamp_type: TimestampType,
    transactional: bool,
    control: bool,
    /// The first and the largest, once there is a record.
    timestamps: Option<(i64, i64)>,
    count: i32,
    records: BytesMut,
    too_long: bool,
}

impl Default for BatchBuilder {
    fn default() -> Self {
        Self {
            compression: Compression::None,
            base_offset: Offset::ZERO,
            leader_epoch: LeaderEpoch::NONE,
            producer: (ProducerId::NONE, ProducerEpoch::NONE, Sequence::NONE),
            timestamp_type: TimestampType::CreateTime,
            transactional: false,
            control: false,
            timestamps: None,
            count: 0,
            records: BytesMut::new(),
            too_long: false,
        }
    }
}

impl BatchBuilder {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn compression(self, compression: Compression) -> Self {
        Self { compression, ..self }
    }

    pub fn base_offset(self, base_offset: Offset) -> Self {
        Self { base_offset, ..self }
    }

    pub fn leader_epoch(self, leader_epoch: LeaderEpoch) -> Self {
        Self { leader_epoch, ..self }
    }

    /// The sequence is the first record's.
    pub fn producer(self, id: ProducerId, epoch: ProducerEpoch, base_sequence: Sequence) -> Self {
        Self { producer: (id, epoch, base_sequence), ..self }
    }

    pub fn timestamp_type(self, timestamp_type: TimestampType) -> Self {
        Self { timestamp_type, ..self }
    }

    pub fn transactional(self) -> Self {
        Self { transactional: true, ..self }
    }

    pub fn control(self) -> Self {
        Self { control: true, ..self }
    }

    /// Adds a record at the next offset.
    pub fn record(
        mut self,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[HeaderSlices<'_>],
    ) -> Self {
        let (first, max) = self.timestamps.unwrap_or((timestamp, timestamp));
        self.timestamps = Some((first, max.max(timestamp)));
        // Wraps where the two are further apart than 64 bits can say; reading wraps it back.
        let timestamp_delta = timestamp.wrapping_sub(first);
        let record = RecordSlices { offset_delta: self.count, timestamp_delta, key, value };
        self.too_long |= wire::put(&mut self.records, record, headers).is_none();
        self.too_long |= self.count == i32::MAX;
        self.count = self.count.saturating_add(1);
        self
    }

    /// The batch, or why it cannot be one: no records, or more of something than its field can say.
    pub fn build(self) -> Result<BytesMut, BatchError> {
        let (base_timestamp, max_timestamp) =
            self.timestamps.ok_or(BatchError::BadRecords("there are none"))?;
        if self.too_long {
            return Err(BatchError::BadRecords("they are longer than a batch can be"));
        }
        let packed;
        let records = match self.compression {
            Compression::None => &self.records[..],
            compression => {
                packed = compress::compress(compression, &self.records)?;
                &packed[..]
            }
        };
        let length = i32::try_from(records.len() + HEADER_SIZE - header::LENGTH_OVERHEAD)
            .map_err(|_| BatchError::BadRecords("they are longer than a batch can be"))?;
        let mut batch = BytesMut::with_capacity(HEADER_SIZE + records.len());
        batch.put_i64(self.base_offset.0);
        batch.put_i32(length);
        batch.put_i32(self.leader_epoch.0);
        batch.put_i8(MAGIC);
        batch.put_u32(0);
        batch.put_i16(self.attributes().0);
        batch.put_i32(self.count - 1);
        batch.put_i64(base_timestamp);
        batch.put_i64(max_timestamp);
        batch.put_i64(self.producer.0.0);
        batch.put_i16(self.producer.1.0);
        batch.put_i32(self.producer.2.0);
        batch.put_i32(self.count);
        batch.put_slice(records);
        header::seal(&mut batch);
        Ok(batch)
    }

    fn attributes(&self) -> Attributes {
        Attributes::new(self.compression, self.timestamp_type, self.transactional, self.control)
    }
}
