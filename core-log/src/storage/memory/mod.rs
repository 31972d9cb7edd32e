//! A disk in memory, which loses what a real one may lose.
//!
//! A power cut ([`MemoryStorage::cut_power`]) leaves what syncs have covered. Of the rest a seed decides, change by
//! change: an un-synced write is whole, gone, gone but for the length it gave the file (zeros), or torn at
//! 512-byte sectors; an un-synced change of length or of a name is kept or lost. Later changes may survive where
//! earlier ones do not. The same calls and the same seed give the same disk.
//!
//! Faults are asked for beforehand: a sync that fails and takes the un-synced bytes with it, a full disk, unreadable
//! sectors, bits that flip at rest, power that goes at the nth sync.
//!
//! ```text
//!   mod      the disk: calls, power, faults in the order a real one would meet them
//!   tree     names          content  bytes of one file       faults  what is to go wrong      dice  seeded chance
//! ```

mod content;
mod dice;
mod faults;
mod tree;

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeSet,
    io::{self, IoSlice},
    ops::Range,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::{Mutex, MutexGuard};
use rustix::io::Errno;

use self::{
    dice::Dice,
    faults::{Faults, Synced},
    tree::{FileNode, Node, Tree},
};
use super::{DirLock, File, LockError, Open, Space, Storage};

/// Larger files are refused rather than allocated.
const FILE_BYTES_MAX: u64 = 1 << 32;
/// What [`Storage::space`] says of a disk without a limit.
const CAPACITY_BYTES: u64 = 1 << 40;

/// A disk in memory. Clones are the same disk.
#[derive(Clone)]
pub struct MemoryStorage {
    disk: Arc<Mutex<Disk>>,
}

struct Disk {
    /// Decides the order of listed names.
    seed: u64,
    tree: Tree,
    faults: Faults,
    locked: BTreeSet<PathBuf>,
    /// Sync points passed so far.
    syncs: u64,
    /// The count of sync points at which the power goes.
    power_until: Option<u64>,
    power_off: bool,
}

impl MemoryStorage {
    /// An empty disk, with a root directory.
    pub fn new(seed: u64) -> Self {
        Self::with_tree(seed, Tree::default())
    }

    /// The disk as found when the power, cut now, is back; without faults and locks. This one stays as it is:
    /// other seeds show what else could have been found.
    pub fn cut_power(&self, seed: u64) -> Self {
        Self::with_tree(seed, self.disk.lock().tree.after_cut(seed))
    }

    /// Sync points passed: successful and failed syncs of files and directories.
    pub fn syncs(&self) -> u64 {
        self.disk.lock().syncs
    }

    /// Lets `count` more syncs pass. The power goes with the next one, before it has an effect: it and every later
    /// call on this disk and its files fail, until [`Self::cut_power`] gives the disk that is found.
    pub fn after_syncs(&self, count: u64) {
        let mut disk = self.disk.lock();
        disk.power_until = Some(disk.syncs.saturating_add(count));
    }

    /// Whether the power that [`Self::after_syncs`] limited is gone.
    pub fn is_off(&self) -> bool {
        self.disk.lock().power_off
    }

    /// Fails the `nth` sync from now (1 is the next) of files whose path, as they were opened, contains
    /// `path_part`. The un-synced bytes of that file are still read but never become durable.
    pub fn fail_sync(&self, path_part: &str, nth: u64) {
        self.disk.lock().faults.fail_sync(Synced::File, path_part, nth);
    }

    /// Fails the `nth` sync from now of directories whose path contains `path_part`; their un-synced changes of
    /// names never become durable.
    pub fn fail_sync_dir(&self, path_part: &str, nth: u64) {
        self.disk.lock().faults.fail_sync(Synced::Dir, path_part, nth);
    }

    /// Lets files grow by so many bytes more. The write that would pass the limit fails after a part of it is
    /// written. What removals and cuts free can be used again.
    pub fn space_left(&self, bytes: u64) {
        self.disk.lock().faults.set_space_left(Some(bytes));
    }

    pub fn unlimited_space(&self) {
        self.disk.lock().faults.set_space_left(None);
    }

    /// Fails every read that touches the bytes `at` of files whose path, as they were opened, contains `path_part`.
    pub fn fail_reads(&self, path_part: &str, at: Range<u64>) {
        self.disk.lock().faults.fail_reads(path_part, at);
    }

    /// Inverts a bit at rest; bits count from the file's first byte, each byte from its lowest.
    pub fn flip_bit(&self, path: &Path, bit: u64) -> io::Result<()> {
        let flipped = self.disk.lock().tree.find_file(path)?.content.lock().flip_bit(bit);
        if flipped { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    fn with_tree(seed: u64, tree: Tree) -> Self {
        let disk = Disk {
            seed,
            tree,
            faults: Faults::default(),
            locked: BTreeSet::new(),
            syncs: 0,
            power_until: None,
            power_off: false,
        };
        Self { disk: Arc::new(Mutex::new(disk)) }
    }

    fn powered(&self) -> io::Result<MutexGuard<'_, Disk>> {
        let disk = self.disk.lock();
        if disk.power_off { Err(power_is_off()) } else { Ok(disk) }
    }
}

impl Storage for MemoryStorage {
    fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn File>> {
        let mut disk = self.powered()?;
        let node = match how {
            Open::Create => disk.tree.create_file(path)?,
            Open::Read | Open::Write => disk.tree.find_file(path)?,
        };
        if how == Open::Create {
            disk.set_length(&node, 0)?;
        }
        Ok(Arc::new(MemoryFile {
            storage: self.clone(),
            path: path.to_owned(),
            node,
            writable: how != Open::Read,
        }))
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        match self.powered()?.tree.find(path) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        let disk = self.powered()?;
        let mut names = disk.tree.find_dir(dir)?.list();
        // Nobody may rely on an order.
        names.sort_by_key(|name| Dice::new(disk.seed, dice::subject(name.as_bytes())).next());
        Ok(names.into_iter().map(PathBuf::from).collect())
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.powered()?.tree.create_dir(dir)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut disk = self.powered()?;
        if let Some(Node::File(replaced)) = disk.tree.rename(from, to)? {
            disk.faults.give_space(replaced.content.lock().length());
        }
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.powered()?;
        let removed = disk.tree.remove_file(path)?;
        disk.faults.give_space(removed.content.lock().length());
        Ok(())
    }

