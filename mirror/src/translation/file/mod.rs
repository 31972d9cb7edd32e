//! A translation table that outlives its process.
//!
//! The file is appended to and never changed in place but for its marks; see `format`. Promises:
//! 1. What a sync has covered survives a power cut. A torn tail is cut off when the file is opened. What is damaged below
//!    a synced point is found again in the target log ([`TableFile::heal`]), or it is an error: never a panic and never a
//!    wrong answer.
//! 2. When less than half of the file is needed (runs that have grown since, runs below the log's start), it is written
//!    anew beside and renamed: at any moment the old or the new one is there.
//! 3. Nothing has to be synced for an ack: after a crash the target log tells what the file lost ([`TableFile::reconcile`]).
//!    Syncs bound how much of the log that has to read.
//!
//! All calls that change the table write, so they belong off the runtime's threads.

mod errors;
mod format;
mod heal;
mod load;

#[cfg(test)]
mod tests;

use std::{
    io::{self, IoSlice},
    path::{Path, PathBuf},
    sync::Arc,
};

use core_log::{
    File, Storage,
    storage::{Open, replace_file},
};
use protocol::{ProducerId, TopicName, batch::BatchHeader};

pub use self::{
    errors::TableError,
    format::{FILE_EXTENSION, TableKey},
    heal::Healed,
};
use self::{
    format::{
        CHUNK_RUNS_MAX, CHUNKS_AT, Header, LINK_BYTES_MAX, SECTOR, TOPIC_BYTES_MAX, VERSION,
        VERSION_NAMELESS, mark, put_chunk, put_file,
    },
    heal::Damage,
    load::{load, load_header},
};
use super::{
    coding::Ends,
    reconcile::{Reconciled, reconcile},
    run::Run,
    table::Table,
};
use crate::position::{SourceOffset, TargetOffset};

/// A file is not written anew for fewer bytes that nobody needs.
const DEAD_BYTES_MIN: u64 = 64 << 10;

/// The table of one partition of one link, and its file.
pub struct TableFile {
    storage: Arc<dyn Storage>,
    path: PathBuf,
    file: Arc<dyn File>,
    header: Header,
    header_crc: u32,
    table: Table,
    /// Where the next chunk goes.
    length: u64,
    /// The CRC that it goes on from.
    chain: u32,
    /// Written anew when longer than this.
    length_max: u64,
    needs_sync: bool,
    /// Which mark the next sync writes.
    next_mark: usize,
    /// The table has changed otherwise than the file says: it is written anew before anything else.
    is_stale: bool,
    /// The file cannot be read to its end, and stays as it is until the table is healed.
    damage: Option<Damage>,
    /// The file of format version 1 that this one takes the place of.
    former: Option<PathBuf>,
    offline: Option<Arc<io::Error>>,
}

/// What a file says it is the table of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableLabel {
    pub key: TableKey,
    /// What the source calls its topic; empty in a file of format version 1.
    pub topic: TopicName,
    /// Of two tables the one made later has the larger one.
    pub provenance: ProducerId,
}

impl TableFile {
    /// A new, durable file for a partition that is mirrored from source offset `start` on, of what the source calls `topic`.
    /// `provenance` is the producer id under which its batches stand in the target log. The directory exists.
    pub fn create(
        storage: Arc<dyn Storage>,
        path: &Path,
        label: TableLabel,
        start: SourceOffset,
    ) -> Result<Self, TableError> {
        match exists(&*storage, path)? {
            true => Err(TableError::Exists { path: path.to_owned() }),
            false => Self::write_new(storage, path, label, &Table::new(start)),
        }
    }

    /// The file of a whole table, in place of any that is there.
    pub fn write_new(
        storage: Arc<dyn Storage>,
        path: &Path,
        label: TableLabel,
        table: &Table,
    ) -> Result<Self, TableError> {
        let TableLabel { key, topic, provenance } = label;
        check_names(&key, &topic)?;
        let header = Header { version: VERSION, key, topic, provenance, start: table.start() };
        let image = put_file(&header, table);
        let failed = |source| TableError::Io { path: path.to_owned(), source: Arc::new(source) };
        replace_file(&*storage, path, &image.bytes).map_err(failed)?;
        Self::read(storage, path)
    }

