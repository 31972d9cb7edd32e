//! Opening a log that is on disk.
//!
//! ```text
//!   found     what the directory holds            scan    after a crash: every batch from the recovery point on
//!   trusted   after a clean shutdown: no scan     state   producers and epochs, as far as they are not in the scan
//! ```
//!
//! Promises:
//! 1. What is damaged below the recovery point is not touched: the log opens quarantined, with file, position and offset.
//! 2. What is damaged above it is a torn tail, and cut off.
//! 3. Nothing recovered is visible before it was synced: the crash may have come before the sync that would have been.

mod found;
mod scan;
mod state;
mod trusted;

pub(crate) use found::{Found, find, sync_topic_id, topic_id};
pub(crate) use state::{age, load_producers};

use std::{io, path::Path, sync::Arc};

use protocol::{Offset, TopicPartition};

use crate::{
    LogEnds, OpenError,
    epochs::LeaderEpochs,
    errors::{Corruption, OfflineReason},
    log::Opened,
    names::Kind,
    producers::Producers,
    segment::{ScanError, Segment},
    shared::Shared,
    storage::Open,
    writer::{Age, Dirty, Writer, sync_failed},
};

/// What is known of a log when its segments have been looked at.
struct Recovered {
    segments: Vec<Arc<Segment>>,
    log_end: Offset,
    producers: Producers,
    epochs: LeaderEpochs,
    epochs_changed: bool,
    /// Not what a clean shutdown leaves.
    changed: bool,
    offline: Option<OfflineReason>,
}

/// `clean`: the last shutdown of the directory was.
pub(crate) fn open(
    shared: &Shared,
    id: &TopicPartition,
    dir: &Arc<Path>,
    found: Option<Found>,
    clean: bool,
) -> Result<Opened, OpenError> {
    let Some(found) = found else { return Ok(empty(false)) };
    let failed = |error: io::Error| OpenError::Io { path: dir.to_path_buf(), error };
    found.remove_leftovers(shared, dir);
    let (mark, start, producer_start) = {
        let marks = shared.marks.lock();
        let mark = marks.recovery_point(id).unwrap_or(Offset::ZERO);
        (mark, marks.log_start(id).unwrap_or(Offset::ZERO), marks.producer_start(id))
    };
    let segments = found.segments(shared, dir).map_err(failed)?;
    let Some(first) = segments.first() else {
        // A log that was ever durable has a segment.
        let missing = (mark > Offset::ZERO).then(|| missing_segment(dir, mark));
        return Ok(Opened { offline: missing, ..empty(true) });
    };
    let log_start = start.max(first.base);
    let segments = drop_below(shared, segments, log_start);
    let trusted = if clean { trusted::open(shared, dir, &segments, producer_start, mark) } else { None };
    let mut recovered = match trusted {
        Some(recovered) => recovered,
        None => scan::recover(shared, dir, segments, producer_start, mark)
            .map_err(|error| failed(error.into_io()))?,
    };
    if recovered.offline.is_none() {
        start_anew_above(shared, dir, &mut recovered, log_start).map_err(failed)?;
        found.remove_snapshots(shared, dir, &recovered.segments, recovered.log_end);
        let mut marks = shared.marks.lock();
        marks.set_recovery_point(id, recovered.log_end);
        if producer_start > recovered.log_end {
            // A cut tail took the barrier's place along. Durable before the first append, which must not be overlooked.
            marks.set_producer_start(id, recovered.log_end);
            marks.write(&*shared.storage).map_err(failed)?;
        }
    }
    finish(shared, recovered, log_start).map_err(|error| failed(error.into_io()))
}

fn empty(made: bool) -> Opened {
    let age = Age { first_timestamp: None, created_ms: 0 };
    Opened {
        ends: LogEnds::empty_at(Offset::ZERO),
        segments: Vec::new(),
        epochs: LeaderEpochs::new(),
        writer: Writer::new(made, None, age, Producers::new()),
        offline: None,
    }
}

fn missing_segment(dir: &Path, mark: Offset) -> OfflineReason {
    OfflineReason::Corrupt(Corruption {
        file: dir.to_owned(),
        position: 0,
        offset: Offset::ZERO,
        what: format!("no segment is there, but the log was durable up to {mark}"),
    })
}

/// Segments below the log start were deleted before the crash, and came back, one or another of them: looking at them
/// would find holes.
fn drop_below(shared: &Shared, mut segments: Vec<Arc<Segment>>, log_start: Offset) -> Vec<Arc<Segment>> {
    let below =
        segments.windows(2).take_while(|pair| pair.get(1).is_some_and(|next| next.base <= log_start)).count();
    let kept = segments.split_off(below);
    segments.iter().for_each(|segment| remove_files(shared, segment));
    kept
}

fn remove_files(shared: &Shared, segment: &Segment) {
    shared.files.forget(segment.id);
    for kind in Kind::ALL {
        // Tried again when the log is opened the next time.
        let _ = shared.storage.remove_file(&segment.path(kind));
    }
}

/// Records may be lost that were never promised, while the log start above them was: then the log goes on there.
fn start_anew_above(
    shared: &Shared,
    dir: &Arc<Path>,
    recovered: &mut Recovered,
    log_start: Offset,
) -> io::Result<()> {
    if recovered.log_end >= log_start {
        return Ok(());
    }
    let segment = Arc::new(Segment::new(shared.next_segment_id(), dir, log_start, 0));
    shared.storage.open(&segment.path(Kind::Log), Open::Create)?;
    // A directory without a segment would look damaged: the new one first.
    shared.storage.sync_dir(dir)?;
    recovered.segments.iter().for_each(|segment| remove_files(shared, segment));
    // And the old ones must not come back: then the new one would look like the part behind a hole.
    shared.storage.sync_dir(dir)?;
    recovered.segments = vec![segment];
    recovered.log_end = log_start;
    recovered.changed = true;
    Ok(())
}

fn finish(shared: &Shared, recovered: Recovered, log_start: Offset) -> Result<Opened, ScanError> {
    let Recovered { segments, log_end, mut producers, epochs, epochs_changed, changed, offline } = recovered;
    let age = if offline.is_none() {
        age(shared, segments.last())?
    } else {
        Age { first_timestamp: None, created_ms: 0 }
    };
    let log_end = log_end.max(log_start);
    let last_stable = producers.last_stable(log_end).max(log_start);
    let ends = LogEnds { log_start, durable_end: log_end, high_watermark: log_end, last_stable, log_end };
    let mut writer = Writer::new(true, segments.last().cloned(), age, producers);
    writer.epochs_changed = epochs_changed;
    writer.changed = changed;
    writer.dirty = Dirty::default();
    Ok(Opened { ends, segments, epochs, writer, offline })
}

fn sync_reason(error: io::Error) -> OfflineReason {
    sync_failed(error)
}
