//! Appending a round's batches to one log.

use std::{collections::HashMap, io, io::IoSlice, sync::Arc};

use bytes::{Bytes, BytesMut};

use protocol::{
    LeaderEpoch, Offset, ProducerEpoch, ProducerId, Sequence,
    batch::{self, BatchError, BatchHeader},
};

use super::{Writer, roll, write_failed};
use crate::{
    AppendError, Appended, LogConfig, LogEnds, Place,
    append::Outcome,
    journal::Piece,
    limits,
    log::Log,
    producers::{EndMarker, SequenceError, Verdict},
    segment::{ScanError, Segment},
    shared::is_no_space,
};

/// Which part of which ticket an outcome is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) ticket: usize,
    pub(crate) part: usize,
}

pub(crate) struct Item {
    pub(crate) slot: Slot,
    pub(crate) batch: BytesMut,
    pub(crate) place: Place,
}

/// Appends all items, in order, with as few writes as their order allows. Not synced; the high watermark follows the
/// write only in a log that does not sync.
pub(crate) fn append(log: &Log, writer: &mut Writer, items: Vec<Item>, now_ms: i64) -> Vec<(Slot, Outcome)> {
    let mut appending = Appending::new(log, writer, now_ms, items.len());
    for item in items {
        let slot = item.slot;
        if let Err(error) = appending.take(item) {
            appending.outcomes.push((slot, Err(error)));
        }
    }
    appending.finish()
}

struct Appending<'a> {
    log: &'a Log,
    writer: &'a mut Writer,
    config: LogConfig,
    now_ms: i64,
    log_start: Offset,
    next_offset: Offset,
    latest_epoch: LeaderEpoch,
    run: Run,
    /// After a failed write all that follows fails, too: order is a promise.
    failed: Option<AppendError>,
    outcomes: Vec<(Slot, Outcome)>,
}

/// Batches that have their offsets and go into the active segment with one write.
#[derive(Default)]
struct Run {
    ready: Vec<Ready>,
    bytes: u64,
    /// The last batch of each producer in the run: producer state does not know them yet.
    producers: HashMap<ProducerId, BatchHeader>,
}

struct Ready {
    slot: Slot,
    header: BatchHeader,
    marker: Option<EndMarker>,
    bytes: Bytes,
    append_time_ms: i64,
}

impl<'a> Appending<'a> {
    fn new(log: &'a Log, writer: &'a mut Writer, now_ms: i64, items: usize) -> Self {
        let ends = log.ends();
        Self {
            config: log.config(),
            now_ms,
            log_start: ends.log_start,
            next_offset: ends.log_end,
            latest_epoch: log.latest_epoch().unwrap_or(LeaderEpoch::NONE),
            run: Run::default(),
            failed: log.offline().map(AppendError::Offline),
            outcomes: Vec::with_capacity(items),
            log,
            writer,
        }
    }

    fn take(&mut self, item: Item) -> Result<(), AppendError> {
        self.check_failed()?;
        let Item { slot, mut batch, place } = item;
        let intake = self.config.intake;
        if !intake.takes(place) {
            return Err(AppendError::NotTaken { intake });
        }
        let header = parse(&batch)?;
        let (base_offset, epoch) = self.placed(&header, place)?;
        if let Place::Next { .. } = place {
            self.check_size(&header)?;
            if let Some(original) = self.find_duplicate(&header)? {
                self.outcomes.push((slot, Ok(original)));
                return Ok(());
            }
        }
        let marker = match EndMarker::read(&header, &batch) {
            // The original took it: one that cannot be read ends no transaction, as recovery has it, too.
            Err(_) if place == Place::AsGiven => None,
            read => read?,
        };
        let append_time_ms = match place {
            Place::Next { .. } if self.config.append_time => self.now_ms,
            _ => -1,
        };
        let timestamp = if append_time_ms >= 0 { append_time_ms } else { header.max_timestamp };
        self.make_room(&header, base_offset, timestamp)?;
        batch::assign(&mut batch, base_offset, epoch);
        if append_time_ms >= 0 {
            batch::stamp_append_time(&mut batch, append_time_ms);
        }
        let header = parse(&batch)?;
        self.next_offset = header.next_offset();
        self.latest_epoch = self.latest_epoch.max(epoch);
        self.run.push(Ready { slot, header, marker, bytes: batch.freeze(), append_time_ms });
        Ok(())
    }

    fn check_failed(&self) -> Result<(), AppendError> {
        self.failed.clone().map_or(Ok(()), Err)
    }

    fn placed(&self, header: &BatchHeader, place: Place) -> Result<(Offset, LeaderEpoch), AppendError> {
        let (base_offset, epoch) = match place {
            Place::Next { leader_epoch } | Place::Relayed { leader_epoch } => {
                (self.next_offset, leader_epoch)
            }
            Place::AsGiven => (header.base_offset, header.leader_epoch),
        };
        if base_offset < self.next_offset {
            return Err(AppendError::NotAfterEnd { base_offset, log_end: self.next_offset });
        }
        if epoch < self.latest_epoch && epoch != LeaderEpoch::NONE {
            return Err(AppendError::LowerLeaderEpoch { epoch, latest: self.latest_epoch });
        }
        let last = base_offset.0.checked_add(i64::from(header.last_offset_delta) + 1);
        last.ok_or(BatchError::BadRecords("offsets end here"))?;
        Ok((base_offset, epoch))
    }

