//! Starting segments. The one before is sealed: synced, its indexes and a snapshot of the producers written.

use std::{io, io::IoSlice, sync::Arc};

use protocol::{Offset, TopicId};

use super::{Age, Writer, sync_failed, write_failed};
use crate::{
    LogConfig,
    errors::OfflineReason,
    index::SegmentIndex,
    limits,
    log::Log,
    names::Kind,
    partition_metadata::{PARTITION_METADATA, format_partition_metadata},
    segment::Segment,
    shared::is_no_space,
    storage::Open,
};

pub(super) enum Failed {
    NoSpace,
    Offline(OfflineReason),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        if is_no_space(&error) { Self::NoSpace } else { Self::Offline(write_failed(error)) }
    }
}

/// How far the active segment would reach with one more batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reach {
    pub(super) size: u64,
    pub(super) batch_bytes: u64,
    /// Of the batch's last offset, to the segment's base.
    pub(super) relative_offset: i64,
}

/// Whether the next batch goes into a new segment.
pub(super) fn is_due(config: &LogConfig, reach: Reach, age_ms: i64, index_full: bool) -> bool {
    let segment_bytes = config.segment_bytes.min(limits::SEGMENT_BYTES_MAX);
    let too_far = reach.relative_offset > limits::RELATIVE_OFFSET_MAX;
    reach.size > 0
        && (reach.size + reach.batch_bytes > segment_bytes
            || age_ms > config.segment_ms
            || index_full
            || too_far)
}

/// Makes the log's first segment, and its directory if need be.
pub(super) fn start(log: &Log, writer: &mut Writer, base: Offset, now_ms: i64) -> Result<(), Failed> {
    if !writer.made {
        make_dir(log, writer)?;
        writer.made = true;
    }
    let segment = create(log, base)?;
    install(log, writer, segment, now_ms);
    Ok(())
}

/// Seals the active segment and goes on in one that starts at `base`.
pub(super) fn roll(log: &Log, writer: &mut Writer, base: Offset, now_ms: i64) -> Result<(), Failed> {
    // All of it before the next segment has a name: else a power cut could keep that one and lose this one.
    writer.sync_files(log).map_err(|error| Failed::Offline(sync_failed(error)))?;
    let segment = create(log, base)?;
    if let Some(sealed) = &writer.active {
        // All of these can be had from the log again.
        warn(log, "indexes", sealed.rest(&log.shared));
        warn(log, "producer snapshot", writer.write_snapshot(log, base));
        warn(log, "leader epochs", writer.write_epochs(log));
    }
    install(log, writer, segment, now_ms);
    Ok(())
}

/// Nothing is synced yet: whatever makes the first batch durable makes the directory so.
fn make_dir(log: &Log, writer: &mut Writer) -> io::Result<()> {
    let storage = &*log.shared.storage;
    let mut marks = log.shared.marks.lock();
    // Left by a log of this name whose removal a crash cut short. They would make this one look damaged.
    marks.forget(log.id());
    marks.write(storage)?;
    drop(marks);
    storage.create_dir(&log.dir)?;
    let has_id = log.topic_id() != TopicId::ZERO;
    if has_id {
        let file = storage.open(&log.dir.join(PARTITION_METADATA), Open::Create)?;
        file.write_at(&[IoSlice::new(format_partition_metadata(log.topic_id()).as_bytes())], 0)?;
    }
    writer.dirty.made_dir(has_id);
    Ok(())
}

pub(super) fn create(log: &Log, base: Offset) -> io::Result<Arc<Segment>> {
    let shared = &log.shared;
    let segment = Arc::new(Segment::new(shared.next_segment_id(), &log.dir, base, 0));
    let file = shared.storage.open(&segment.path(Kind::Log), Open::Create)?;
    shared.files.put(segment.id, file);
    segment.set_growing(SegmentIndex::new(base));
    Ok(segment)
}

fn install(log: &Log, writer: &mut Writer, segment: Arc<Segment>, now_ms: i64) {
    writer.dirty.named();
    writer.changed = true;
    writer.age = Age { first_timestamp: None, created_ms: now_ms };
    writer.active = Some(Arc::clone(&segment));
    let mut segments = log.segments().to_vec();
    segments.push(segment);
    log.publish_segments(segments);
}

fn warn(log: &Log, what: &str, written: io::Result<()>) {
    if let Err(error) = written {
        tracing::warn!(log = %log.id(), %error, "{what} not written");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_full_by_bytes_age_offsets_or_entries_but_never_while_empty() {
        let config = LogConfig { segment_bytes: 100, segment_ms: 1000, ..LogConfig::default() };
        let reach = |size, relative_offset| Reach { size, batch_bytes: 40, relative_offset };
        assert!(!is_due(&config, reach(60, 5), 1000, false));
        assert!(is_due(&config, reach(61, 5), 0, false));
        assert!(is_due(&config, reach(60, 5), 1001, false));
        assert!(is_due(&config, reach(60, i64::from(i32::MAX) + 1), 0, false));
        assert!(is_due(&config, reach(60, 5), 0, true));
        assert!(!is_due(&config, reach(0, 5), 5000, false));
    }
}
