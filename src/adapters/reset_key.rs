//! The key of the links' stateless resets, in a file of the data directory: made at the first start, the same ever after.
//!
//! It only saves time: without the key of before, a peer notices a restart by its idle timeout. So nothing here stops a node.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

use mirror::driver::ResetKey;
use rustls::crypto::aws_lc_rs;

const FILE: &str = "link-reset.key";
const NEW_FILE: &str = "link-reset.key.new";
/// Of the owner alone.
const MODE: u32 = 0o600;

/// What is stored below the data directory, or a new one. Blocking, and short.
pub(crate) fn reset_key(data: &Path) -> ResetKey {
    let path = data.join(FILE);
    match read(&path) {
        Ok(Some(key)) => return ResetKey::new(key),
        Ok(None) => {}
        Err(error) => tracing::warn!(
            path = %path.display(), %error,
            "the links' reset key is replaced; peers may notice this restart only by their idle timeout"
        ),
    }
    let key = fresh();
    if let Err(error) = write(data, &key) {
        tracing::warn!(
            path = %path.display(), %error,
            "the links' reset key cannot be stored; peers will notice the next restart only by their idle timeout"
        );
    }
    ResetKey::new(key)
}

fn fresh() -> [u8; ResetKey::LENGTH] {
    let mut key = [0; ResetKey::LENGTH];
    let random = aws_lc_rs::default_provider().secure_random;
    random.fill(&mut key).expect("the system's random numbers, which TLS could not do without either");
    key
}

/// `None`: there is none yet.
fn read(path: &Path) -> io::Result<Option<[u8; ResetKey::LENGTH]>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let metadata = file.metadata()?;
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(io::Error::other("others can read or change it"));
    }
    if metadata.len() != ResetKey::LENGTH as u64 {
        return Err(io::Error::other(format!("{} bytes instead of {}", metadata.len(), ResetKey::LENGTH)));
    }
    let mut key = [0; ResetKey::LENGTH];
    file.read_exact(&mut key)?;
    Ok(Some(key))
}

/// Beside its place, synced, and moved: it is complete or not there.
fn write(data: &Path, key: &[u8]) -> io::Result<()> {
    let new = data.join(NEW_FILE);
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(MODE).open(&new)?;
    // One that a crash left has the mode that it had.
    file.set_permissions(Permissions::from_mode(MODE))?;
    file.write_all(key)?;
    file.sync_all()?;
    fs::rename(&new, data.join(FILE))?;
    File::open(data)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_made_once_for_the_owner_alone_and_read_ever_after() {
        let data = tempfile::tempdir().unwrap();
        let first = reset_key(data.path());
        let mode = fs::metadata(data.path().join(FILE)).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode, 0o600);
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 1, "nothing else is left");
        assert_eq!(reset_key(data.path()), first);
        let other = tempfile::tempdir().unwrap();
        assert_ne!(reset_key(other.path()), first);
    }

    #[test]
    fn a_damaged_one_is_replaced() {
        let data = tempfile::tempdir().unwrap();
        let path = data.path().join(FILE);
        for bytes in [Vec::new(), vec![7; 63], vec![7; 65]] {
            let before = reset_key(data.path());
            fs::write(&path, &bytes).unwrap();
            let replaced = reset_key(data.path());
            assert_ne!(replaced, before);
            assert_eq!(reset_key(data.path()), replaced);
        }
        let before = reset_key(data.path());
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        assert_ne!(reset_key(data.path()), before);
    }

    #[test]
    fn a_directory_that_takes_no_file_does_not_stop_the_node() {
        let data = tempfile::tempdir().unwrap();
        fs::create_dir(data.path().join(FILE)).unwrap();
        assert_ne!(reset_key(data.path()), reset_key(data.path()));
    }
}
