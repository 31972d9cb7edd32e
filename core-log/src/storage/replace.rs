//! Small files that are read and written whole: checkpoints, snapshots, metadata.

use std::{
    ffi::OsString,
    io::{self, IoSlice},
    path::{Path, PathBuf},
};

use super::{Open, Storage};

/// What Kafka appends to the name of a file that is being written.
const UNFINISHED_SUFFIX: &str = ".tmp";

/// Puts `bytes` in place of the file at `path`, or creates it. After a power cut at any moment the file is the
/// old one or the new one, never a part of either; when this returns `Ok` it is the new one. What could not be finished is
/// removed: on a full disk it would take the space that others need.
pub fn replace_file(storage: &dyn Storage, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = unfinished(path);
    if let Err(error) =
        write_new(storage, &unfinished, bytes).and_then(|()| storage.rename(&unfinished, path))
    {
        // It may not even be there, and what matters is why.
        let _ = storage.remove_file(&unfinished);
        return Err(error);
    }
    storage.sync_dir(path.parent().unwrap_or(Path::new("")))
}

/// Synced before it is renamed: else the new name could stand for bytes that never reached the disk.
fn write_new(storage: &dyn Storage, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let file = storage.open(path, Open::Create)?;
    file.write_at(&[IoSlice::new(bytes)], 0)?;
    file.sync_data()
}

/// Reads a whole file, but not one larger than `bytes_max`.
pub fn read_whole(storage: &dyn Storage, path: &Path, bytes_max: usize) -> io::Result<Vec<u8>> {
    let file = storage.open(path, Open::Read)?;
    let length = file.length()?;
    let Some(length) = usize::try_from(length).ok().filter(|length| *length <= bytes_max) else {
        let message = format!("{} has {length} bytes, more than the {bytes_max} expected", path.display());
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    };
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

fn unfinished(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(UNFINISHED_SUFFIX);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::MemoryStorage;

    #[test]
    fn a_power_cut_at_any_sync_leaves_the_old_or_the_new_file() {
        let path = Path::new("/d/checkpoint");
        let (old, new) = (vec![b'o'; 3000], vec![b'n'; 5000]);
        let (mut olds, mut news) = (0, 0);
        for syncs in 0..=2 {
            for seed in 0..50 {
                let disk = MemoryStorage::new(1);
                disk.create_dir(Path::new("/d")).unwrap();
                disk.sync_dir(Path::new("/")).unwrap();
                replace_file(&disk, path, &old).unwrap();
                disk.after_syncs(syncs);
                let done = replace_file(&disk, path, &new).is_ok();
                let found = read_whole(&disk.cut_power(seed), path, 10_000).unwrap();
                assert!(found == old || found == new, "half a file");
                assert!(!done || found == new, "the new file was promised");
                olds += usize::from(found == old);
                news += usize::from(found == new);
            }
        }
        assert!(olds > 0 && news > 0, "both outcomes were seen: {olds} and {news}");
    }

    #[test]
    fn what_a_full_disk_does_not_take_whole_is_removed() {
        let disk = MemoryStorage::new(1);
        let path = Path::new("/d/checkpoint");
        disk.create_dir(Path::new("/d")).unwrap();
        replace_file(&disk, path, b"old").unwrap();
        for room in [0, 100, 2_000] {
            disk.space_left(room);
            let error = replace_file(&disk, path, &[b'n'; 5_000]).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::StorageFull);
            assert_eq!(disk.list(Path::new("/d")).unwrap(), [PathBuf::from("checkpoint")]);
            assert_eq!(read_whole(&disk, path, 10).unwrap(), b"old");
            disk.unlimited_space();
        }
        replace_file(&disk, path, b"new").unwrap();
        assert_eq!(read_whole(&disk, path, 10).unwrap(), b"new");
    }

    #[test]
    fn a_file_larger_than_expected_is_not_read() {
        let disk = MemoryStorage::new(1);
        replace_file(&disk, Path::new("/f"), &[0; 100]).unwrap();
        assert_eq!(read_whole(&disk, Path::new("/f"), 100).unwrap().len(), 100);
        let error = read_whole(&disk, Path::new("/f"), 99).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
