//! The producer snapshot file, Kafka's format.
//!
//! ```text
//!  0 version i16 = 1    2 crc u32 (CRC-32C of all from 6)    6 count i32
//! 10 per producer: id i64, epoch i16, last sequence i32, last offset i64 (-1: no batch), offset delta i32,
//!    timestamp i64, coordinator epoch i32, first offset of the open transaction i64 (-1: none)
//!    then, by us only: section version i16 = 0, count i32,
//!    per batch before a producer's last, oldest first: id i64, last sequence i32, last offset i64,
//!    offset delta i32, timestamp i64
//! ```
//!
//! Kafka stores a producer's last batch only, so a client that has several in flight when its broker restarts gets
//! errors where it should learn of duplicates. Its reader stops after the producers, and its CRC covers whatever
//! follows, so it reads ours; a file without the section is one of Kafka's.
//!
//! The timestamp is when the broker last heard of the producer, where Kafka has the last batch's max timestamp: the
//! same for topics with append time, the only ones where a client sees it; and old records do not expire a producer.

use std::collections::BTreeMap;

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut, TryGetError};

use protocol::{Offset, ProducerEpoch, ProducerId, Sequence};

use super::state::{Producer, RecentBatch};

const VERSION: i16 = 1;
const CRC_AT: usize = 2;
const CRC_COVERS_FROM: usize = 6;
const PRODUCER_SIZE: usize = 46;
const SECTION_VERSION: i16 = 0;
const BATCH_SIZE: usize = 32;

/// Why a snapshot cannot be used. The state is in the log as well: replay it from an older snapshot, or whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    #[error("the producer snapshot is cut short")]
    Truncated,
    #[error("producer snapshot version {0} is not known")]
    UnknownVersion(i16),
    #[error("the producer snapshot's CRC is {computed:#010x}, it says {stored:#010x}")]
    BadCrc { stored: u32, computed: u32 },
    #[error("the producer snapshot is malformed: {0}")]
    BadEntry(&'static str),
}

impl From<TryGetError> for SnapshotError {
    fn from(_: TryGetError) -> Self {
        Self::Truncated
    }
}

pub(super) fn format(producers: &BTreeMap<ProducerId, Producer>) -> Bytes {
    let earlier: usize = producers.values().map(|producer| producer.recent.len().saturating_sub(1)).sum();
    let mut to = BytesMut::with_capacity(
        CRC_COVERS_FROM + 10 + PRODUCER_SIZE * producers.len() + BATCH_SIZE * earlier,
    );
    to.put_i16(VERSION);
    to.put_u32(0);
    to.put_i32(count(producers.len()));
    for (id, producer) in producers {
        put_producer(&mut to, *id, producer);
    }
    to.put_i16(SECTION_VERSION);
    to.put_i32(count(earlier));
    for (id, producer) in producers {
        let earlier = producer.recent.len().saturating_sub(1);
        for batch in producer.recent.iter().take(earlier) {
            put_batch(&mut to, *id, batch);
        }
    }
    let crc = crc32c(to.get(CRC_COVERS_FROM..).unwrap_or_default());
    if let Some(field) = to.get_mut(CRC_AT..CRC_COVERS_FROM) {
        field.copy_from_slice(&crc.to_be_bytes());
    }
    to.freeze()
}

/// `end` is the log end that the file's name says.
pub(super) fn parse(bytes: &[u8], end: Offset) -> Result<BTreeMap<ProducerId, Producer>, SnapshotError> {
    let mut from = bytes;
    let version = from.try_get_i16()?;
    if version != VERSION {
        return Err(SnapshotError::UnknownVersion(version));
    }
    let (stored, computed) = (from.try_get_u32()?, crc32c(from));
    if stored != computed {
        return Err(SnapshotError::BadCrc { stored, computed });
    }
    let mut producers = BTreeMap::new();
    let mut last = Vec::new();
    for _ in 0..take_count(&mut from, PRODUCER_SIZE)? {
        let (id, producer, batch) = take_producer(&mut from)?;
        last.extend(batch.map(|batch| (id, batch)));
        producers.insert(id, producer);
    }
    if !from.is_empty() && from.try_get_i16()? == SECTION_VERSION {
        for _ in 0..take_count(&mut from, BATCH_SIZE)? {
            let id = ProducerId(from.try_get_i64()?);
            let batch = take_batch(&mut from)?;
            push(&mut producers, end, id, batch)?;
        }
    }
    for (id, batch) in last {
        push(&mut producers, end, id, batch)?;
    }
    Ok(producers)
}

