//! A damaged file made whole.
//!
//! What stands before the damage is right, and what stood behind it is in the target log, batch by batch: it is found there
//! as after a crash, but in memory only ([`TableFile::reconcile`]). The damaged file stays as it is until all is found;
//! then it is copied aside, and replaced in one step. So a crash at any moment leaves the damaged file, to be healed
//! once more, or the healed one.
//!
//! The log cannot tell of what was trimmed off it. If it begins behind what the file still tells, a batch of this source
//! in it says how far the source was mirrored, for all batches before are older; without one nobody knows, and going on
//! could mirror records twice: that is [`TableError::Lost`].

use std::{
    ffi::OsString,
    io::{self, IoSlice},
    path::PathBuf,
};

use core_log::storage::Open;

use super::{TableError, TableFile};
use crate::{
    position::{Position, TargetOffset},
    translation::{
        run::Run,
        table::{Start, Table},
    },
};

const DAMAGED_SUFFIX: &str = ".damaged";
/// Copied at once.
const COPY_BYTES: usize = 256 << 10;

/// What cannot be read of a file, and what the log has told of it so far.
#[derive(Debug, Clone)]
pub(super) struct Damage {
    at: u64,
    what: &'static str,
    /// Where what can be read ends at the target.
    known: TargetOffset,
    found_runs: usize,
    found_offsets: i64,
}

/// What became of a damaged table.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Healed {
    pub path: PathBuf,
    /// The damaged file.
    pub kept: PathBuf,
    pub at: u64,
    pub what: &'static str,
    /// Found in the log: runs, and offsets in them.
    pub found_runs: usize,
    pub found_offsets: i64,
}

impl Damage {
    pub(super) fn new(at: u64, what: &'static str, readable: &Table) -> Self {
        let known = readable.target_end().unwrap_or(Position::ZERO);
        Self { at, what, known, found_runs: 0, found_offsets: 0 }
    }

    pub(super) fn found(&mut self, runs: &[Run]) {
        self.found_runs += runs.len();
        self.found_offsets += runs.iter().map(|run| run.length).sum::<i64>();
    }
}

impl TableFile {
    /// Replaces a damaged file by what is known now. The log was read whole, from `log_start` or the end of the table on,
    /// and [`Self::reconcile`] was told all of it. Of a file that is whole the marks are renewed: a power cut may have set
    /// them back, and damage behind them would pass for a torn tail.
    pub fn heal(&mut self, log_start: TargetOffset) -> Result<Option<Healed>, TableError> {
        let Some(Damage { at, what, known, found_runs, found_offsets }) = self.damage.clone() else {
            for _ in 0..2 {
                self.needs_sync = true;
                self.sync()?;
            }
            return Ok(None);
        };
        if log_start > known {
            self.table = beginning_at(&self.table, log_start).ok_or_else(|| {
                let path = self.path.clone();
                TableError::Lost { path, at, what, known, log_start }
            })?;
        }
        let kept = self.keep_aside().map_err(|source| self.io(source))?;
        self.rewrite()?;
        self.damage = None;
        Ok(Some(Healed { path: self.path.clone(), kept, at, what, found_runs, found_offsets }))
    }

    /// Copies the damaged file: were it renamed instead, a crash now would leave none, and all were mirrored anew.
    fn keep_aside(&self) -> io::Result<PathBuf> {
        let mut kept = OsString::from(&self.path);
        kept.push(DAMAGED_SUFFIX);
        let kept = PathBuf::from(kept);
        let copy = self.storage.open(&kept, Open::Create)?;
        let (mut bytes, mut at) = (vec![0; COPY_BYTES], 0);
        loop {
            let read = self.file.read_at(&mut bytes, at)?;
            if read == 0 {
                break;
            }
            copy.write_at(&[IoSlice::new(bytes.get(..read).unwrap_or_default())], at)?;
            at += read as u64;
        }
        copy.sync_data()?;
        kept.parent().map_or(Ok(()), |directory| self.storage.sync_dir(directory))?;
        Ok(kept)
    }
}

/// The table of a log that begins at `log_start`: what lies before is trimmed, and where it ended at the source is not known.
/// `None` if nothing lies behind.
fn beginning_at(table: &Table, log_start: TargetOffset) -> Option<Table> {
    let mut runs = table.runs().filter(|run| run.target_end() > log_start);
    let first = runs.next()?;
    let start = Start { source: first.source, trimmed: Some(log_start.min(first.target)) };
    let mut begun = Table::starting(start);
    for run in std::iter::once(first).chain(runs) {
        begun.append(run).ok()?;
    }
    Some(begun)
}
