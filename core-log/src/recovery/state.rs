//! What stands beside the segments and can be had from them: producers, epochs, the active segment's age.

use std::{path::Path, sync::Arc};

use protocol::{Offset, batch::HEADER_SIZE};

use crate::{
    epochs::{LEADER_EPOCHS, LeaderEpochs},
    names::{self, Entry, Kind},
    producers::{EndMarker, Producers},
    segment::{Found, ScanError, Scanner, Segment},
    shared::Shared,
    storage,
    writer::Age,
};

const WINDOW_BYTES: usize = 16 * 1024;
/// Larger state files than this are not ours.
const FILE_BYTES_MAX: usize = 256 << 20;

/// The producers of a log that ends at `end`: the newest snapshot that can be read, and the batches after it. What lies below
/// `producer_start` is not looked at; the state there is that nothing is known.
pub(crate) fn load_producers(
    shared: &Shared,
    dir: &Path,
    segments: &[Arc<Segment>],
    producer_start: Offset,
    end: Offset,
) -> Result<Producers, ScanError> {
    let (mut producers, from) =
        newest_snapshot(shared, dir, producer_start, end)?.unwrap_or((Producers::new(), producer_start));
    let first = segments.partition_point(|segment| segment.base <= from).saturating_sub(1);
    for segment in segments.get(first..).unwrap_or_default() {
        if segment.base >= end || from >= end {
            break;
        }
        let position = segment.position_before(shared, from)?;
        let file = segment.file(shared)?;
        let mut scanner = Scanner::new(&*file, position, segment.size(), segment.base, WINDOW_BYTES);
        while let Some(found) = scanner.next()? {
            if found.header.base_offset >= end {
                break;
            }
            if found.header.base_offset >= from {
                record(&mut producers, &mut scanner, &found, shared)?;
            }
        }
    }
    Ok(producers)
}

/// Takes up a batch that the log holds.
pub(super) fn record(
    producers: &mut Producers,
    scanner: &mut Scanner<'_>,
    found: &Found,
    shared: &Shared,
) -> Result<(), ScanError> {
    let marker = if found.header.attributes.is_control() {
        // One that cannot be read ends no transaction; the batch itself is whole.
        EndMarker::read(&found.header, scanner.batch(found)?).unwrap_or_default()
    } else {
        None
    };
    producers.record(&found.header, marker, shared.clock.wall_ms());
    Ok(())
}

fn newest_snapshot(
    shared: &Shared,
    dir: &Path,
    above: Offset,
    end: Offset,
) -> Result<Option<(Producers, Offset)>, ScanError> {
    let names = shared.storage.list(dir)?;
    let mut offsets: Vec<Offset> = names
        .iter()
        .filter_map(|name| match names::parse_entry(name.to_str()?) {
            Entry::Segment(offset, Kind::Snapshot) if above < offset && offset <= end => Some(offset),
            _ => None,
        })
        .collect();
    offsets.sort_unstable();
    let read = |offset: &Offset| {
        let path = names::segment_file(dir, *offset, Kind::Snapshot);
        let bytes = storage::read_whole(&*shared.storage, &path, FILE_BYTES_MAX).ok()?;
        Some((Producers::from_snapshot(&bytes, *offset).ok()?, *offset))
    };
    Ok(offsets.iter().rev().find_map(read))
}

/// `None`: to be rebuilt.
pub(super) fn load_epochs(shared: &Shared, dir: &Path) -> Option<LeaderEpochs> {
    let bytes = storage::read_whole(&*shared.storage, &dir.join(LEADER_EPOCHS), FILE_BYTES_MAX).ok()?;
    LeaderEpochs::parse(&bytes).ok()
}

/// The epochs of all batches in these segments.
pub(super) fn rebuild_epochs(shared: &Shared, segments: &[Arc<Segment>]) -> Result<LeaderEpochs, ScanError> {
    let mut epochs = LeaderEpochs::new();
    for segment in segments {
        let file = segment.file(shared)?;
        let mut scanner = Scanner::new(&*file, 0, segment.size(), segment.base, WINDOW_BYTES);
        while let Some(found) = scanner.next()? {
            epochs.assign(found.header.leader_epoch, found.header.base_offset);
        }
    }
    Ok(epochs)
}

pub(crate) fn age(shared: &Shared, active: Option<&Arc<Segment>>) -> Result<Age, ScanError> {
    let created_ms = shared.clock.wall_ms();
    let Some(active) = active.filter(|active| active.size() > 0) else {
        return Ok(Age { first_timestamp: None, created_ms });
    };
    let file = active.file(shared)?;
    let mut scanner = Scanner::new(&*file, 0, active.size(), active.base, HEADER_SIZE);
    let first = scanner.next()?.map(|found| found.header.max_timestamp);
    Ok(Age { first_timestamp: first.filter(|timestamp| *timestamp >= 0), created_ms })
}
