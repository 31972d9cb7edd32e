//! What is to go wrong with the disk in memory.

use std::{io, ops::Range, path::Path};

use rustix::io::Errno;

/// What a failing sync was asked of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Synced {
    File,
    Dir,
}

#[derive(Debug, Default)]
pub(super) struct Faults {
    syncs: Vec<SyncFault>,
    unreadable: Vec<(String, Range<u64>)>,
    /// Bytes that files may still grow by; unlimited when `None`.
    space_left: Option<u64>,
}

#[derive(Debug)]
struct SyncFault {
    synced: Synced,
    path_part: String,
    /// Syncs that still succeed.
    good: u64,
}

impl Faults {
    pub(super) fn fail_sync(&mut self, synced: Synced, path_part: &str, nth: u64) {
        let good = nth.saturating_sub(1);
        self.syncs.push(SyncFault { synced, path_part: path_part.to_owned(), good });
    }

    pub(super) fn fail_reads(&mut self, path_part: &str, range: Range<u64>) {
        self.unreadable.push((path_part.to_owned(), range));
    }

    pub(super) fn set_space_left(&mut self, bytes: Option<u64>) {
        self.space_left = bytes;
    }

    pub(super) fn space_left(&self) -> Option<u64> {
        self.space_left
    }

    /// How many of `wanted` bytes a file may grow by; they are taken.
    pub(super) fn take_space(&mut self, wanted: usize) -> usize {
        let Some(left) = &mut self.space_left else { return wanted };
        let granted = wanted.min(usize::try_from(*left).unwrap_or(usize::MAX));
        *left -= granted as u64;
        granted
    }

    pub(super) fn give_space(&mut self, bytes: usize) {
        if let Some(left) = &mut self.space_left {
            *left += bytes as u64;
        }
    }

    /// Counts a sync; an error when this is the one to fail.
    pub(super) fn check_sync(&mut self, synced: Synced, path: &Path) -> io::Result<()> {
        let mut due = None;
        for (index, fault) in self.syncs.iter_mut().enumerate() {
            if fault.synced != synced || !contains(path, &fault.path_part) {
                continue;
            }
            match fault.good.checked_sub(1) {
                Some(good) => fault.good = good,
                None => due = Some(index),
            }
        }
        match due {
            Some(index) => {
                self.syncs.remove(index);
                Err(Errno::IO.into())
            }
            None => Ok(()),
        }
    }

    pub(super) fn check_read(&self, path: &Path, range: &Range<u64>) -> io::Result<()> {
        let hit = |(path_part, bad): &(String, Range<u64>)| {
            contains(path, path_part) && bad.start < range.end && range.start < bad.end
        };
        if self.unreadable.iter().any(hit) { Err(Errno::IO.into()) } else { Ok(()) }
    }
}

fn contains(path: &Path, part: &str) -> bool {
    path.to_string_lossy().contains(part)
}
