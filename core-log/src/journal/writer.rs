//! The appender's side: blocks in, one file after the other.

use std::{
    collections::HashMap,
    io::{self, IoSlice},
    sync::Arc,
};

use super::{
    FILES, Piece,
    block::{self, PAGE_BYTES},
    path,
};
use crate::{
    errors::OfflineReason,
    flush::{Flusher, Job, Purpose},
    log::Log,
    shared::{Shared, is_no_space},
    storage::{File, Open},
    writer,
};

/// Zeros: a block's rest of its last page, and the page after it.
const ZEROS: [u8; 2 * PAGE_BYTES] = [0; 2 * PAGE_BYTES];

pub(crate) struct Journal {
    shared: Arc<Shared>,
    files: [JournalFile; FILES],
    active: usize,
    sequence: u64,
    /// It failed: nothing is written to it any more.
    broken: bool,
}

#[derive(Default)]
struct JournalFile {
    file: Option<Arc<dyn File>>,
    /// Where the next block goes.
    end: u64,
    /// The logs that its blocks name, by key, since its first block.
    logs: HashMap<u64, Arc<Log>>,
    /// These logs are being flushed.
    flushing: bool,
}

/// What one log brings for a block.
pub(crate) struct Entry<'a> {
    pub(crate) log: &'a Arc<Log>,
    pub(crate) pieces: Vec<Piece>,
}

impl Journal {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, files: Default::default(), active: 0, sequence: 0, broken: false }
    }

    /// Makes all pieces durable. `Err`: the caller syncs the logs themselves.
    pub(crate) fn write(&mut self, entries: &[Entry<'_>], flusher: &mut Flusher) -> io::Result<()> {
        if self.broken {
            return Err(io::Error::other("the journal failed before"));
        }
        let heads: Vec<_> = entries
            .iter()
            .flat_map(|entry| entry.pieces.iter().map(|piece| (entry.log, piece)))
            .map(|(log, piece)| (block::piece_head(log.id(), log.topic_id(), piece), piece))
            .collect();
        let payload = heads.iter().flat_map(|(head, piece)| {
            std::iter::once(&head[..]).chain(piece.batches.iter().map(|batch| &batch[..]))
        });
        let header = block::header(self.sequence, heads.len(), payload.clone());
        let bytes: usize = header.len() + payload.clone().map(<[u8]>::len).sum::<usize>();
        let padding = bytes.next_multiple_of(PAGE_BYTES) - bytes + PAGE_BYTES;
        let at = self.make_room((bytes + padding) as u64, flusher)?;
        let zeros = ZEROS.get(..padding).unwrap_or(&ZEROS);
        let slices: Vec<_> =
            std::iter::once(&header[..]).chain(payload).chain([zeros]).map(IoSlice::new).collect();
        let written = self.put(&slices, at);
        let Some(active) = self.files.get_mut(self.active) else { return written };
        if at == 0 && written.is_ok() {
            // The blocks that were there before are cut off.
            active.logs.clear();
        }
        for entry in entries {
            // Also if it failed: the block may be there all the same.
            active.logs.entry(entry.log.key).or_insert_with(|| Arc::clone(entry.log));
        }
        if let Err(error) = written {
            // A full disk passes; what the file holds after any other failure is not known.
            self.broken = !is_no_space(&error);
            tracing::warn!(%error, "journal not written; logs are synced one by one");
            return Err(error);
        }
        self.sequence += 1;
        active.end = at + (bytes + padding - PAGE_BYTES) as u64;
        Ok(())
    }

    /// Where a block of so many bytes can go.
    fn make_room(&mut self, bytes: u64, flusher: &mut Flusher) -> io::Result<u64> {
        let bytes_max = self.shared.settings.journal_bytes_max;
        let other = (self.active + 1) % FILES;
        let [Some(active), Some(next)] = [self.files.get(self.active), self.files.get(other)] else {
            return Err(io::ErrorKind::NotFound.into());
        };
        if active.end + bytes <= bytes_max {
            return Ok(active.end);
        }
        if bytes > bytes_max || next.flushing || flusher.is_full() {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        self.flush_active(flusher)?;
        self.active = other;
        if let Some(next) = self.files.get_mut(other) {
            next.end = 0;
        }
        Ok(0)
    }

    fn flush_active(&mut self, flusher: &mut Flusher) -> io::Result<()> {
        let Some(active) = self.files.get_mut(self.active) else { return Ok(()) };
        if let Some(lost) = active.logs.values().find(|log| needs_redo(log)) {
            self.broken = true;
            return Err(io::Error::other(format!("kept for {}, which is offline", lost.id())));
        }
        let logs = active.logs.values().filter_map(|log| log.writer.lock().take_off(log, false)).collect();
        flusher.start(Job { logs, purpose: Purpose::Journal { file: self.active } })?;
        active.flushing = true;
        Ok(())
    }

    fn put(&mut self, slices: &[IoSlice<'_>], at: u64) -> io::Result<()> {
        let (storage, root) = (&self.shared.storage, &self.shared.root);
        let Some(active) = self.files.get_mut(self.active) else { return Ok(()) };
        let file = match &active.file {
            Some(file) => file,
            None => {
                let file = storage.open(&path(root, self.active), Open::Create)?;
                storage.sync_dir(root)?;
                active.file.insert(file)
            }
        };
        file.write_at(slices, at)?;
        file.sync_data()
    }

    /// The flusher is done with a file's logs.
    pub(crate) fn flushed(&mut self, file: usize) {
        let Some(file) = self.files.get_mut(file) else { return };
        file.flushing = false;
        self.broken |= file.logs.values().any(|log| needs_redo(log));
    }

    pub(crate) fn names(&self, log: &Log) -> bool {
        self.files.iter().any(|file| file.logs.contains_key(&log.key))
    }

    /// Leaves no block, once all logs have what blocks hold. `going` is about to be cut or removed: if it is offline nothing of it need be
    /// saved. No flush may be under way.
    pub(crate) fn clear(&mut self, going: &Log) -> io::Result<()> {
        for file in &self.files {
            for log in file.logs.values().filter(|log| log.key != going.key || log.offline().is_none()) {
                if needs_redo(log) || writer::sync(log, &mut log.writer.lock()).is_err() && needs_redo(log) {
                    let lost =
                        format!("the journal is kept for {}, which is offline: restart first", log.id());
                    return Err(io::Error::other(lost));
                }
            }
        }
        self.remove()
    }

    /// Takes the files away, durably.
    pub(crate) fn remove(&mut self) -> io::Result<()> {
        let storage = &self.shared.storage;
        for (number, file) in self.files.iter_mut().enumerate() {
            if file.file.is_none() {
                continue;
            }
            match storage.remove_file(&path(&self.shared.root, number)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        if self.files.iter().any(|file| file.file.is_some()) {
            storage.sync_dir(&self.shared.root)?;
        }
        self.files = Default::default();
        self.active = 0;
        Ok(())
    }
}

/// Records of the log may be durable in the journal alone.
fn needs_redo(log: &Log) -> bool {
    log.offline_reason().is_some_and(|reason| !matches!(reason, OfflineReason::Removed))
}