    /// The file of a table, if there is one. [`Self::reconcile`] it with the log and [`Self::heal`] it before it is used.
    pub fn open(
        storage: Arc<dyn Storage>,
        path: &Path,
        key: &TableKey,
        topic: &TopicName,
    ) -> Result<Option<Self>, TableError> {
        let former = path.with_file_name(key.former_file_name());
        let mut opened = match path {
            path if exists(&*storage, path)? => Self::read(storage, path)?,
            _ if exists(&*storage, &former)? => Self::read(storage, &former)?,
            _ => return Ok(None),
        };
        let header = &mut opened.header;
        if header.version == VERSION_NAMELESS {
            header.key.target_id = key.target_id;
            header.topic = topic.clone();
            check_names(&header.key, &header.topic)?;
            opened.former = Some(former);
            opened.path = path.to_owned();
            opened.is_stale = true;
        }
        match opened.header.key == *key {
            true => Ok(Some(opened)),
            false => Err(TableError::OtherTable { path: opened.path, found: Box::new(opened.header.key) }),
        }
    }

    /// Reads only what a file says it is the table of.
    pub fn label_of(storage: &dyn Storage, path: &Path) -> Result<TableLabel, TableError> {
        let failed = |source| TableError::Io { path: path.to_owned(), source: Arc::new(source) };
        let file = storage.open(path, Open::Read).map_err(failed)?;
        let Header { key, topic, provenance, .. } = load_header(path, &*file)?;
        Ok(TableLabel { key, topic, provenance })
    }

    fn read(storage: Arc<dyn Storage>, path: &Path) -> Result<Self, TableError> {
        let failed = |source| TableError::Io { path: path.to_owned(), source: Arc::new(source) };
        let file = storage.open(path, Open::Write).map_err(failed)?;
        let loaded = load(path, &*file)?;
        if loaded.is_torn && loaded.damage.is_none() {
            file.set_length(loaded.length).and_then(|()| file.sync_data()).map_err(failed)?;
        }
        let mut opened = Self {
            storage,
            path: path.to_owned(),
            file,
            header: loaded.header,
            header_crc: loaded.header_crc,
            table: loaded.table,
            length: loaded.length,
            chain: loaded.chain,
            length_max: 0,
            needs_sync: true,
            next_mark: loaded.next_mark,
            is_stale: false,
            damage: loaded.damage,
            former: None,
            offline: None,
        };
        opened.length_max = opened.length_max();
        Ok(opened)
    }

    /// For look-ups.
    pub fn table(&self) -> &Table {
        &self.table
    }

    pub fn key(&self) -> &TableKey {
        &self.header.key
    }

    pub fn provenance(&self) -> ProducerId {
        self.header.provenance
    }

    pub fn label(&self) -> TableLabel {
        let Header { key, topic, provenance, .. } = self.header.clone();
        TableLabel { key, topic, provenance }
    }

    /// Appends runs, to the file first. On an error none of them is in the table.
    pub fn append(&mut self, runs: &[Run]) -> Result<(), TableError> {
        self.ready()?;
        let (ends, resume) = (self.table.ends(), self.table.resume());
        let appended = runs.iter().try_for_each(|run| self.table.append(*run)).map_err(TableError::from);
        let written = appended.and_then(|()| self.write(ends, runs, 0));
        if written.is_err() {
            self.table.cut(ends.target);
            self.table.skip_to(resume);
        }
        written?;
        self.shrink_if_mostly_dead()
    }

    /// Notes that the source holds nothing to mirror below `position`, as [`Table::skip_to`] does.
    pub fn skip_to(&mut self, position: SourceOffset) -> Result<(), TableError> {
        self.ready()?;
        if position > self.table.resume() {
            let ends = self.table.ends();
            self.write(ends, &[], position.since(ends.source))?;
            self.table.skip_to(position);
        }
        self.shrink_if_mostly_dead()
    }

    /// Makes durable what was written. The first failure is the last: the table is offline until it is opened anew.
    pub fn sync(&mut self) -> Result<(), TableError> {
        self.ready()?;
        if !self.needs_sync {
            return Ok(());
        }
        self.file.sync_data().map_err(|source| self.fail(source))?;
        let mark = mark(self.header_crc, self.length);
        let at = SECTOR * (1 + self.next_mark);
        self.file.write_at(&[IoSlice::new(&mark)], at as u64).map_err(|source| self.fail(source))?;
        self.next_mark = 1 - self.next_mark;
        self.needs_sync = false;
        Ok(())
    }

    /// Forgets runs below the log's start, once that is half of the table, and writes the file anew. Answers whether
    /// any was forgotten.
    pub fn trim(&mut self, log_start: TargetOffset) -> Result<bool, TableError> {
        self.ready()?;
        let trimmed = self.table.trim(log_start);
        if trimmed {
            self.shrink()?;
        }
        Ok(trimmed)
    }

