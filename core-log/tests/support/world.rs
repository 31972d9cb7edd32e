//! Random operations on a few logs, beside a model that knows what must be there: exactly while the power is on, and what
//! may and must have survived when it went.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;
use core_log::{Ack, Append, AppendError, Appended, Log, LogConfig, LogDir, Place, storage::MemoryStorage};
use proptest::prelude::*;
use protocol::{LeaderEpoch, Offset};

use super::support::{
    self, batch, batch_of, header, leader, limit, open_dir, read_all, split, topic_id, wait,
};

pub(crate) const LOGS: usize = 5;
/// The log that does not sync.
const CACHED: usize = 4;
const PRODUCERS: i64 = 2;
const RETRIED: usize = 5;

#[derive(Debug, Clone)]
pub(crate) enum Op {
    Append {
        log: usize,
        producer: Option<i64>,
        records: usize,
        ack: bool,
    },
    /// Two submits to several logs each: so many that the journal takes them.
    AppendAll {
        ack: bool,
    },
    Retry {
        log: usize,
        producer: i64,
        back: usize,
    },
    Checkpoint,
    /// A retention pass, by size.
    Clean,
    AdvanceStart {
        log: usize,
        percent: i64,
    },
    Truncate {
        log: usize,
        percent: i64,
    },
    ForgetProducers {
        log: usize,
    },
    Remove {
        log: usize,
    },
    /// With a clean shutdown, or as after a killed process.
    Reopen {
        clean: bool,
    },
}

pub(crate) fn op() -> impl Strategy<Value = Op> {
    let log = 0..LOGS;
    prop_oneof![
        12 => (log.clone(), prop::option::of(0..PRODUCERS), 1usize..4, any::<bool>())
            .prop_map(|(log, producer, records, ack)| Op::Append { log, producer, records, ack }),
        8 => any::<bool>().prop_map(|ack| Op::AppendAll { ack }),
        3 => (log.clone(), 0..PRODUCERS, 0..RETRIED).prop_map(|(log, producer, back)| Op::Retry { log, producer, back }),
        2 => Just(Op::Checkpoint),
        2 => Just(Op::Clean),
        1 => (log.clone(), 0i64..=100).prop_map(|(log, percent)| Op::AdvanceStart { log, percent }),
        1 => (log.clone(), 0i64..=100).prop_map(|(log, percent)| Op::Truncate { log, percent }),
        1 => log.clone().prop_map(|log| Op::ForgetProducers { log }),
        1 => log.prop_map(|log| Op::Remove { log }),
        2 => any::<bool>().prop_map(|clean| Op::Reopen { clean }),
    ]
}

#[derive(Debug, Clone)]
struct Entry {
    base: i64,
    next: i64,
    stored: Bytes,
    producer: Option<i64>,
    sequence: i32,
    records: usize,
    timestamp: i64,
}

/// What one log must hold, and what it may.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogModel {
    /// All that is appended and not truncated, also what lies below the log start.
    entries: Vec<Entry>,
    start: i64,
    end: i64,
    epoch: i32,
    /// The first so many entries must survive a power cut.
    durable: usize,
    /// Records that were submitted, whatever came of it.
    submitted: BTreeSet<String>,
    /// Records that were taken away for good.
    gone: BTreeSet<String>,
    /// An operation that power cut short may have taken effect: a new log start, a new end, all gone.
    maybe_start: Option<i64>,
    maybe_end: Option<i64>,
    maybe_removed: bool,
    maybe_forgotten: bool,
    /// Batches below it tell nothing about producers.
    barrier: i64,
    next_sequence: BTreeMap<i64, i32>,
}

pub(crate) struct World {
    pub(crate) disk: MemoryStorage,
    dir: Option<Arc<LogDir>>,
    logs: Vec<Arc<Log>>,
    pub(crate) models: Vec<LogModel>,
    values: usize,
}

pub(crate) fn config(log: usize) -> LogConfig {
    let sync = log != CACHED;
    LogConfig {
        segment_bytes: 500,
        index_interval_bytes: 150,
        retention_bytes: 1200,
        sync,
        ..LogConfig::default()
    }
}

fn open_logs(dir: &Arc<LogDir>) -> Vec<Arc<Log>> {
    (0..LOGS)
        .map(|log| dir.log(&support::id(&format!("log{log}")), topic_id(7), config(log)).unwrap())
        .collect()
}

