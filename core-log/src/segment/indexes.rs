//! Indexes of segments that do not grow: read from their files when asked for, kept under a limit, rebuilt from the log
//! when missing or wrong.

use std::{
    collections::{HashMap, VecDeque},
    io,
    sync::Arc,
};

use parking_lot::Mutex;

use protocol::batch::HEADER_SIZE;

use super::{ScanError, Scanner, Segment};
use crate::{
    files::SegmentId,
    index::{OffsetIndex, SegmentIndex, TimeIndex},
    limits,
    names::Kind,
    shared::Shared,
    storage::{self, Open},
};

/// Headers only: a window that usually holds the next one, or is not much to read in vain.
const HEADER_WINDOW_BYTES: usize = 4096;
/// Entries per rebuilt index are as dense as Kafka's default.
const REBUILT_INTERVAL_BYTES: u32 = 4096;
/// What an entry costs besides its vectors.
const OVERHEAD_BYTES: usize = 256;

/// The most recently loaded indexes.
pub(crate) struct Indexes {
    bytes_max: usize,
    loaded: Mutex<Loaded>,
}

#[derive(Default)]
struct Loaded {
    indexes: HashMap<SegmentId, Arc<SegmentIndex>>,
    order: VecDeque<SegmentId>,
    bytes: usize,
}

impl Indexes {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, loaded: Mutex::default() }
    }

    pub(crate) fn get(&self, shared: &Shared, segment: &Segment) -> Result<Arc<SegmentIndex>, ScanError> {
        if let Some(index) = self.loaded.lock().indexes.get(&segment.id) {
            return Ok(Arc::clone(index));
        }
        let index = match load(shared, segment)? {
            Some(index) => index,
            None => rebuild(shared, segment)?,
        };
        let index = Arc::new(index);
        self.loaded.lock().insert(segment.id, Arc::clone(&index), self.bytes_max);
        Ok(index)
    }

    pub(crate) fn forget(&self, id: SegmentId) {
        self.loaded.lock().remove(id);
    }
}

impl Loaded {
    fn insert(&mut self, id: SegmentId, index: Arc<SegmentIndex>, bytes_max: usize) {
        self.remove(id);
        self.bytes += cost(&index);
        self.indexes.insert(id, index);
        self.order.push_back(id);
        // The newest one stays even when it is larger than all may be.
        while self.bytes > bytes_max && self.order.len() > 1 {
            let Some(oldest) = self.order.front().copied() else { break };
            self.remove(oldest);
        }
    }

    fn remove(&mut self, id: SegmentId) {
        if let Some(index) = self.indexes.remove(&id) {
            self.bytes -= cost(&index);
            self.order.retain(|other| *other != id);
        }
    }
}

fn cost(index: &SegmentIndex) -> usize {
    index.bytes() + OVERHEAD_BYTES
}

/// Writes both files so that they are durable before the recovery point passes the segment.
pub(super) fn write(shared: &Shared, segment: &Segment, index: &SegmentIndex) -> io::Result<()> {
    let offsets = write_one(shared, segment, Kind::Index, &index.by_offset.encode());
    let times = write_one(shared, segment, Kind::TimeIndex, &index.by_time.encode());
    offsets.and(times)
}

fn write_one(shared: &Shared, segment: &Segment, kind: Kind, bytes: &[u8]) -> io::Result<()> {
    let path = segment.path(kind);
    let written = shared.storage.open(&path, Open::Create).and_then(|file| {
        file.write_at(&[io::IoSlice::new(bytes)], 0)?;
        file.sync_data()
    });
    if written.is_err() {
        // No index is better than a part of one; if even that fails, loading finds out.
        let _ = shared.storage.remove_file(&path);
    }
    written
}

/// `None`: missing, or not an index of this segment.
fn load(shared: &Shared, segment: &Segment) -> Result<Option<SegmentIndex>, ScanError> {
    let bytes_max = limits::INDEX_ENTRIES_MAX * TimeIndex::ENTRY_BYTES;
    let read = |kind| match storage::read_whole(&*shared.storage, &segment.path(kind), bytes_max) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidData) => {
            Ok(None)
        }
        Err(error) => Err(error),
    };
    let (Some(offsets), Some(times)) = (read(Kind::Index)?, read(Kind::TimeIndex)?) else { return Ok(None) };
    let by_offset = OffsetIndex::decode(segment.base, &offsets, segment.size());
    let by_time = TimeIndex::decode(segment.base, &times);
    let (Some(by_offset), Some(by_time)) = (by_offset, by_time) else { return Ok(None) };
    let has_batches = segment.size() > 0;
    if has_batches && by_time.last().is_none() || !points_at_a_batch(shared, segment, &by_offset)? {
        return Ok(None);
    }
    Ok(Some(SegmentIndex::loaded(by_offset, by_time)))
}

/// Whether the last entry is about the batch that stands there.
fn points_at_a_batch(shared: &Shared, segment: &Segment, index: &OffsetIndex) -> Result<bool, ScanError> {
    let Some((offset, position)) = index.last() else { return Ok(true) };
    let file = segment.file(shared)?;
    let mut scanner = Scanner::new(&*file, position, segment.size(), segment.base, HEADER_SIZE);
    match scanner.next() {
        Ok(Some(found)) => Ok(found.header.last_offset() == offset),
        Ok(None) | Err(ScanError::Bad { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

fn rebuild(shared: &Shared, segment: &Segment) -> Result<SegmentIndex, ScanError> {
    let mut index = SegmentIndex::new(segment.base);
    let file = segment.file(shared)?;
    let mut scanner = Scanner::new(&*file, 0, segment.size(), segment.base, HEADER_WINDOW_BYTES);
    while let Some(found) = scanner.next()? {
        index.add(&found.header, found.position, REBUILT_INTERVAL_BYTES);
    }
    index.seal();
    Ok(index)
}
