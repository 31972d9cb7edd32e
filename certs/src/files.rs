//! Certificates and keys on disk. A file is complete or not there: it is written beside its place, synced, and moved.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use zeroize::Zeroizing;

use crate::error::CertsError;
use crate::limits::FILE_BYTES_MAX;

const KEY_MODE: u32 = 0o600;
const CERTIFICATE_MODE: u32 = 0o644;
const DIRECTORY_MODE: u32 = 0o700;

/// What to do with a file that is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Existing {
    /// Leave it alone, and fail.
    #[default]
    Keep,
    Replace,
}

pub(crate) fn make_directory(path: &Path) -> Result<(), CertsError> {
    let made = fs::DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(path);
    made.map_err(|source| CertsError::Io { action: "make", path: path.to_owned(), source })
}

pub(crate) fn write_key(path: &Path, text: &str, existing: Existing) -> Result<(), CertsError> {
    write(path, text, KEY_MODE, existing)
}

pub(crate) fn write_certificate(path: &Path, text: &str, existing: Existing) -> Result<(), CertsError> {
    write(path, text, CERTIFICATE_MODE, existing)
}

/// The bytes of a key, erased when dropped; refused if anybody but the owner can read them.
pub(crate) fn read_key(path: &Path, fix: &'static str) -> Result<Zeroizing<Vec<u8>>, CertsError> {
    let mut file = open(path, fix)?;
    let io = |source| CertsError::Io { action: "read", path: path.to_owned(), source };
    // The mode of the open file, so that it is the file that is read.
    let mode = file.metadata().map_err(io)?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(CertsError::KeyReadable { path: path.to_owned(), mode });
    }
    // One buffer of full size: growing would leave copies behind that nobody erases.
    let mut bytes = Zeroizing::new(Vec::with_capacity(FILE_BYTES_MAX as usize + 1));
    Read::by_ref(&mut file).take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(io)?;
    within_bounds(path, bytes.len())?;
    Ok(bytes)
}

pub(crate) fn read_certificate(path: &Path, fix: &'static str) -> Result<Vec<u8>, CertsError> {
    let mut bytes = Vec::new();
    let read = open(path, fix)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|source| CertsError::Io { action: "read", path: path.to_owned(), source })?;
    within_bounds(path, bytes.len())?;
    Ok(bytes)
}

fn within_bounds(path: &Path, len: usize) -> Result<(), CertsError> {
    if len as u64 > FILE_BYTES_MAX {
        return Err(CertsError::TooLong { path: path.to_owned(), max: FILE_BYTES_MAX });
    }
    Ok(())
}

fn open(path: &Path, fix: &'static str) -> Result<File, CertsError> {
    File::open(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => CertsError::Missing { path: path.to_owned(), fix },
        _ => CertsError::Io { action: "open", path: path.to_owned(), source },
    })
}

fn write(path: &Path, text: &str, mode: u32, existing: Existing) -> Result<(), CertsError> {
    let io = |source| CertsError::Io { action: "write", path: path.to_owned(), source };
    let directory = path.parent().unwrap_or_else(|| Path::new("."));
    // A temporary file is made with mode 0600, so a key is never readable by others, not for a moment.
    let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(directory).map_err(io)?;
    file.write_all(text.as_bytes()).map_err(io)?;
    file.as_file().set_permissions(fs::Permissions::from_mode(mode)).map_err(io)?;
    file.as_file().sync_all().map_err(io)?;
    match existing {
        Existing::Replace => file.persist(path).map(drop).map_err(|error| io(error.error))?,
        Existing::Keep => {
            file.persist_noclobber(path).map(drop).map_err(|error| match error.error.kind() {
                io::ErrorKind::AlreadyExists => CertsError::Exists { path: path.to_owned() },
                _ => io(error.error),
            })?
        }
    }
    let sync = File::open(directory).and_then(|directory| directory.sync_all());
    sync.map_err(io)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn keys_are_for_the_owner_only_and_nothing_is_overwritten_by_default() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        write_key(&path, "one", Existing::Keep).unwrap();
        assert_eq!(mode(&path), 0o600);
        assert!(matches!(write_key(&path, "two", Existing::Keep), Err(CertsError::Exists { .. })));
        assert_eq!(&**read_key(&path, "").unwrap(), b"one");
        write_key(&path, "two", Existing::Replace).unwrap();
        assert_eq!(&**read_key(&path, "").unwrap(), b"two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn a_key_that_others_can_read_is_refused_with_the_fix() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        write_key(&path, "one", Existing::Keep).unwrap();
        for bad in [0o640, 0o604, 0o644, 0o660, 0o602] {
            fs::set_permissions(&path, fs::Permissions::from_mode(bad)).unwrap();
            let error = read_key(&path, "").unwrap_err();
            assert!(matches!(error, CertsError::KeyReadable { .. }));
            assert!(error.to_string().contains(&format!("chmod 600 {}", path.display())));
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        assert!(read_key(&path, "").is_ok());
    }

    #[test]
    fn a_file_that_is_too_long_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.crt");
        write_certificate(&path, &"x".repeat(FILE_BYTES_MAX as usize + 1), Existing::Keep).unwrap();
        assert!(matches!(read_certificate(&path, ""), Err(CertsError::TooLong { .. })));
        assert_eq!(mode(&path), 0o644);
    }
}