impl World {
    pub(crate) fn new(disk: MemoryStorage) -> Self {
        Self::start(disk).unwrap()
    }

    /// `None` if the power goes at once.
    pub(crate) fn start(disk: MemoryStorage) -> Option<Self> {
        let dir = try_open_dir(&disk)?;
        let logs = open_logs(&dir);
        Some(Self { disk, dir: Some(dir), logs, models: vec![LogModel::default(); LOGS], values: 0 })
    }

    fn is_off(&self) -> bool {
        self.disk.is_off()
    }

    pub(crate) fn run(&mut self, ops: &[Op]) {
        for op in ops {
            self.apply(op);
            if self.is_off() {
                return;
            }
            // The power can go with a sync of the flusher's, while this looks.
            let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.check()));
            match checked {
                Err(_) if self.is_off() => return,
                Err(failed) => std::panic::resume_unwind(failed),
                Ok(()) => {}
            }
        }
    }

    fn dir(&self) -> &Arc<LogDir> {
        self.dir.as_ref().unwrap()
    }

    fn apply(&mut self, op: &Op) {
        match op {
            Op::Append { log, producer, records, ack } => self.append(&[(*log, *producer, *records)], *ack),
            Op::AppendAll { ack } => {
                let producer = Some(0);
                let parts =
                    [(0, producer, 1), (1, None, 2), (0, producer, 2), (2, None, 1), (3, producer, 1)];
                self.append(&parts, *ack);
                self.append(&[(CACHED, producer, 1), (3, None, 1), (1, producer, 1)], *ack);
            }
            Op::Retry { log, producer, back } => self.retry(*log, *producer, *back),
            Op::Checkpoint => {
                if wait(self.dir().checkpoint()).is_ok() {
                    self.all_durable();
                }
            }
            Op::Clean => self.clean(),
            Op::AdvanceStart { log, percent } => self.advance_start(*log, *percent),
            Op::Truncate { log, percent } => self.truncate(*log, *percent),
            Op::ForgetProducers { log } => self.forget_producers(*log),
            Op::Remove { log } => self.remove(*log),
            Op::Reopen { clean } => self.reopen(*clean),
        }
    }

    fn append(&mut self, parts: &[(usize, Option<i64>, usize)], synced: bool) {
        let mut appends = vec![];
        let mut entries = vec![];
        for (log, producer, records) in parts {
            let values: Vec<String> = (0..*records).map(|_| self.next_value()).collect();
            let model = &mut self.models[*log];
            model.submitted.extend(values.iter().cloned());
            let timestamp = self.values as i64;
            let sequence = producer.map_or(0, |producer| *model.next_sequence.entry(producer).or_default());
            let batch = build(*producer, sequence, timestamp, &values);
            if let Some(producer) = producer {
                model.next_sequence.insert(*producer, sequence + *records as i32);
            }
            let entry = Entry {
                base: 0,
                next: 0,
                stored: Bytes::new(),
                producer: *producer,
                sequence,
                records: *records,
                timestamp,
            };
            entries.push((*log, entry, batch.clone()));
            appends.push(Append { log: Arc::clone(&self.logs[*log]), batch, place: leader(model.epoch) });
        }
        let ack = if synced { Ack::Synced } else { Ack::Written };
        let outcomes = self.dir().submit_blocking(appends, ack).wait();
        // What was written is synced a moment later: let that be over, so that every run of the same operations is the same.
        let _ = wait(self.logs[0].advance_start(Offset(0)));
        for ((log, entry, batch), outcome) in entries.into_iter().zip(outcomes) {
            match outcome {
                Ok(appended) => self.appended(log, entry, batch, appended),
                Err(AppendError::Offline(_)) if self.is_off() => {}
                Err(error) => panic!("{error}"),
            }
        }
        for (log, ..) in parts {
            if synced && *log != CACHED && !self.is_off() {
                self.models[*log].durable = self.models[*log].entries.len();
            }
        }
    }

    fn appended(&mut self, log: usize, mut entry: Entry, mut batch: bytes::BytesMut, appended: Appended) {
        let model = &mut self.models[log];
        assert!(!appended.duplicate);
        assert_eq!(appended.base_offset.0, model.end);
        assert_eq!(appended.last_offset.0, model.end + entry.records as i64 - 1);
        protocol::batch::assign(&mut batch, appended.base_offset, LeaderEpoch(model.epoch));
        entry.stored = batch.freeze();
        entry.base = model.end;
        entry.next = model.end + entry.records as i64;
        model.end = entry.next;
        model.entries.push(entry);
    }

    fn retry(&mut self, log: usize, producer: i64, back: usize) {
        let model = &self.models[log];
        let Some(entry) =
            model.known_entries().rev().filter(|entry| entry.producer == Some(producer)).nth(back)
        else {
            return;
        };
        let (base, batch) = (entry.base, entry.stored.clone());
        let batch = bytes::BytesMut::from(&batch[..]);
        match support::append(self.dir(), &self.logs[log], batch, leader(model.epoch), Ack::Synced) {
            Ok(appended) => {
                assert!(appended.duplicate && appended.base_offset.0 == base, "{appended:?} for {base}")
            }
            Err(error) => assert!(self.is_off(), "{error}"),
        }
    }

    fn clean(&mut self) {
        for model in &mut self.models {
            model.maybe_start = Some(model.end);
        }
        let report = wait(self.dir().clean());
        if report.failures > 0 || self.is_off() {
            return assert!(self.is_off(), "{report:?}");
        }
        for (log, model) in self.logs.iter().zip(&mut self.models) {
            let start = log.ends().log_start.0;
            // Whole segments, and never so many that less than the retention is left.
            let left: usize = model
                .entries
                .iter()
                .filter(|entry| entry.base >= start)
                .map(|entry| entry.stored.len())
                .sum();
            assert!(start == model.start || left >= 1200, "{left} bytes left");
            assert!(log.size_bytes() < 1200 + 500 + 300, "{} bytes kept", log.size_bytes());
            model.start = start;
            model.maybe_start = None;
        }
    }

    fn advance_start(&mut self, log: usize, percent: i64) {
        let high_watermark = self.logs[log].ends().high_watermark.0;
        let model = &mut self.models[log];
        let offset = model.start + (high_watermark - model.start) * percent / 100;
        model.maybe_start = Some(offset);
        match wait(self.logs[log].advance_start(Offset(offset))) {
            Ok(start) => {
                assert_eq!(start.0, offset.max(model.start));
                model.start = start.0;
                model.maybe_start = None;
            }
            Err(error) => assert!(self.disk.is_off(), "{error}"),
        }
    }

    fn truncate(&mut self, log: usize, percent: i64) {
        let model = &mut self.models[log];
        let offset = model.start + (model.end - model.start) * percent / 100;
        let inside = model.entries.iter().find(|entry| entry.base < offset && offset < entry.next);
        let end = inside.map_or(offset, |entry| entry.base).max(model.start);
        if offset < model.end {
            model.maybe_end = Some(end);
        }
        match wait(self.logs[log].truncate_to(Offset(offset))) {
            Ok(new_end) => {
                assert_eq!(new_end.0, end);
                if offset < model.end {
                    model.cut(end);
                }
                model.maybe_end = None;
                model.durable = model.durable.min(model.entries.len());
                if offset < self.logs[log].ends().log_end.0 {
                    model.durable = model.entries.len();
                }
                model.epoch += 1;
            }
            Err(error) => assert!(self.disk.is_off(), "{error}"),
        }
    }

    fn forget_producers(&mut self, log: usize) {
        let model = &mut self.models[log];
        let largest = model.known_entries().filter_map(|entry| entry.producer).max();
        model.maybe_forgotten = true;
        match wait(self.logs[log].forget_producers()) {
            // One whose records were all deleted is known all the same.
            Ok(found) => {
                assert!(found.map(|id| id.0) >= largest, "{found:?} of {largest:?}");
                model.barrier = model.end;
                model.durable = model.entries.len();
                model.maybe_forgotten = false;
                model.next_sequence.clear();
            }
            Err(error) => assert!(self.disk.is_off(), "{error}"),
        }
    }

    fn remove(&mut self, log: usize) {
        self.models[log].maybe_removed = true;
        match wait(self.dir().remove(&self.logs[log])) {
            Ok(()) => {
                let model = &mut self.models[log];
                let submitted = std::mem::take(&mut model.submitted);
                let mut gone = std::mem::take(&mut model.gone);
                gone.extend(submitted);
                *model = LogModel { gone, ..LogModel::default() };
                let id = support::id(&format!("log{log}"));
                match self.dir().log(&id, topic_id(7), config(log)) {
                    Ok(opened) => self.logs[log] = opened,
                    // The power can go with a sync of the flusher's, too.
                    Err(error) => assert!(self.is_off(), "{error}"),
                }
            }
            Err(error) => assert!(self.is_off(), "{error}"),
        }
    }

    fn reopen(&mut self, clean: bool) {
        if clean {
            match wait(self.dir().close()) {
                Ok(()) => self.all_durable(),
                Err(error) => assert!(self.is_off(), "{error}"),
            }
        }
        self.logs.clear();
        self.dir = None;
        let Some(dir) = try_open_dir(&self.disk) else { return assert!(self.is_off()) };
        for log in 0..LOGS {
            match dir.log(&support::id(&format!("log{log}")), topic_id(7), config(log)) {
                Ok(opened) => self.logs.push(opened),
                Err(error) => return assert!(self.is_off(), "{error}"),
            }
        }
        self.dir = Some(dir);
        if !self.is_off() {
            // Recovery syncs what it shows.
            self.all_durable();
        }
    }

    fn all_durable(&mut self) {
        for model in &mut self.models {
            model.durable = model.entries.len();
        }
    }

    /// While the power is on, logs and models agree about everything.
    pub(crate) fn check(&self) {
        for (log, model) in self.logs.iter().zip(&self.models) {
            assert_eq!(log.offline(), None, "{:?}", log.id());
            let ends = log.ends();
            assert_eq!((ends.log_start.0, ends.log_end.0), (model.start, model.end), "{:?}", log.id());
            let expected: Vec<&Bytes> = model.readable().map(|entry| &entry.stored).collect();
            let all = read_all(log);
            assert_eq!(all.iter().collect::<Vec<_>>(), expected, "{:?}", log.id());
            for entry in model.readable() {
                let from = Offset(entry.base.max(model.start));
                if let Some(recent) = log.read_recent(from, limit(1)) {
                    assert_eq!(recent.unwrap().pieces.first(), Some(&entry.stored));
                }
                assert_eq!(split(&log.read(from, limit(1)).unwrap().pieces[0]).first(), Some(&entry.stored));
            }
            let target = model.readable().map(|entry| entry.timestamp).nth(1);
            let found = target.and_then(|target| log.find_by_timestamp(target).unwrap());
            let expected = target.and_then(|target| {
                let entry = model.readable().find(|entry| entry.timestamp >= target)?;
                Some(Offset(entry.base.max(model.start)))
            });
            assert_eq!(found.map(|found| found.offset), expected);
        }
    }

    fn next_value(&mut self) -> String {
        self.values += 1;
        format!("value-{:06}-{}", self.values, "x".repeat(self.values % 90))
    }
}

