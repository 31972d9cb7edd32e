//! The machine's filesystem.

use std::{
    fs,
    io::{self, IoSlice, Read as _, Write as _},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustix::{fs::FallocateFlags, io::Errno};

use super::{DirLock, File, LockError, Open, Space, Storage, lock::LOCK_FILE};

/// The most buffers Linux takes in one call (`IOV_MAX`).
const BUFFERS_MAX: usize = 1024;

/// Storage on the real filesystem.
#[derive(Debug, Clone, Copy, Default)]
pub struct DiskStorage;

impl Storage for DiskStorage {
    fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn File>> {
        let mut options = fs::OpenOptions::new();
        options.read(true).write(how != Open::Read);
        if how == Open::Create {
            options.create(true).truncate(true);
        }
        Ok(Arc::new(DiskFile(options.open(path)?)))
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        path.try_exists()
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        fs::read_dir(dir)?.map(|entry| Ok(PathBuf::from(entry?.file_name()))).collect()
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        fs::create_dir_all(dir)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_dir(&self, dir: &Path) -> io::Result<()> {
        fs::remove_dir_all(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        // The parent of a bare name is empty, which stands for the working directory.
        let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
        fs::File::open(dir)?.sync_all()
    }

    fn space(&self, dir: &Path) -> io::Result<Space> {
        let found = rustix::fs::statvfs(dir)?;
        Ok(Space {
            total_bytes: found.f_blocks.saturating_mul(found.f_frsize),
            usable_bytes: found.f_bavail.saturating_mul(found.f_frsize),
        })
    }

    fn lock(&self, dir: &Path) -> Result<DirLock, LockError> {
        let failed = |source| LockError::io(dir, source);
        let mut options = fs::OpenOptions::new();
        // Not truncated: the content is the holder's, until the lock is ours.
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(dir.join(LOCK_FILE)).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                return Err(LockError::Held { dir: dir.to_owned(), owner: read_owner(&mut file) });
            }
            Err(fs::TryLockError::Error(source)) => return Err(failed(source)),
        }
        file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(failed)?;
        Ok(DirLock::new(file))
    }
}

struct DiskFile(fs::File);

impl File for DiskFile {
    fn read_at(&self, buf: &mut [u8], at: u64) -> io::Result<usize> {
        self.0.read_at(buf, at)
    }

    fn write_at(&self, bufs: &[IoSlice<'_>], at: u64) -> io::Result<()> {
        write_all(bufs, at, |bufs, at| rustix::io::pwritev(&self.0, bufs, at).map_err(io::Error::from))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }

    fn allocate(&self, length: u64) -> io::Result<()> {
        if length <= self.length()? {
            return Ok(());
        }
        loop {
            match rustix::fs::fallocate(&self.0, FallocateFlags::empty(), 0, length) {
                Ok(()) => return Ok(()),
                Err(Errno::INTR) => {}
                // Not every filesystem can; the length alone still spares the journal.
                Err(Errno::OPNOTSUPP) => return self.set_length(length),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Writes all of `bufs` with as many calls of `write` as it takes: it may write a part, or be interrupted.
fn write_all(
    bufs: &[IoSlice<'_>],
    mut at: u64,
    mut write: impl FnMut(&[IoSlice<'_>], u64) -> io::Result<usize>,
) -> io::Result<()> {
    let mut copy = bufs.to_vec();
    let mut rest = copy.as_mut_slice();
    // Empty buffers at the front would make "nothing written" ambiguous.
    IoSlice::advance_slices(&mut rest, 0);
    while !rest.is_empty() {
        let chunk = rest.get(..BUFFERS_MAX).unwrap_or(rest);
        match write(chunk, at) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                at += written as u64;
                IoSlice::advance_slices(&mut rest, written);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The process id that a lock's holder wrote; it may not have come to that yet.
fn read_owner(file: &mut fs::File) -> Option<u32> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A writer that takes at most `step` bytes of a call, and is interrupted every other time.
    fn written_in_steps(bufs: &[&[u8]], step: usize) -> Vec<u8> {
        let slices: Vec<_> = bufs.iter().map(|buf| IoSlice::new(buf)).collect();
        let (mut disk, mut calls) = (vec![], 0);
        write_all(&slices, 7, |bufs, at| {
            calls += 1;
            assert!(bufs.len() <= BUFFERS_MAX);
            if calls % 2 == 0 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            assert_eq!(at, 7 + disk.len() as u64);
            let offered: Vec<u8> = bufs.iter().flat_map(|buf| buf.iter().copied()).collect();
            let taken = offered.len().min(step);
            disk.extend_from_slice(&offered[..taken]);
            Ok(taken)
        })
        .unwrap();
        disk
    }

    #[test]
    fn partial_and_interrupted_writes_go_on_where_they_stopped() {
        let bufs: [&[u8]; 5] = [b"", b"abc", b"defgh", b"", b"i"];
        for step in 1..10 {
            assert_eq!(written_in_steps(&bufs, step), b"abcdefghi", "step {step}");
        }
    }

    #[test]
    fn more_buffers_than_one_call_takes_are_written_in_several() {
        let bytes: Vec<u8> = (0..3 * BUFFERS_MAX + 5).map(|i| i as u8).collect();
        let bufs: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(written_in_steps(&bufs, usize::MAX), bytes);

        let dir = tempfile::tempdir().unwrap();
        let file = DiskStorage.open(&dir.path().join("f"), Open::Create).unwrap();
        let slices: Vec<_> = bufs.iter().map(|buf| IoSlice::new(buf)).collect();
        file.write_at(&slices, 3).unwrap();
        let mut found = vec![0; bytes.len()];
        file.read_exact_at(&mut found, 3).unwrap();
        assert_eq!(found, bytes);
    }

    #[test]
    fn a_disk_that_takes_nothing_is_an_error_not_a_loop() {
        let error = write_all(&[IoSlice::new(b"a")], 0, |_, _| Ok(0)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WriteZero);
    }

    #[test]
    fn a_held_directory_names_its_owner() {
        let dir = tempfile::tempdir().unwrap();
        let held = DiskStorage.lock(dir.path()).unwrap();
        let error = DiskStorage.lock(dir.path()).unwrap_err();
        assert!(error.to_string().contains(&format!("held by process {}", std::process::id())), "{error}");
        drop(held);
        drop(DiskStorage.lock(dir.path()).unwrap());
    }

    #[test]
    fn space_of_a_disk_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let space = DiskStorage.space(dir.path()).unwrap();
        assert!(space.usable_bytes > 0 && space.usable_bytes <= space.total_bytes);
    }
}