    fn remove_dir(&self, dir: &Path) -> io::Result<()> {
        let mut disk = self.powered()?;
        for removed in disk.tree.remove_dir(dir)? {
            disk.faults.give_space(removed.content.lock().length());
        }
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut disk = self.powered()?;
        let node = disk.tree.find_dir(dir)?;
        disk.pass_sync_point()?;
        if let Err(error) = disk.faults.check_sync(Synced::Dir, dir) {
            disk.tree.lose_pending(&node);
            return Err(error);
        }
        disk.tree.sync_dir(&node);
        Ok(())
    }

    fn space(&self, dir: &Path) -> io::Result<Space> {
        let disk = self.powered()?;
        disk.tree.find_dir(dir)?;
        let usable_bytes = disk.faults.space_left().unwrap_or(CAPACITY_BYTES);
        Ok(Space { total_bytes: CAPACITY_BYTES.max(usable_bytes), usable_bytes })
    }

    fn lock(&self, dir: &Path) -> Result<DirLock, LockError> {
        let mut disk = self.powered().map_err(|source| LockError::io(dir, source))?;
        disk.tree.find_dir(dir).map_err(|source| LockError::io(dir, source))?;
        if !disk.locked.insert(dir.to_owned()) {
            return Err(LockError::Held { dir: dir.to_owned(), owner: None });
        }
        Ok(DirLock::new(HeldDir { storage: self.clone(), dir: dir.to_owned() }))
    }
}

impl Disk {
    fn pass_sync_point(&mut self) -> io::Result<()> {
        if self.power_until == Some(self.syncs) {
            self.power_off = true;
            return Err(power_is_off());
        }
        self.syncs += 1;
        Ok(())
    }

    fn set_length(&mut self, node: &FileNode, length: usize) -> io::Result<()> {
        let mut content = node.content.lock();
        match length.checked_sub(content.length()) {
            Some(0) => return Ok(()),
            Some(growth) => {
                let granted = self.faults.take_space(growth);
                if granted < growth {
                    self.faults.give_space(granted);
                    return Err(Errno::NOSPC.into());
                }
            }
            None => self.faults.give_space(content.length() - length),
        }
        content.set_length(length);
        Ok(())
    }
}

struct MemoryFile {
    storage: MemoryStorage,
    path: PathBuf,
    node: Arc<FileNode>,
    writable: bool,
}

impl File for MemoryFile {
    fn read_at(&self, buf: &mut [u8], at: u64) -> io::Result<usize> {
        let disk = self.storage.powered()?;
        disk.faults.check_read(&self.path, &(at..at.saturating_add(buf.len() as u64)))?;
        Ok(self.node.content.lock().read(buf, usize::try_from(at).unwrap_or(usize::MAX)))
    }

    fn write_at(&self, bufs: &[IoSlice<'_>], at: u64) -> io::Result<()> {
        let mut disk = self.powered_for_write()?;
        let total: usize = bufs.iter().map(|buf| buf.len()).sum();
        let at = position(at)?;
        let end = position(at as u64 + total as u64)?;
        let mut content = self.node.content.lock();
        let growth = end.saturating_sub(content.length());
        let missing = growth - disk.faults.take_space(growth);
        content.write(bufs, total.saturating_sub(missing), at);
        if missing > 0 { Err(Errno::NOSPC.into()) } else { Ok(()) }
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut disk = self.storage.powered()?;
        disk.pass_sync_point()?;
        let mut content = self.node.content.lock();
        if let Err(error) = disk.faults.check_sync(Synced::File, &self.path) {
            content.lose_pending();
            return Err(error);
        }
        content.sync();
        Ok(())
    }

    fn length(&self) -> io::Result<u64> {
        let _disk = self.storage.powered()?;
        Ok(self.node.content.lock().length() as u64)
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        let length = position(length)?;
        self.powered_for_write()?.set_length(&self.node, length)
    }

    fn allocate(&self, length: u64) -> io::Result<()> {
        let mut disk = self.powered_for_write()?;
        let length = position(length)?.max(self.node.content.lock().length());
        disk.set_length(&self.node, length)
    }
}

impl MemoryFile {
    fn powered_for_write(&self) -> io::Result<MutexGuard<'_, Disk>> {
        if self.writable { self.storage.powered() } else { Err(Errno::BADF.into()) }
    }
}

struct HeldDir {
    storage: MemoryStorage,
    dir: PathBuf,
}

impl Drop for HeldDir {
    fn drop(&mut self) {
        self.storage.disk.lock().locked.remove(&self.dir);
    }
}

fn position(at: u64) -> io::Result<usize> {
    let fits = usize::try_from(at).ok().filter(|_| at <= FILE_BYTES_MAX);
    fits.ok_or_else(|| Errno::FBIG.into())
}

fn power_is_off() -> io::Error {
    io::Error::other("the power is off")
}