impl LogModel {
    fn readable(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.next > self.start)
    }

    /// Those that tell something about their producers.
    fn known_entries(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.base >= self.barrier)
    }

    fn cut(&mut self, end: i64) {
        for entry in self.entries.iter().filter(|entry| entry.base >= end) {
            self.gone.extend(values(&entry.stored));
        }
        self.entries.retain(|entry| entry.base < end && entry.next <= end);
        self.end = end;
        self.barrier = self.barrier.min(end);
        let known = self.known_entries().filter_map(|entry| {
            let producer = entry.producer?;
            Some((producer, entry.sequence + entry.records as i32))
        });
        self.next_sequence = known.collect();
    }

    /// What must hold of a log that was recovered after the power went.
    pub(crate) fn check_recovered(&self, dir: &LogDir, log: &Arc<Log>) {
        let name = log.id();
        assert_eq!(log.offline(), None, "{name}");
        let found = read_all(log);
        let ends = log.ends();
        if found.is_empty() && self.maybe_removed && ends.log_end == Offset(0) {
            return;
        }
        assert!(
            ends.log_start.0 >= self.start,
            "{name}: log start {} was promised, {} found",
            self.start,
            ends.log_start
        );
        assert!(
            ends.log_start.0 <= self.start.max(self.maybe_start.unwrap_or(0)),
            "{name}: log start {}",
            ends.log_start
        );
        assert_eq!((ends.durable_end, ends.high_watermark), (ends.log_end, ends.log_end));
        self.check_order(&found, ends.log_start.0, ends.log_end.0);
        for value in found.iter().flat_map(values) {
            assert!(self.submitted.contains(&value), "{name}: {value} was never submitted");
            assert!(!self.gone.contains(&value), "{name}: {value} was taken away");
        }
        let kept = self.entries.iter().take(self.durable);
        let required = kept.filter(|entry| self.maybe_end.is_none_or(|end| entry.next <= end));
        let stored: BTreeMap<i64, &Bytes> =
            found.iter().map(|batch| (header(batch).base_offset.0, batch)).collect();
        for entry in required.clone().filter(|entry| entry.next > ends.log_start.0) {
            assert_eq!(
                stored.get(&entry.base),
                Some(&&entry.stored),
                "{name}: the batch at {} was acked",
                entry.base
            );
        }
        self.check_retries(dir, log, &found);
    }

    fn check_order(&self, found: &[Bytes], start: i64, end: i64) {
        let headers: Vec<_> = found.iter().map(|batch| header(batch)).collect();
        for pair in headers.windows(2) {
            assert_eq!(pair[0].next_offset(), pair[1].base_offset, "no hole");
        }
        if let (Some(first), Some(last)) = (headers.first(), headers.last()) {
            assert!(first.base_offset.0 <= start && last.next_offset().0 == end);
        } else {
            assert_eq!(start, end);
        }
    }

    /// A producer that sends its last batches again is told where they are, unless it was forgotten after them.
    fn check_retries(&self, dir: &LogDir, log: &Arc<Log>, found: &[Bytes]) {
        if self.maybe_forgotten {
            return;
        }
        let place = Place::Next { leader_epoch: LeaderEpoch(self.epoch + 10) };
        let retry = |batch: &Bytes| {
            support::append(dir, log, bytes::BytesMut::from(&batch[..]), place, Ack::Synced).unwrap()
        };
        for producer in 0..PRODUCERS {
            let of_producer = |batch: &&Bytes| header(batch).producer_id.0 == producer;
            let is_known = |batch: &&Bytes| header(batch).base_offset.0 >= self.barrier;
            let (known, forgotten): (Vec<_>, Vec<_>) =
                found.iter().rev().filter(of_producer).partition(is_known);
            for batch in known.iter().take(RETRIED) {
                let again = retry(batch);
                assert!(again.duplicate, "{}: appended twice: {:?}", log.id(), header(batch));
                assert_eq!(again.base_offset, header(batch).base_offset);
            }
            if let ([], [last, ..]) = (&known[..], &forgotten[..]) {
                assert!(!retry(last).duplicate, "{}: came back: {:?}", log.id(), header(last));
            }
        }
    }
}

