//! The log's tail goes: a replica found that its history parts from the leader's.

use std::{io, sync::Arc};

use protocol::Offset;

use super::{Writer, barrier, roll, sync_failed, trim, write_failed};
use crate::{
    ChangeError, LogEnds,
    errors::OfflineReason,
    janitor::Job,
    log::Log,
    names::{self, Entry, Kind},
    recovery,
    segment::{ScanError, Scanner, Segment},
};

const WINDOW_BYTES: usize = 4096;

/// Answers the new log end. An error after files changed takes the log offline: only opening it anew tells what is left.
pub(crate) fn truncate(log: &Log, writer: &mut Writer, offset: Offset) -> Result<Offset, ChangeError> {
    if let Some(reason) = log.offline() {
        return Err(ChangeError::Offline(reason));
    }
    let ends = log.ends();
    if offset >= ends.log_end {
        return Ok(ends.log_end);
    }
    if offset < ends.log_start {
        return Err(ChangeError::OutOfRange { log_start: ends.log_start, log_end: ends.log_end });
    }
    writer.settle(log).map_err(|error| ChangeError::Offline(log.take_offline(sync_failed(error))))?;
    let cut = find(log, offset)?;
    let new_end = cut.new_end.max(ends.log_start);
    lower_mark(log, cut.new_end)?;

    log.mark_cut();
    let below = |end: Offset| end.min(new_end);
    let ends = LogEnds {
        log_start: ends.log_start,
        durable_end: below(ends.durable_end),
        high_watermark: below(ends.high_watermark),
        last_stable: below(ends.last_stable),
        log_end: new_end,
    };
    log.publish_ends(ends);
    log.recent.truncate(new_end);
    let files_cut = if cut.new_end < ends.log_start {
        restart_files(log, writer, &cut, new_end)
    } else {
        cut_files(log, writer, &cut, new_end)
    };
    let done = files_cut
        .and_then(|()| barrier::lower(log, new_end).map_err(write_failed))
        .and_then(|()| rebuild_state(log, writer, new_end).map_err(|error| write_failed(error.into_io())));
    log.mark_cut();
    done.map_err(|reason| ChangeError::Offline(log.take_offline(reason)))?;
    // All that is left was synced with the cut.
    writer.publish(log, LogEnds { durable_end: new_end, high_watermark: new_end, ..ends });
    Ok(new_end)
}

struct Cut {
    /// Segments after this one go.
    segment: usize,
    position: u64,
    new_end: Offset,
}

/// The first batch that does not lie wholly before `offset`. The log then ends where the batch before it does: an end within a
/// gap would be forgotten with the process.
fn find(log: &Log, offset: Offset) -> Result<Cut, ChangeError> {
    let (shared, segments) = (&log.shared, log.segments());
    let at = segments.partition_point(|segment| segment.base <= offset).saturating_sub(1);
    let Some(segment) = segments.get(at) else {
        return Err(io::Error::other("a log that has records has a segment").into());
    };
    // Less one: so the batch before is seen, too.
    let start = segment.position_before(shared, offset.plus(-1)).map_err(ScanError::into_io)?;
    let file = segment.file(shared)?;
    let mut scanner = Scanner::new(&*file, start, segment.size(), segment.base, WINDOW_BYTES);
    let mut new_end = segment.base;
    while let Some(found) = scanner.next().map_err(ScanError::into_io)? {
        if found.header.next_offset() > offset {
            return Ok(Cut { segment: at, position: found.position, new_end });
        }
        new_end = found.header.next_offset();
    }
    Ok(Cut { segment: at, position: segment.size(), new_end })
}

/// On disk before anything is cut: else a power cut in between would make the log look damaged.
fn lower_mark(log: &Log, new_end: Offset) -> io::Result<()> {
    let mut marks = log.shared.marks.lock();
    if marks.recovery_point(log.id()).is_some_and(|mark| mark > new_end) {
        marks.set_recovery_point(log.id(), new_end);
        marks.write(&*log.shared.storage)?;
    }
    Ok(())
}