    /// Makes table and file agree with the target log; see [`super::reconcile()`].
    pub fn reconcile(
        &mut self,
        log_end: TargetOffset,
        batches: impl IntoIterator<Item = BatchHeader>,
    ) -> Result<Reconciled, TableError> {
        if self.damage.is_none() {
            self.ready()?;
        }
        let ends = self.table.ends();
        // Until the file has it too.
        self.is_stale = true;
        let done = reconcile(&mut self.table, self.header.provenance, log_end, batches)?;
        if let Some(damage) = &mut self.damage {
            damage.found(&done.added);
            return Ok(done);
        }
        if done.cut {
            self.rewrite()?;
        } else if !done.added.is_empty() {
            self.write(ends, &done.added, 0)?;
        }
        self.is_stale = false;
        Ok(done)
    }

    /// Writes runs that follow `ends`, or what is skipped after them. On an error the file is as it was: the next write goes
    /// to the same place.
    fn write(&mut self, mut ends: Ends, runs: &[Run], skipped: i64) -> Result<(), TableError> {
        let (mut bytes, mut chain) = (Vec::new(), self.chain);
        for chunk in runs.chunks(CHUNK_RUNS_MAX) {
            put_chunk(&mut bytes, &mut chain, &mut ends, chunk, 0);
        }
        if skipped > 0 {
            put_chunk(&mut bytes, &mut chain, &mut ends, &[], skipped);
        }
        self.file.write_at(&[IoSlice::new(&bytes)], self.length).map_err(|source| self.io(source))?;
        self.length += bytes.len() as u64;
        self.chain = chain;
        self.needs_sync = true;
        Ok(())
    }

    fn shrink_if_mostly_dead(&mut self) -> Result<(), TableError> {
        if self.length > self.length_max {
            // The table has grown as well since that was reckoned.
            self.length_max = self.length_max();
        }
        if self.length > self.length_max { self.shrink() } else { Ok(()) }
    }

    /// Writes the file anew. A full disk only puts it off.
    fn shrink(&mut self) -> Result<(), TableError> {
        match self.rewrite() {
            Err(error) if error.is_no_space() => {
                self.length_max = self.length * 2;
                Ok(())
            }
            done => done,
        }
    }

    fn rewrite(&mut self) -> Result<(), TableError> {
        self.header.start = self.table.start();
        let image = put_file(&self.header, &self.table);
        let replaced = replace_file(&*self.storage, &self.path, &image.bytes)
            .and_then(|()| self.storage.open(&self.path, Open::Write));
        match replaced {
            Ok(file) => {
                self.file = file;
                self.header_crc = image.header_crc;
                self.length = image.bytes.len() as u64;
                self.chain = image.chain;
                self.length_max = self.length_max();
                self.needs_sync = false;
                self.next_mark = 1;
                self.is_stale = false;
                self.header.version = VERSION;
                self.forget_former()
            }
            // The old file is in place and goes on.
            Err(source) if source.kind() == io::ErrorKind::StorageFull => Err(self.io(source)),
            Err(source) => Err(self.fail(source)),
        }
    }

    /// The table stands under its new name: the file of the older format is in the way of nothing, but says what is old.
    fn forget_former(&mut self) -> Result<(), TableError> {
        let Some(former) = self.former.take() else { return Ok(()) };
        self.storage.remove_file(&former).map_err(|source| self.io(source))
    }

    /// Twice what the table takes.
    fn length_max(&self) -> u64 {
        (CHUNKS_AT + 2 * self.table.coded_bytes()) as u64 + DEAD_BYTES_MIN
    }

    fn ready(&mut self) -> Result<(), TableError> {
        if let Some(cause) = &self.offline {
            return Err(TableError::Offline { path: self.path.clone(), cause: cause.clone() });
        }
        if self.damage.is_some() {
            return Err(TableError::NotHealed { path: self.path.clone() });
        }
        if self.is_stale { self.rewrite() } else { Ok(()) }
    }

    fn fail(&mut self, source: io::Error) -> TableError {
        let cause = Arc::new(source);
        self.offline = Some(cause.clone());
        TableError::Offline { path: self.path.clone(), cause }
    }

    fn io(&self, source: io::Error) -> TableError {
        TableError::Io { path: self.path.clone(), source: Arc::new(source) }
    }
}

fn exists(storage: &dyn Storage, path: &Path) -> Result<bool, TableError> {
    storage.exists(path).map_err(|source| TableError::Io { path: path.to_owned(), source: Arc::new(source) })
}

fn check_names(key: &TableKey, topic: &TopicName) -> Result<(), TableError> {
    let names = [(key.link.as_str(), LINK_BYTES_MAX), (topic.as_str(), TOPIC_BYTES_MAX)];
    match names.into_iter().find(|(name, bytes_max)| name.len() > *bytes_max) {
        Some((name, _)) => Err(TableError::NameTooLong(name.to_owned())),
        None => Ok(()),
    }
}
