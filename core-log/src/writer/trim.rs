//! The log start moves up. First on disk, then for readers, then the segments below it go.

use std::{path::PathBuf, sync::Arc};

use protocol::Offset;

use super::{Writer, roll, sync};
use crate::{
    ChangeError, CleanReport, Intake, LogEnds,
    janitor::Job,
    log::Log,
    names::{self, Kind},
    retention::{SegmentFacts, plan_retention},
    segment::Segment,
};

pub(crate) fn advance_start(log: &Log, writer: &mut Writer, offset: Offset) -> Result<Offset, ChangeError> {
    if let Some(reason) = log.offline() {
        return Err(ChangeError::Offline(reason));
    }
    let LogEnds { log_start, high_watermark, log_end, durable_end, .. } = log.ends();
    if offset > high_watermark {
        return Err(ChangeError::OutOfRange { log_start, log_end });
    }
    if offset <= log_start {
        return Ok(log_start);
    }
    // A log start above what survives a power cut would make the log end go back below it.
    if offset > durable_end {
        sync(log, writer).map_err(ChangeError::Offline)?;
    }
    let mut marks = log.shared.marks.lock();
    marks.set_log_start(log.id(), offset);
    if let Err(error) = marks.write(&*log.shared.storage) {
        marks.set_log_start(log.id(), log_start);
        return Err(error.into());
    }
    drop(marks);
    writer.epochs_changed |= log.epochs.lock().truncate_from_start(offset);
    writer.changed = true;
    let ends = log.ends();
    writer.publish(log, LogEnds { log_start: offset, ..ends });
    drop_below(log, offset);
    Ok(offset)
}

/// One retention pass over one log.
pub(crate) fn clean(log: &Log, writer: &mut Writer, now_ms: i64) -> Result<CleanReport, ChangeError> {
    if let Some(reason) = log.offline() {
        return Err(ChangeError::Offline(reason));
    }
    let expiry = i64::try_from(log.shared.settings.producer_expiry.as_millis()).unwrap_or(i64::MAX);
    writer.producers.expire(now_ms, expiry);
    let (config, ends, segments) = (log.config(), log.ends(), log.segments());
    // A replica's start follows its original's; a closed log waits for whoever opens it.
    if !config.delete || config.intake != Intake::Writers || segments.is_empty() {
        return Ok(CleanReport { logs: 1, ..CleanReport::default() });
    }
    let facts = facts(log, &segments, ends)?;
    let going = plan_retention(&facts, &config, ends.high_watermark, now_ms);
    if going == 0 {
        return Ok(CleanReport { logs: 1, ..CleanReport::default() });
    }
    if going == segments.len() {
        roll::roll(log, writer, ends.log_end, now_ms).map_err(|failed| match failed {
            roll::Failed::NoSpace => ChangeError::Io(std::io::ErrorKind::StorageFull.into()),
            roll::Failed::Offline(reason) => ChangeError::Offline(log.take_offline(reason)),
        })?;
    }
    let start = log.segments().get(going).map_or(ends.log_end, |segment| segment.base);
    advance_start(log, writer, start)?;
    let bytes_deleted = facts.iter().take(going).map(|segment| segment.bytes).sum();
    Ok(CleanReport { logs: 1, segments_deleted: going, bytes_deleted, failures: 0 })
}

fn facts(log: &Log, segments: &[Arc<Segment>], ends: LogEnds) -> Result<Vec<SegmentFacts>, ChangeError> {
    let next = segments.iter().skip(1).map(|segment| segment.base).chain([ends.log_end]);
    let facts = segments.iter().zip(next).map(|(segment, end)| {
        let largest = segment.largest(&log.shared).map_err(crate::segment::ScanError::into_io)?;
        let largest_timestamp = largest.map(|(timestamp, _)| timestamp).filter(|timestamp| *timestamp >= 0);
        Ok(SegmentFacts { base: segment.base, end, bytes: segment.size(), largest_timestamp })
    });
    facts.collect()
}

/// Segments that lie wholly below `offset` leave the log; the last one stays.
fn drop_below(log: &Log, offset: Offset) {
    let segments = log.segments();
    let going =
        segments.windows(2).take_while(|pair| pair.get(1).is_some_and(|next| next.base <= offset)).count();
    if going == 0 {
        return;
    }
    let (gone, kept) = segments.split_at(going);
    log.publish_segments(kept.to_vec());
    let files = gone.iter().flat_map(|segment| set_aside(log, segment)).collect();
    log.shared.janitor.send(Job::RemoveFiles(files));
}

/// Renames a segment's files to what marks them as deleted; a crash before they are removed does not bring them back.
pub(super) fn set_aside(log: &Log, segment: &Segment) -> Vec<PathBuf> {
    log.shared.files.forget(segment.id);
    log.shared.indexes.forget(segment.id);
    let renamed = Kind::ALL.into_iter().filter_map(|kind| {
        let path = segment.path(kind);
        let deleted = names::deleted(&path);
        // A segment need not have all kinds of files.
        log.shared.storage.rename(&path, &deleted).ok().map(|()| deleted)
    });
    renamed.collect()
}