fn cut_files(log: &Log, writer: &mut Writer, cut: &Cut, new_end: Offset) -> Result<(), OfflineReason> {
    let segments = log.segments();
    let (kept, gone) = segments.split_at((cut.segment + 1).min(segments.len()));
    writer.dirty.forget_file();
    writer.changed = true;
    // Newest first, so that no crash leaves a hole.
    let files = gone.iter().rev().flat_map(|segment| trim::set_aside(log, segment)).collect();
    remove_snapshots(log, new_end).map_err(write_failed)?;
    if let Some(active) = kept.last() {
        shorten(log, active, cut.position)?;
        writer.active = Some(Arc::clone(active));
    }
    log.publish_segments(kept.to_vec());
    writer.dirty.named();
    writer.sync_files(log).map_err(sync_failed)?;
    log.shared.janitor.send(Job::RemoveFiles(files));
    Ok(())
}

/// The batch that goes holds the log start: nothing is left, and an empty segment takes over there.
fn restart_files(log: &Log, writer: &mut Writer, cut: &Cut, log_start: Offset) -> Result<(), OfflineReason> {
    // What is known of producers outlives their records, as it does when retention deletes them.
    let from = log.shared.marks.lock().producer_start(log.id());
    let producers = recovery::load_producers(&log.shared, &log.dir, &log.segments(), from, cut.new_end);
    writer.producers = producers.map_err(|error| write_failed(error.into_io()))?;
    replace_files(log, writer, log_start)
}

/// An empty segment takes the place of all others; what is known of producers goes with it.
pub(super) fn replace_files(log: &Log, writer: &mut Writer, log_start: Offset) -> Result<(), OfflineReason> {
    writer.write_snapshot(log, log_start).map_err(write_failed)?;
    let fresh = roll::create(log, log_start).map_err(write_failed)?;
    // Before the others go: a directory without a segment would look damaged.
    log.shared.storage.sync_dir(&log.dir).map_err(sync_failed)?;
    let old = log.segments();
    let files = old.iter().rev().flat_map(|segment| trim::set_aside(log, segment)).collect();
    remove_snapshots(log, log_start).map_err(write_failed)?;
    writer.dirty.forget_file();
    writer.dirty.named();
    writer.changed = true;
    writer.active = Some(Arc::clone(&fresh));
    log.publish_segments(vec![fresh]);
    writer.sync_files(log).map_err(sync_failed)?;
    log.shared.janitor.send(Job::RemoveFiles(files));
    Ok(())
}

fn shorten(log: &Log, segment: &Segment, position: u64) -> Result<(), OfflineReason> {
    let file = segment.file(&log.shared).map_err(write_failed)?;
    for kind in [Kind::Index, Kind::TimeIndex] {
        // They may be about what goes. Without them they are rebuilt.
        remove_if_there(log, &segment.path(kind)).map_err(write_failed)?;
    }
    segment.publish_size(position);
    segment.forget_indexes(&log.shared);
    file.set_length(position).map_err(write_failed)?;
    // At once: bytes appended later must never meet those that went.
    file.sync_data().map_err(sync_failed)
}

/// Snapshots of states that the log no longer comes to.
fn remove_snapshots(log: &Log, new_end: Offset) -> io::Result<()> {
    for name in log.shared.storage.list(&log.dir)? {
        let entry = name.to_str().map(names::parse_entry);
        if matches!(entry, Some(Entry::Segment(offset, Kind::Snapshot)) if offset > new_end) {
            remove_if_there(log, &log.dir.join(name))?;
        }
    }
    Ok(())
}

fn remove_if_there(log: &Log, path: &std::path::Path) -> io::Result<()> {
    match log.shared.storage.remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn rebuild_state(log: &Log, writer: &mut Writer, new_end: Offset) -> Result<(), ScanError> {
    let (shared, segments) = (&log.shared, log.segments());
    writer.epochs_changed |= log.epochs.lock().truncate_from_end(new_end);
    writer.write_epochs(log)?;
    let from = shared.marks.lock().producer_start(log.id());
    writer.producers = recovery::load_producers(shared, &log.dir, &segments, from, new_end)?;
    writer.age = recovery::age(shared, segments.last())?;
    Ok(())
}
