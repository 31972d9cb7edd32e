//! What can go wrong with a table's file, and what to do.

use std::{io, path::PathBuf, sync::Arc};

use crate::{
    position::TargetOffset,
    translation::{reconcile::ReconcileError, run::RunError},
};

use super::format::TableKey;

#[derive(Debug, Clone, thiserror::Error)]
pub enum TableError {
    /// The call had no effect; it may be repeated.
    #[error("translation table {path}: {source}")]
    Io { path: PathBuf, source: Arc<io::Error> },
    /// Of a file whose chunks are damaged the log tells again; of this one it is not known what it is the table of.
    #[error("translation table {path} is damaged at byte {at}: {what}")]
    Corrupt { path: PathBuf, at: u64, what: &'static str },
    /// What the file has lost, the log no longer has either.
    #[error(
        "translation table {path} is damaged at byte {at} ({what}); what it can still tell ends at target offset {known}, \
         and the log, which begins at {log_start}, has nothing of this source any more: how far it was mirrored is not known"
    )]
    Lost { path: PathBuf, at: u64, what: &'static str, known: TargetOffset, log_start: TargetOffset },
    #[error("translation table {path} is damaged, and was not yet compared with the log")]
    NotHealed { path: PathBuf },
    #[error("translation table {path} has format version {version}, this program knows {known}: upgrade it",
        known = super::format::VERSION)]
    UnknownVersion { path: PathBuf, version: u16 },
    #[error("translation table {path} belongs to {found}: it was put in the wrong place")]
    OtherTable { path: PathBuf, found: Box<TableKey> },
    #[error("translation table {path} exists already")]
    Exists { path: PathBuf },
    #[error("the name {0:?} of a link or topic is longer than {link} or {topic} bytes",
        link = super::format::LINK_BYTES_MAX, topic = super::format::TOPIC_BYTES_MAX)]
    NameTooLong(String),
    /// An earlier call failed in a way that leaves open what is on the disk.
    #[error("translation table {path} is offline after: {cause}; open it anew and reconcile it with the log")]
    Offline { path: PathBuf, cause: Arc<io::Error> },
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Reconcile(#[from] ReconcileError),
}

impl TableError {
    /// No retry and no restart helps: file and log do not tell together how far the source was mirrored.
    pub fn is_lost(&self) -> bool {
        matches!(
            self,
            Self::Corrupt { .. }
                | Self::Lost { .. }
                | Self::OtherTable { .. }
                | Self::Run(_)
                | Self::Reconcile(_)
        )
    }

    /// The disk is full: nothing is lost, and the same call works once there is room.
    pub fn is_no_space(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull)
    }
}