fn try_open_dir(disk: &MemoryStorage) -> Option<Arc<LogDir>> {
    let (disk, clock) = (Arc::new(disk.clone()), support::TestClock::at(1_000_000));
    core_log::LogDir::open(disk, clock, std::path::Path::new(support::ROOT), support::settings()).ok()
}

/// Opens all there is, as far as the power lets it.
pub(crate) fn open_all(disk: &MemoryStorage) {
    let Some(dir) = try_open_dir(disk) else { return };
    for log in 0..LOGS {
        let _ = dir.log(&support::id(&format!("log{log}")), topic_id(7), config(log));
    }
}

/// Recovers a disk and checks all logs on it.
pub(crate) fn check_disk(disk: MemoryStorage, models: &[LogModel]) {
    let dir = open_dir(disk);
    for (log, model) in open_logs(&dir).iter().zip(models) {
        model.check_recovered(&dir, log);
    }
}

fn build(producer: Option<i64>, sequence: i32, timestamp: i64, values: &[String]) -> bytes::BytesMut {
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    match producer {
        Some(producer) => batch_of(producer, 0, sequence, timestamp, &values),
        None => batch(timestamp, &values),
    }
}

fn values(batch: &Bytes) -> Vec<String> {
    let records = protocol::batch::records(batch, 1 << 20).unwrap();
    records.map(|record| String::from_utf8(record.unwrap().value.unwrap().to_vec()).unwrap()).collect()
}
