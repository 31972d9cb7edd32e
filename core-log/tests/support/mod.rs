//! What the tests of logs share: a clock that stands still, batches, and a directory over some storage.
#![allow(dead_code, reason = "every test binary uses its part")]

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use core_log::{
    Ack, Append, AppendError, Appended, Clock, Intake, Log, LogConfig, LogDir, LogDirSettings, Place,
    ReadLimit, Storage,
};
use protocol::{
    LeaderEpoch, Offset, ProducerEpoch, ProducerId, Sequence, TopicId, TopicPartition, Uuid,
    batch::{BatchBuilder, BatchHeader},
};

pub(crate) const ROOT: &str = "/logs";

/// Time that passes when a test says so.
#[derive(Debug, Default)]
pub(crate) struct TestClock {
    ms: AtomicI64,
}

impl TestClock {
    pub(crate) fn at(ms: i64) -> Arc<Self> {
        Arc::new(Self { ms: AtomicI64::new(ms) })
    }

    pub(crate) fn advance(&self, ms: i64) {
        self.ms.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn wall_ms(&self) -> i64 {
        self.ms.load(Ordering::SeqCst)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.wall_ms() as u64)
    }
}

pub(crate) fn topic_id(number: u128) -> TopicId {
    TopicId(Uuid::from_u128(number))
}

pub(crate) fn id(topic: &str) -> TopicPartition {
    TopicPartition::new(topic, 0)
}

/// No timer: marks are written when the test says so. A small journal, so that its files are used again and again.
pub(crate) fn settings() -> LogDirSettings {
    LogDirSettings {
        checkpoint_interval: Duration::ZERO,
        journal_bytes_max: 24 * 1024,
        ..LogDirSettings::default()
    }
}

pub(crate) fn open_dir(storage: impl Storage) -> Arc<LogDir> {
    open_dir_with(storage, TestClock::at(1_000_000), settings())
}

/// Every log is synced by itself.
pub(crate) fn open_dir_without_journal(storage: impl Storage) -> Arc<LogDir> {
    let settings = LogDirSettings { journal_bytes_max: 0, ..settings() };
    open_dir_with(storage, TestClock::at(1_000_000), settings)
}

pub(crate) fn open_dir_with(
    storage: impl Storage,
    clock: Arc<TestClock>,
    settings: LogDirSettings,
) -> Arc<LogDir> {
    LogDir::open(Arc::new(storage), clock, Path::new(ROOT), settings).unwrap()
}

pub(crate) fn open_log(dir: &Arc<LogDir>, topic: &str, config: LogConfig) -> Arc<Log> {
    dir.log(&id(topic), topic_id(7), config).unwrap()
}

/// A copy's config.
pub(crate) fn replica() -> LogConfig {
    LogConfig { intake: Intake::Replica, ..LogConfig::default() }
}

/// A batch of these values, all with this timestamp.
pub(crate) fn batch(timestamp: i64, values: &[&str]) -> BytesMut {
    records(BatchBuilder::new(), timestamp, values)
}

pub(crate) fn batch_of(
    producer: i64,
    epoch: i16,
    sequence: i32,
    timestamp: i64,
    values: &[&str],
) -> BytesMut {
    let builder =
        BatchBuilder::new().producer(ProducerId(producer), ProducerEpoch(epoch), Sequence(sequence));
    records(builder, timestamp, values)
}

/// As a replica gets it: offsets and epoch are set.
pub(crate) fn replica_batch(base_offset: i64, epoch: i32, values: &[&str]) -> BytesMut {
    let builder = BatchBuilder::new().base_offset(Offset(base_offset)).leader_epoch(LeaderEpoch(epoch));
    records(builder, 5, values)
}

fn records(builder: BatchBuilder, timestamp: i64, values: &[&str]) -> BytesMut {
    let filled = values
        .iter()
        .fold(builder, |builder, value| builder.record(timestamp, None, Some(value.as_bytes()), &[]));
    filled.build().unwrap()
}

pub(crate) fn leader(epoch: i32) -> Place {
    Place::Next { leader_epoch: LeaderEpoch(epoch) }
}

pub(crate) fn append(
    dir: &LogDir,
    log: &Arc<Log>,
    batch: BytesMut,
    place: Place,
    ack: Ack,
) -> Result<Appended, AppendError> {
    let appends = vec![Append { log: Arc::clone(log), batch, place }];
    dir.submit_blocking(appends, ack).wait().pop().unwrap()
}

/// Appends as leader of epoch 0 and waits for the sync.
pub(crate) fn put(dir: &LogDir, log: &Arc<Log>, batch: BytesMut) -> Result<Appended, AppendError> {
    append(dir, log, batch, leader(0), Ack::Synced)
}

pub(crate) fn limit(max_bytes: usize) -> ReadLimit {
    ReadLimit { max_bytes, until: Offset(i64::MAX), at_least_one: true }
}

/// All batches from log start to log end, through the files.
pub(crate) fn read_all(log: &Log) -> Vec<Bytes> {
    let ends = log.ends();
    let (mut from, mut all) = (ends.log_start, vec![]);
    while from < ends.log_end {
        let batches = log.read(from, limit(1 << 20)).unwrap();
        if batches.is_empty() {
            break;
        }
        batches.pieces.iter().for_each(|piece| all.extend(split(piece)));
        from = batches.next_offset;
    }
    all
}

/// The batches of a piece.
pub(crate) fn split(piece: &Bytes) -> Vec<Bytes> {
    let (mut at, mut batches) = (0, vec![]);
    while at < piece.len() {
        let header = BatchHeader::parse(&piece[at..]).unwrap();
        batches.push(piece.slice(at..at + header.size_bytes));
        at += header.size_bytes;
    }
    batches
}

pub(crate) fn header(batch: &[u8]) -> BatchHeader {
    BatchHeader::parse_whole(batch).unwrap()
}

/// Runs a future that only waits for the log's own threads.
pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}
