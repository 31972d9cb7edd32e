//! A segment: one `.log` file of consecutive batches, and its indexes.
//!
//! The last segment of a log grows, under the appender alone; the others are sealed and never change. Readers share
//! segments with the appender: what they may read ends at [`Segment::size`], which moves after the write.

mod indexes;
mod scan;

pub(crate) use indexes::Indexes;
pub(crate) use scan::{Found, ScanError, Scanner, check};

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::Mutex;

use protocol::Offset;

use crate::{
    files::SegmentId,
    index::SegmentIndex,
    names::{self, Kind},
    shared::Shared,
    storage::{File, Open},
};

pub(crate) struct Segment {
    pub(crate) id: SegmentId,
    pub(crate) base: Offset,
    dir: Arc<Path>,
    size: AtomicU64,
    /// The index while it grows; `None`: on disk, or to be rebuilt.
    growing: Mutex<Option<Box<SegmentIndex>>>,
    /// What the time index says last, once somebody asked.
    largest: Mutex<Option<Largest>>,
}

/// The largest timestamp of a segment and the offset of the batch that has it; `None` in a segment without batches.
pub(crate) type Largest = Option<(i64, Offset)>;

impl Segment {
    pub(crate) fn new(id: SegmentId, dir: &Arc<Path>, base: Offset, size: u64) -> Self {
        Self {
            id,
            base,
            dir: Arc::clone(dir),
            size: AtomicU64::new(size),
            growing: Mutex::new(None),
            largest: Mutex::new(None),
        }
    }

    pub(crate) fn path(&self, kind: Kind) -> PathBuf {
        names::segment_file(&self.dir, self.base, kind)
    }

    /// Bytes that may be read.
    pub(crate) fn size(&self) -> u64 {
        self.size.load(Ordering::Acquire)
    }

    /// The appender's, after the bytes are in the file.
    pub(crate) fn publish_size(&self, size: u64) {
        self.size.store(size, Ordering::Release);
    }

    pub(crate) fn file(&self, shared: &Shared) -> io::Result<Arc<dyn File>> {
        // For writing, too: the segment may be the active one, and a sealed one may be truncated back to it.
        shared.files.get(self.id, || shared.storage.open(&self.path(Kind::Log), Open::Write))
    }

    /// A position from which to look for `offset`: no batch that ends after it starts before.
    pub(crate) fn position_before(&self, shared: &Shared, offset: Offset) -> Result<u64, ScanError> {
        self.with_index(shared, |index| index.by_offset.position_before(offset))
    }

    /// A position from which to look for `timestamp`: all records before are older.
    pub(crate) fn position_before_time(&self, shared: &Shared, timestamp: i64) -> Result<u64, ScanError> {
        self.with_index(shared, |index| {
            index.by_offset.position_before(index.by_time.offset_before(timestamp))
        })
    }

    pub(crate) fn largest(&self, shared: &Shared) -> Result<Largest, ScanError> {
        if let Some(growing) = self.growing.lock().as_deref() {
            return Ok(growing.largest());
        }
        if let Some(largest) = *self.largest.lock() {
            return Ok(largest);
        }
        let largest = shared.indexes.get(shared, self)?.largest();
        *self.largest.lock() = Some(largest);
        Ok(largest)
    }

    fn with_index<T>(&self, shared: &Shared, look: impl FnOnce(&SegmentIndex) -> T) -> Result<T, ScanError> {
        if let Some(growing) = self.growing.lock().as_deref() {
            return Ok(look(growing));
        }
        Ok(look(&*shared.indexes.get(shared, self)?))
    }

    /// The appender's: has the index in memory, to grow it.
    pub(crate) fn grow<T>(
        &self,
        shared: &Shared,
        change: impl FnOnce(&mut SegmentIndex) -> T,
    ) -> Result<T, ScanError> {
        if self.growing.lock().is_none() {
            let index = shared.indexes.get(shared, self)?;
            shared.indexes.forget(self.id);
            self.set_growing(SegmentIndex::clone(&index));
        }
        let mut growing = self.growing.lock();
        let index = growing.get_or_insert_with(|| Box::new(SegmentIndex::new(self.base)));
        Ok(change(index))
    }

    /// Whether the growing index has no room for another entry.
    pub(crate) fn is_index_full(&self) -> bool {
        self.growing.lock().as_deref().is_some_and(SegmentIndex::is_full)
    }

    pub(crate) fn set_growing(&self, index: SegmentIndex) {
        *self.growing.lock() = Some(Box::new(index));
    }

    /// The appender's: writes the index files and lets go of the index in memory. What cannot be written is rebuilt
    /// when it is needed, so only the caller's log tells of an error.
    pub(crate) fn rest(&self, shared: &Shared) -> io::Result<()> {
        let Some(mut index) = self.growing.lock().take() else { return Ok(()) };
        index.seal();
        *self.largest.lock() = Some(index.largest());
        indexes::write(shared, self, &index)
    }

    /// Forgets all that is known beside the bytes: they were truncated.
    pub(crate) fn forget_indexes(&self, shared: &Shared) {
        *self.growing.lock() = None;
        *self.largest.lock() = None;
        shared.indexes.forget(self.id);
    }
}

impl std::fmt::Debug for Segment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Segment({}, {} bytes)", self.base, self.size())
    }
}
