//! What a log's directory holds.

use std::{collections::BTreeSet, io, path::Path, sync::Arc};

use protocol::{Offset, TopicId};

use crate::{
    names::{self, Entry, Kind},
    partition_metadata::{PARTITION_METADATA, parse_partition_metadata},
    segment::Segment,
    shared::Shared,
    storage::{self, Open},
};

/// `partition.metadata` has two short lines.
const METADATA_BYTES_MAX: usize = 4096;

pub(crate) struct Found {
    /// Base offsets of segments.
    logs: BTreeSet<Offset>,
    snapshots: BTreeSet<Offset>,
    /// Files that belong to no segment, or to none any more.
    leftovers: Vec<String>,
}

/// `None`: no directory.
pub(crate) fn find(shared: &Shared, dir: &Path) -> io::Result<Option<Found>> {
    let names = match shared.storage.list(dir) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut found = Found { logs: BTreeSet::new(), snapshots: BTreeSet::new(), leftovers: Vec::new() };
    let mut indexes = Vec::new();
    for name in names {
        let Some(name) = name.to_str() else { continue };
        match names::parse_entry(name) {
            Entry::Segment(base, Kind::Log) => drop(found.logs.insert(base)),
            Entry::Segment(offset, Kind::Snapshot) => drop(found.snapshots.insert(offset)),
            Entry::Segment(base, Kind::Index | Kind::TimeIndex) => indexes.push((base, name.to_owned())),
            Entry::Leftover => found.leftovers.push(name.to_owned()),
            Entry::Other => {}
        }
    }
    let orphans = indexes.into_iter().filter(|(base, _)| !found.logs.contains(base)).map(|(_, name)| name);
    found.leftovers.extend(orphans);
    Ok(Some(found))
}

/// The topic that a log's directory says it belongs to; `None` if it does not say.
pub(crate) fn topic_id(shared: &Shared, dir: &Path) -> io::Result<Option<TopicId>> {
    match storage::read_whole(&*shared.storage, &dir.join(PARTITION_METADATA), METADATA_BYTES_MAX) {
        Ok(bytes) => {
            let parsed = parse_partition_metadata(&bytes);
            parsed.map(Some).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes durable what [`topic_id`] found: the crash may have come before the sync that would have.
pub(crate) fn sync_topic_id(shared: &Shared, dir: &Path) -> io::Result<()> {
    match shared.storage.open(&dir.join(PARTITION_METADATA), Open::Write) {
        Ok(file) => file.sync_data(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

impl Found {
    pub(super) fn remove_leftovers(&self, shared: &Shared, dir: &Path) {
        for name in &self.leftovers {
            // Left for the next time if it cannot be removed now.
            let _ = shared.storage.remove_file(&dir.join(name));
        }
    }

    /// With all their bytes readable: what is behind the log's end is found out later.
    pub(super) fn segments(&self, shared: &Shared, dir: &Arc<Path>) -> io::Result<Vec<Arc<Segment>>> {
        let segments = self.logs.iter().map(|base| {
            let path = names::segment_file(dir, *base, Kind::Log);
            let size = shared.storage.open(&path, Open::Read)?.length()?;
            Ok(Arc::new(Segment::new(shared.next_segment_id(), dir, *base, size)))
        });
        segments.collect()
    }

    /// Keeps snapshots that stand at a segment's base or at the log's end: the log came to others on a way it did not go, or
    /// may not have.
    pub(super) fn remove_snapshots(
        &self,
        shared: &Shared,
        dir: &Path,
        segments: &[Arc<Segment>],
        log_end: Offset,
    ) {
        for offset in &self.snapshots {
            let at_segment = segments.iter().any(|segment| segment.base == *offset);
            if !at_segment && *offset != log_end {
                let _ = shared.storage.remove_file(&names::segment_file(dir, *offset, Kind::Snapshot));
            }
        }
    }
}