fn put_producer(to: &mut BytesMut, id: ProducerId, producer: &Producer) {
    let last = producer.recent.back();
    to.put_i64(id.0);
    to.put_i16(producer.epoch.0);
    to.put_i32(last.map_or(Sequence::NONE, |last| last.last_sequence).0);
    to.put_i64(last.map_or(Offset::NONE, |last| last.last_offset).0);
    to.put_i32(last.map_or(0, |last| last.delta));
    to.put_i64(producer.last_seen_ms);
    to.put_i32(producer.coordinator_epoch);
    to.put_i64(producer.open_since().unwrap_or(Offset::NONE).0);
}

fn take_producer(from: &mut &[u8]) -> Result<(ProducerId, Producer, Option<RecentBatch>), SnapshotError> {
    let id = ProducerId(from.try_get_i64()?);
    let epoch = ProducerEpoch(from.try_get_i16()?);
    let batch = take_batch(from)?;
    let coordinator_epoch = from.try_get_i32()?;
    let open_since = Some(Offset(from.try_get_i64()?)).filter(|first_offset| *first_offset >= Offset::ZERO);
    let producer = Producer::restored(epoch, coordinator_epoch, batch.timestamp, open_since);
    Ok((id, producer, Some(batch).filter(|batch| batch.last_offset >= Offset::ZERO)))
}

fn put_batch(to: &mut BytesMut, id: ProducerId, batch: &RecentBatch) {
    to.put_i64(id.0);
    to.put_i32(batch.last_sequence.0);
    to.put_i64(batch.last_offset.0);
    to.put_i32(batch.delta);
    to.put_i64(batch.timestamp);
}

fn take_batch(from: &mut &[u8]) -> Result<RecentBatch, SnapshotError> {
    let batch = RecentBatch {
        last_sequence: Sequence(from.try_get_i32()?),
        last_offset: Offset(from.try_get_i64()?),
        delta: from.try_get_i32()?,
        timestamp: from.try_get_i64()?,
    };
    if batch.delta < 0 {
        return Err(SnapshotError::BadEntry("an offset delta is negative"));
    }
    Ok(batch)
}

fn push(
    producers: &mut BTreeMap<ProducerId, Producer>,
    end: Offset,
    id: ProducerId,
    batch: RecentBatch,
) -> Result<(), SnapshotError> {
    if batch.last_offset >= end {
        return Err(SnapshotError::BadEntry("a batch lies after the log end that the file is named for"));
    }
    let producer = producers.get_mut(&id).ok_or(SnapshotError::BadEntry("a batch has no producer"))?;
    producer.push(batch);
    Ok(())
}

/// Reads a count that the bytes behind it can hold.
fn take_count(from: &mut &[u8], entry_size: usize) -> Result<usize, SnapshotError> {
    let count = usize::try_from(from.try_get_i32()?);
    let count = count.map_err(|_| SnapshotError::BadEntry("a count is negative"))?;
    if count > from.len() / entry_size {
        return Err(SnapshotError::Truncated);
    }
    Ok(count)
}

/// Memory holds fewer producers than the field can count.
fn count(entries: usize) -> i32 {
    i32::try_from(entries).unwrap_or(i32::MAX)
}

fn crc32c(bytes: &[u8]) -> u32 {
    // The algorithm is 32 bits wide, so its checksum fits.
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, bytes) as u32
}
