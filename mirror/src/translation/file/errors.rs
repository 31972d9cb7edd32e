//! What can go wrong with a table's file, and what to do.

use std::{io, path::PathBuf, sync::Arc};

use crate::translation::{reconcile::ReconcileError, run::RunError};

use super::format::TableKey;

#[derive(Debug, Clone, thiserror::Error)]
pub enum TableError {
    /// The call had no effect; it may be repeated.
    #[error("translation table {path}: {source}")]
    Io { path: PathBuf, source: Arc<io::Error> },
    #[error(
        "translation table {path} is damaged at byte {at}, which was on stable storage: {what}; the target log is intact: \
         rebuild the table from it"
    )]
    Corrupt { path: PathBuf, at: u64, what: &'static str },
    #[error("translation table {path} has format version {version}, this program knows {known}: upgrade it",
        known = super::format::VERSION)]
    UnknownVersion { path: PathBuf, version: u16 },
    #[error("translation table {path} belongs to {found}: it was put in the wrong place")]
    OtherTable { path: PathBuf, found: Box<TableKey> },
    #[error("translation table {path} exists already")]
    Exists { path: PathBuf },
    #[error("link name {0:?} is longer than {max} bytes", max = super::format::LINK_BYTES_MAX)]
    LinkNameTooLong(String),
    /// An earlier call failed in a way that leaves open what is on the disk.
    #[error("translation table {path} is offline after: {cause}; open it anew and reconcile it with the log")]
    Offline { path: PathBuf, cause: Arc<io::Error> },
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Reconcile(#[from] ReconcileError),
}

impl TableError {
    /// The disk is full: nothing is lost, and the same call works once there is room.
    pub fn is_no_space(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull)
    }
}
