//! A layout's directory: who holds it, and what must be taken away when it ends, however it ends.
//!
//! ```text
//! ROOT/LAYOUT/lock          locked by the emulator's process while it lives, with its id inside
//! ROOT/LAYOUT/namespaces    one a line, written before the first of them is made
//! ROOT/LAYOUT/control       the control socket
//! ```

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    process,
};

use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};

use super::{
    super::{
        error::{HostError, LayoutError},
        plan::Name,
    },
    namespace,
};

/// Where layouts keep their state if nothing else is said.
pub const STATE_ROOT: &str = "/run/isthmus-wan";
/// More is not ours.
const FILE_BYTES_MAX: u64 = 64 << 10;

/// The right to make and to take away a layout's namespaces: one process has it at a time, and its death gives it back.
pub(crate) struct State {
    directory: PathBuf,
    /// Locked as long as it is open.
    lock: File,
}

/// Who has the right instead.
pub(crate) struct Held {
    pub(crate) pid: String,
}

pub(crate) fn directory(root: &Path, name: &Name) -> PathBuf {
    root.join(name.as_str())
}

pub(crate) fn control_socket(root: &Path, name: &Name) -> PathBuf {
    directory(root, name).join("control")
}

pub(crate) fn namespace_name(layout: &Name, datacenter: &Name) -> String {
    format!("{}{layout}.{datacenter}", namespace::PREFIX)
}

impl State {
    /// # Errors
    ///
    /// The inner one if another process has it.
    pub(crate) fn acquire(root: &Path, name: &Name) -> Result<Result<Self, Held>, LayoutError> {
        let directory = directory(root, name);
        let failed = |error: io::Error| HostError::new(directory.display().to_string(), error);
        loop {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory).map_err(failed)?;
            let path = directory.join("lock");
            let opened = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path);
            let mut lock = match opened {
                Ok(lock) => lock,
                // Its last owner took the directory away between the two calls.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(failed(error).into()),
            };
            match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => return Ok(Err(Held { pid: read_limited(&mut lock) })),
                Err(error) => return Err(failed(error.into()).into()),
            }
            // A lock on a file that has been taken away protects nothing.
            if is_at(&lock, &path) {
                lock.set_len(0).map_err(failed)?;
                lock.write_all(process::id().to_string().as_bytes()).map_err(failed)?;
                return Ok(Ok(Self { directory, lock }));
            }
        }
    }

    /// Notes what will be made.
    pub(crate) fn note(&self, namespaces: &[String]) -> Result<(), HostError> {
        let path = self.namespaces();
        fs::write(&path, namespaces.join("\n"))
            .map_err(|error| HostError::new(path.display().to_string(), error))
    }

    /// Takes away all that was noted, and forgets it.
    pub(crate) fn clear(&self) -> Result<(), HostError> {
        let path = self.namespaces();
        let failed = |error: io::Error| HostError::new(path.display().to_string(), error);
        let noted = match File::open(&path) {
            Ok(mut file) => read_limited(&mut file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed(error)),
        };
        // All are tried before the first failure is told.
        let removed: Vec<Result<(), HostError>> = noted.lines().map(namespace::remove).collect();
        removed.into_iter().collect::<Result<(), HostError>>()?;
        fs::remove_file(&path).map_err(failed)
    }

    /// Clears, and takes the directory away. The lock holds until the end.
    pub(crate) fn remove(self) -> Result<(), HostError> {
        self.clear()?;
        let removed = fs::remove_dir_all(&self.directory);
        removed.map_err(|error| HostError::new(self.directory.display().to_string(), error))?;
        drop(self.lock);
        Ok(())
    }

    fn namespaces(&self) -> PathBuf {
        self.directory.join("namespaces")
    }
}

fn read_limited(file: &mut File) -> String {
    let mut text = String::new();
    // What cannot be read says nothing.
    let _ = file.take(FILE_BYTES_MAX).read_to_string(&mut text);
    text
}

fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(ours), Ok(theirs)) => ours.ino() == theirs.ino() && ours.dev() == theirs.dev(),
        _ => false,
    }
}

#[test]
fn one_process_at_a_time_holds_a_layout_and_the_next_knows_who() {
    let root = tempfile::tempdir().unwrap();
    let name = Name::new("one").unwrap();
    let Ok(first) = State::acquire(root.path(), &name).unwrap() else { panic!("nobody holds it") };
    let Err(held) = State::acquire(root.path(), &name).unwrap() else { panic!("it is held") };
    assert_eq!(held.pid, process::id().to_string());
    assert!(State::acquire(root.path(), &Name::new("other").unwrap()).unwrap().is_ok());
    first.note(&["not-ours".to_owned()]).unwrap();
    first.remove().unwrap();
    assert!(!directory(root.path(), &name).exists());
    assert!(State::acquire(root.path(), &name).unwrap().is_ok());
}
