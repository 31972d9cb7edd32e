//! Files as a seam: the log does all its input and output through [`Storage`].
//!
//! ```text
//!   log, checkpoints, snapshots -> Storage / File -> DiskStorage     the machine's filesystem
//!                                                 -> MemoryStorage   a disk in memory, with power cuts and faults
//! ```
//!
//! What an implementation may assume of us, and what we assume of it:
//! 1. Written bytes are durable only after [`File::sync_data`] on that file returned `Ok`.
//! 2. A created, renamed or removed name is durable only after [`Storage::sync_dir`] on its directory.
//! 3. After a failed sync the file's un-synced bytes are gone for good, whatever a second sync says.
//!
//! Both implementations pass the same conformance suite.

use std::{
    io::{self, IoSlice},
    path::{Path, PathBuf},
    sync::Arc,
};

mod disk;
mod lock;
mod memory;
mod replace;

#[cfg(test)]
mod conformance;

pub use disk::DiskStorage;
pub use lock::{DirLock, LockError};
pub use memory::MemoryStorage;
pub use replace::{read_whole, replace_file};

/// A file, shared by readers and the one writer. All positions are absolute: there is no cursor.
pub trait File: Send + Sync + 'static {
    /// Reads up to `buf.len()` bytes; 0 at the end of the file.
    fn read_at(&self, buf: &mut [u8], at: u64) -> io::Result<usize>;

    /// Writes all of `bufs`, one after the other, from `at` on. After an error any part of them may be written.
    fn write_at(&self, bufs: &[IoSlice<'_>], at: u64) -> io::Result<()>;

    /// Makes the bytes written so far durable, and as much metadata as reading them back needs.
    fn sync_data(&self) -> io::Result<()>;

    fn length(&self) -> io::Result<u64>;

    /// Cuts the file off, or extends it with zeros that take no space.
    fn set_length(&self, length: u64) -> io::Result<()>;

    /// Extends the file with zeros up to `length` and takes the space for them now: writes below it neither run
    /// out of space nor change the length. Never shortens.
    fn allocate(&self, length: u64) -> io::Result<()>;

    /// Reads exactly `buf.len()` bytes.
    fn read_exact_at(&self, buf: &mut [u8], at: u64) -> io::Result<()> {
        let mut done = 0;
        while let Some(rest) = buf.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match self.read_at(rest, at + done as u64) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => done += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// The file exists; read only.
    Read,
    /// The file exists; read and write.
    Write,
    /// Created empty, or emptied when it exists; read and write.
    Create,
}

/// How full the disk is that holds a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    pub total_bytes: u64,
    /// What this process may still write.
    pub usable_bytes: u64,
}

/// Directories and files of one disk.
pub trait Storage: Send + Sync + 'static {
    fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn File>>;

    fn exists(&self, path: &Path) -> io::Result<bool>;

    /// The names in a directory (not whole paths), in no particular order.
    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>>;

    /// Creates a directory and its missing parents; fine when it exists.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;

    /// Atomically gives a file or directory another name, replacing a file that has it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Removes a directory and all in it.
    fn remove_dir(&self, dir: &Path) -> io::Result<()>;

    /// Makes the names in a directory durable: the names only, not what the files hold.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    fn space(&self, dir: &Path) -> io::Result<Space>;

    /// Takes the directory for this process alone, until the guard is dropped or the process ends.
    fn lock(&self, dir: &Path) -> Result<DirLock, LockError>;
}
