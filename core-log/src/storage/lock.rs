//! One log directory has one owner: two processes that write the same segments destroy both.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// The file that carries the lock, and the owner's process id for whoever finds it held; Kafka's name for it.
pub(super) const LOCK_FILE: &str = ".lock";

/// A directory held by this process; dropping it lets go.
#[must_use = "dropping the lock lets another process take the directory"]
pub struct DirLock {
    _held: Box<dyn Send + Sync>,
}

impl DirLock {
    /// `held` lets go of the directory when it is dropped.
    pub fn new(held: impl Send + Sync + 'static) -> Self {
        Self { _held: Box::new(held) }
    }
}

impl fmt::Debug for DirLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DirLock")
    }
}

#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error(
        "log directory {} is held by {}: stop that process, or configure another directory",
        .dir.display(), Owner(*.owner)
    )]
    Held { dir: PathBuf, owner: Option<u32> },
    #[error("log directory {} cannot be locked: {source}", .dir.display())]
    Io { dir: PathBuf, source: io::Error },
}

impl LockError {
    pub(super) fn io(dir: &Path, source: io::Error) -> Self {
        Self::Io { dir: dir.to_owned(), source }
    }
}

/// Names the process of a held lock.
struct Owner(Option<u32>);

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(pid) => write!(f, "process {pid}"),
            None => f.write_str("another process"),
        }
    }
}