    fn check_size(&self, header: &BatchHeader) -> Result<(), AppendError> {
        let (size, segment_bytes) =
            (header.size_bytes, self.config.segment_bytes.min(limits::SEGMENT_BYTES_MAX));
        if size as u64 > segment_bytes {
            return Err(AppendError::LargerThanSegment { size, segment_bytes });
        }
        Ok(())
    }

    fn find_duplicate(&mut self, header: &BatchHeader) -> Result<Option<Appended>, AppendError> {
        match self.run.producers.get(&header.producer_id) {
            Some(before) if continues(before, header) => return Ok(None),
            // Producer state must know what the run holds before it can judge.
            Some(_) => self.flush()?,
            None => {}
        }
        match self.writer.producers.check(header)? {
            Verdict::New => Ok(None),
            Verdict::Duplicate { base_offset, last_offset, timestamp } => Ok(Some(Appended {
                base_offset,
                last_offset,
                append_time_ms: if self.config.append_time { timestamp } else { -1 },
                log_start: self.log_start,
                duplicate: true,
            })),
        }
    }

    /// Has an active segment that can take the batch after what the run holds.
    fn make_room(
        &mut self,
        header: &BatchHeader,
        base_offset: Offset,
        timestamp: i64,
    ) -> Result<(), AppendError> {
        let gap = base_offset - self.next_offset;
        let base = if gap >= limits::GAP_NEW_SEGMENT { base_offset } else { self.next_offset };
        let Some(active) = self.writer.active.clone() else {
            // An empty log starts where its first batch says.
            self.log_start = base_offset;
            return self.changed(|log, writer, now_ms| roll::start(log, writer, base_offset, now_ms));
        };
        let size = active.size() + self.run.bytes;
        let last = base_offset.plus(i64::from(header.last_offset_delta));
        let reach =
            roll::Reach { size, batch_bytes: header.size_bytes as u64, relative_offset: last - active.base };
        let due = roll::is_due(&self.config, reach, self.age(timestamp), active.is_index_full());
        if due || gap >= limits::GAP_NEW_SEGMENT {
            self.flush()?;
            self.changed(|log, writer, now_ms| roll::roll(log, writer, base, now_ms))?;
        }
        Ok(())
    }

    /// How much younger than the active segment's first batch this timestamp is.
    fn age(&self, timestamp: i64) -> i64 {
        let first =
            self.run.ready.first().map(|ready| ready.header.max_timestamp).filter(|first| *first >= 0);
        match self.writer.age.first_timestamp.or(first) {
            Some(first) if timestamp >= 0 => timestamp.saturating_sub(first),
            _ => self.now_ms.saturating_sub(self.writer.age.created_ms),
        }
    }

    fn changed(
        &mut self,
        change: impl FnOnce(&Log, &mut Writer, i64) -> Result<(), roll::Failed>,
    ) -> Result<(), AppendError> {
        let changed = change(self.log, self.writer, self.now_ms);
        changed.map_err(|failed| match failed {
            roll::Failed::NoSpace => self.fail(AppendError::NoSpace),
            roll::Failed::Offline(reason) => {
                let text = self.log.take_offline(reason);
                self.fail(AppendError::Offline(text))
            }
        })
    }

    /// Writes the run, then lets all state know of it.
    fn flush(&mut self) -> Result<(), AppendError> {
        let run = std::mem::take(&mut self.run);
        let Some(active) = self.writer.active.clone().filter(|_| !run.ready.is_empty()) else {
            return Ok(());
        };
        if let Err(error) = self.write(&active, &run) {
            let error = self.undo(&active, error);
            self.outcomes.extend(run.ready.iter().map(|ready| (ready.slot, Err(error.clone()))));
            return Err(error);
        }
        self.record(&active, run);
        Ok(())
    }

    fn write(&mut self, active: &Segment, run: &Run) -> io::Result<()> {
        let shared = &self.log.shared;
        // Before the write: the index may have to be read, and that may fail.
        active.grow(shared, |_| ()).map_err(ScanError::into_io)?;
        let file = match self.writer.dirty.file() {
            Some(file) => Arc::clone(file),
            None => active.file(shared)?,
        };
        let slices: Vec<_> = run.ready.iter().map(|ready| IoSlice::new(&ready.bytes)).collect();
        self.writer.dirty.wrote(Arc::clone(&file));
        self.writer.changed = true;
        file.write_at(&slices, active.size())
    }

    fn undo(&mut self, active: &Segment, error: io::Error) -> AppendError {
        let cut_off = is_no_space(&error)
            .then(|| self.writer.dirty.file().map(|file| file.set_length(active.size())))
            .flatten();
        match cut_off {
            Some(Ok(())) => self.fail(AppendError::NoSpace),
            _ => {
                let text = self.log.take_offline(write_failed(error));
                self.fail(AppendError::Offline(text))
            }
        }
    }

