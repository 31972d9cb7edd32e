//! Where a run keeps its files: a folder of its own, so that no run trips over another one.

use std::{
    env, fs,
    io::{self, ErrorKind},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process,
};

use super::error::DemoError;

/// More runs than anybody keeps in one folder.
const RUNS_MAX: u32 = 10_000;
/// Keys lie in it.
const MODE: u32 = 0o700;

/// Removed when dropped, unless it is kept.
#[derive(Debug)]
pub(super) struct RunFolder {
    path: PathBuf,
    kept: bool,
}

impl RunFolder {
    /// `run-N` under `parent`, which is kept; without a parent a folder in the system's place for temporary files.
    pub(super) fn make(parent: Option<&Path>) -> Result<Self, DemoError> {
        let (parent, prefix) = match parent {
            Some(parent) => (parent.to_owned(), "run".to_owned()),
            None => (env::temp_dir(), format!("isthmus-demo-{}", process::id())),
        };
        let failed = |path: &Path, source| DemoError::Folder { path: path.to_owned(), source };
        fs::create_dir_all(&parent).map_err(|source| failed(&parent, source))?;
        // Children get the path, and may have another working directory one day.
        let parent = fs::canonicalize(&parent).map_err(|source| failed(&parent, source))?;
        for run in 1..=RUNS_MAX {
            let path = parent.join(format!("{prefix}-{run}"));
            match fs::DirBuilder::new().mode(MODE).create(&path) {
                Ok(()) => return Ok(Self { path, kept: prefix == "run" }),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(source) => return Err(failed(&path, source)),
            }
        }
        Err(failed(&parent, io::Error::other(format!("{RUNS_MAX} runs lie in it; remove some"))))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn is_kept(&self) -> bool {
        self.kept
    }

    /// Leaves it where it is: there is something to look at.
    pub(super) fn keep(&mut self) {
        self.kept = true;
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        if !self.kept
            && let Err(error) = fs::remove_dir_all(&self.path)
        {
            eprintln!("isthmus: cannot remove {}: {error}", self.path.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_run_has_a_folder_of_its_own_and_a_given_place_keeps_them() {
        let place = tempfile::tempdir().expect("a directory");
        let first = RunFolder::make(Some(place.path())).expect("made");
        let second = RunFolder::make(Some(place.path())).expect("made beside it");
        assert_ne!(first.path(), second.path());
        let path = first.path().to_owned();
        drop(first);
        assert!(path.is_dir(), "the user asked for it");
    }

    #[test]
    fn a_temporary_folder_goes_unless_it_is_kept() {
        let folder = RunFolder::make(None).expect("made");
        let path = folder.path().to_owned();
        fs::write(path.join("file"), "x").expect("written");
        drop(folder);
        assert!(!path.exists());
        let mut folder = RunFolder::make(None).expect("made");
        folder.keep();
        let path = folder.path().to_owned();
        drop(folder);
        assert!(path.is_dir());
        fs::remove_dir_all(path).expect("removed");
    }
}
