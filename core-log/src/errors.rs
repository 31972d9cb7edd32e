//! What goes wrong with a log or its directory as a whole.

use std::{io, path::PathBuf, sync::Arc};

use protocol::Offset;

/// Bytes below the durable mark that are not what was written. Nothing is truncated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} is damaged at byte {position} (offset {offset}): {what}", file.display())]
pub struct Corruption {
    pub file: PathBuf,
    pub position: u64,
    /// First offset that cannot be vouched for.
    pub offset: Offset,
    pub what: String,
}

/// Why a log takes and gives nothing until a restart.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OfflineReason {
    /// Quarantined: repair it from a copy elsewhere.
    #[error("quarantined: {0}")]
    Corrupt(Corruption),
    /// What a failed sync dropped is unknown, so nothing here is promised any more.
    #[error("sync failed: {0}")]
    SyncFailed(Arc<io::Error>),
    #[error("write failed: {0}")]
    WriteFailed(Arc<io::Error>),
    #[error("removed")]
    Removed,
}

/// Why a log directory, or one of its logs, cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{0}")]
    Locked(String),
    #[error("{}: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
    #[error("{}: {what}", path.display())]
    BadFile { path: PathBuf, what: String },
    #[error("the log directory is closed")]
    Closed,
}

/// Why a log was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    #[error("the log has offsets {log_start} to {log_end}")]
    OutOfRange { log_start: Offset, log_end: Offset },
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("the log is offline: {0}")]
    Offline(Arc<str>),
    #[error("the log directory is closed")]
    Closed,
}