    /// Nothing in the run or after it is appended; offsets go on where the file ends.
    fn fail(&mut self, error: AppendError) -> AppendError {
        self.failed = Some(error.clone());
        error
    }

    fn record(&mut self, active: &Segment, run: Run) {
        let (log, writer) = (self.log, &mut *self.writer);
        let mut position = active.size();
        let journals = self.config.sync && log.shared.settings.journal_bytes_max > 0;
        let batches = || run.ready.iter().map(|ready| ready.bytes.clone()).collect();
        let piece = || Piece { segment: active.base, position, batches: batches() };
        writer.dirty.waits(journals.then(piece));
        let interval_bytes = self.config.index_interval_bytes;
        let first = run.ready.first().map(|ready| ready.header.max_timestamp);
        if position == 0 {
            writer.age.first_timestamp = first.filter(|timestamp| *timestamp >= 0);
        }
        let grown = active.grow(&log.shared, |index| {
            for ready in &run.ready {
                index.add(&ready.header, position, interval_bytes);
                position += ready.header.size_bytes as u64;
            }
        });
        debug_assert!(grown.is_ok(), "the index was in memory before the write");
        let mut epochs = log.epochs.lock();
        for ready in run.ready {
            let header = ready.header;
            writer.producers.record(&header, ready.marker, self.now_ms);
            writer.epochs_changed |= epochs.assign(header.leader_epoch, header.base_offset);
            log.recent.push_for(&log.shared.recent, &header, ready.bytes);
            let appended = Appended {
                base_offset: header.base_offset,
                last_offset: header.last_offset(),
                append_time_ms: ready.append_time_ms,
                log_start: self.log_start,
                duplicate: false,
            };
            self.outcomes.push((ready.slot, Ok(appended)));
        }
        drop(epochs);
        active.publish_size(position);
    }

    fn finish(mut self) -> Vec<(Slot, Outcome)> {
        // A failure is in the outcomes already.
        let _ = self.flush();
        let before = self.log.ends();
        if self.failed.is_some() {
            // What a failed run was to hold did not come: the end is what was recorded.
            let appended = self.outcomes.iter().filter_map(|(_, outcome)| outcome.as_ref().ok());
            let last = appended
                .filter(|appended| !appended.duplicate)
                .map(|appended| appended.last_offset.plus(1))
                .max();
            // A first segment may be there though its first batch is not.
            self.next_offset = last.unwrap_or(before.log_end).max(self.log_start);
        }
        if self.next_offset == before.log_end {
            return self.outcomes;
        }
        let mut ends = LogEnds { log_start: self.log_start, log_end: self.next_offset, ..before };
        ends.durable_end = ends.durable_end.max(ends.log_start);
        ends.high_watermark =
            if self.config.sync { ends.high_watermark.max(ends.log_start) } else { ends.log_end };
        self.writer.publish(self.log, ends);
        self.outcomes
    }
}

impl Run {
    fn push(&mut self, ready: Ready) {
        self.bytes += ready.header.size_bytes as u64;
        if ready.header.has_producer_id() {
            self.producers.insert(ready.header.producer_id, ready.header);
        }
        self.ready.push(ready);
    }
}

/// Whether the batch is plainly the producer's next after one that is about to be written.
fn continues(before: &BatchHeader, batch: &BatchHeader) -> bool {
    let (id, epoch, sequence) = (before.producer_id, before.producer_epoch, before.last_sequence());
    let next: (ProducerId, ProducerEpoch, Sequence) = (id, epoch, sequence.plus(1));
    sequence != Sequence::NONE
        && next == (batch.producer_id, batch.producer_epoch, batch.base_sequence)
        && before.attributes.is_transactional() == batch.attributes.is_transactional()
        && !before.attributes.is_control()
        && !batch.attributes.is_control()
}

fn parse(batch: &[u8]) -> Result<BatchHeader, BatchError> {
    let header = BatchHeader::parse(batch)?;
    match batch.len().checked_sub(header.size_bytes) {
        None => Err(BatchError::Truncated { needed: header.size_bytes, found: batch.len() }),
        Some(0) if header.last_offset_delta < 0 => {
            Err(BatchError::BadRecords("the last offset delta is negative"))
        }
        Some(0) => Ok(header),
        Some(trailing) => Err(BatchError::TrailingBytes(trailing)),
    }
}

impl From<SequenceError> for AppendError {
    fn from(error: SequenceError) -> Self {
        match error {
            SequenceError::OutOfOrder { producer_id, expected, found } => {
                Self::OutOfOrderSequence { producer_id, sequence: found, expected }
            }
            SequenceError::StaleEpoch { producer_id, current, found } => {
                Self::StaleProducerEpoch { producer_id, epoch: found, current }
            }
            SequenceError::OpenTransaction { producer_id, since } => {
                Self::OpenTransaction { producer_id, since }
            }
        }
    }
}
