//! What all logs of a directory share.

use std::{
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::Mutex;

use crate::{
    Clock, LogDirSettings, Storage,
    files::{Files, SegmentId},
    janitor::Janitor,
    marks::Marks,
    recent::Recent,
    segment::Indexes,
};

pub(crate) struct Shared {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) root: PathBuf,
    pub(crate) settings: LogDirSettings,
    pub(crate) files: Files,
    pub(crate) indexes: Indexes,
    pub(crate) recent: Recent,
    pub(crate) marks: Mutex<Marks>,
    pub(crate) janitor: Janitor,
    ids: AtomicU64,
}

impl Shared {
    pub(crate) fn new(
        storage: Arc<dyn Storage>,
        clock: Arc<dyn Clock>,
        root: PathBuf,
        settings: LogDirSettings,
        marks: Marks,
        janitor: Janitor,
    ) -> Self {
        Self {
            files: Files::new(settings.open_files_max),
            indexes: Indexes::new(settings.index_bytes_max),
            recent: Recent::new(settings.recent_bytes_max),
            marks: Mutex::new(marks),
            janitor,
            ids: AtomicU64::new(0),
            storage,
            clock,
            root,
            settings,
        }
    }

    pub(crate) fn next_segment_id(&self) -> SegmentId {
        SegmentId(self.next_id())
    }

    pub(crate) fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }
}

/// The disk has no room: the one write error that passes.
pub(crate) fn is_no_space(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
