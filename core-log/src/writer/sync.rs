//! Making durable what was written: at once, through the journal, or beside the appender. The first failure is the last: what the
//! disk dropped is unknown.

use std::{io, sync::Arc};

use super::{Writer, sync_failed};
use crate::{
    LogEnds,
    flush::{Flight, Flushing, Work},
    journal::Piece,
    log::Log,
    storage::File,
};

/// What is written but not synced.
#[derive(Default)]
pub(crate) struct Dirty {
    /// What the log's own sync has to do. The file is kept open: a sync through another handle might not hear of a write's failure.
    due: Work,
    /// Something became due after the flight took off.
    again: bool,
    flight: Option<Arc<Flight>>,
    /// Batches that are durable nowhere; the journal can make them so.
    pieces: Vec<Piece>,
    /// Others are, too, that are not among the pieces: only the log's own sync will do.
    uncovered: bool,
}

impl Dirty {
    /// Whether batches are durable nowhere.
    pub(crate) fn has_batches(&self) -> bool {
        self.uncovered || !self.pieces.is_empty()
    }

    /// There are some, and the journal would make all of them durable.
    pub(crate) fn can_be_journaled(&self) -> bool {
        !self.uncovered && !self.pieces.is_empty()
    }

    pub(crate) fn piece_bytes(&self) -> usize {
        self.pieces.iter().map(Piece::bytes).sum()
    }

    /// The caller has them made durable, or says that they [wait](Self::waits) for the log's own sync.
    pub(crate) fn take_pieces(&mut self) -> Vec<Piece> {
        std::mem::take(&mut self.pieces)
    }

    /// How many syncs the log's own would be.
    pub(crate) fn syncs(&self) -> usize {
        let due = [self.due.file.is_some(), self.due.metadata, self.due.names, self.due.root];
        due.into_iter().filter(|due| *due).count()
    }

    pub(super) fn file(&self) -> Option<&Arc<dyn File>> {
        self.due.file.as_ref()
    }

    pub(super) fn wrote(&mut self, file: Arc<dyn File>) {
        (self.due.file, self.again) = (Some(file), true);
    }

    pub(super) fn named(&mut self) {
        (self.due.names, self.again) = (true, true);
    }

    pub(super) fn made_dir(&mut self, metadata: bool) {
        (self.due.metadata, self.due.root, self.again) = (metadata, true, true);
    }

    /// The file and what was written to it are gone, or were synced by themselves.
    pub(super) fn forget_file(&mut self) {
        self.due.file = None;
        self.forget_batches();
    }

    /// A batch that is in the file, and waits to be durable. `None`: it will not be in the journal.
    pub(crate) fn waits(&mut self, piece: Option<Piece>) {
        match piece {
            Some(piece) => self.pieces.push(piece),
            None => self.uncovered = true,
        }
    }

    fn forget_batches(&mut self) {
        self.pieces.clear();
        self.uncovered = false;
    }
}

impl Writer {
    /// Syncs all of the log's files that are not, after a flight has landed.
    pub(crate) fn sync_files(&mut self, log: &Log) -> io::Result<()> {
        self.settle(log)?;
        let due = std::mem::take(&mut self.dirty.due);
        due.sync(&log.shared, &log.dir)?;
        self.dirty.forget_batches();
        Ok(())
    }

    /// Lets the flight land, if there is one.
    pub(crate) fn settle(&mut self, log: &Log) -> io::Result<()> {
        let Some(flight) = self.dirty.flight.take() else { return Ok(()) };
        let landed = flight.settle(log);
        self.epochs_changed |= !landed.epochs_written;
        if !landed.synced {
            return Err(io::Error::other("a sync failed before"));
        }
        if !self.dirty.again {
            self.dirty.due = Work::default();
            // All that was written was written before.
            self.dirty.forget_batches();
        }
        Ok(())
    }

    /// Lets the flight land if it is this one.
    pub(crate) fn land(&mut self, log: &Log, flight: &Arc<Flight>) {
        if self.dirty.flight.as_ref().is_some_and(|current| Arc::ptr_eq(current, flight)) {
            // Whoever flew it has taken the log offline if it failed.
            let _ = self.settle(log);
        }
    }

    /// Has the flusher do the log's sync; with the epochs' checkpoint, if asked. `None`: there is nothing to flush, and will not be.
    pub(crate) fn take_off(&mut self, log: &Arc<Log>, epochs: bool) -> Option<Flushing> {
        if !self.made || log.offline().is_some() || self.settle(log).is_err() {
            return None;
        }
        let mut work = self.dirty.due.clone();
        if epochs && std::mem::take(&mut self.epochs_changed) {
            work.epochs = Some(log.epochs.lock().format());
        }
        let flight = (!work.is_empty()).then(|| Flight::new(work));
        self.dirty.again = false;
        self.dirty.flight.clone_from(&flight);
        Some(Flushing { log: Arc::clone(log), flight, end: log.ends().log_end, cuts: log.cuts() })
    }
}

/// Syncs all of the log that is not, and lets it be seen. `Err`: the log is offline.
pub(crate) fn sync(log: &Log, writer: &mut Writer) -> Result<(), Arc<str>> {
    if let Some(reason) = log.offline() {
        return Err(reason);
    }
    writer.sync_files(log).map_err(|error| log.take_offline(sync_failed(error)))?;
    all_is_durable(log, writer);
    Ok(())
}

/// The journal has all of the log that was not durable.
pub(crate) fn journaled(log: &Log, writer: &mut Writer) {
    writer.dirty.forget_batches();
    all_is_durable(log, writer);
}

fn all_is_durable(log: &Log, writer: &mut Writer) {
    let ends = log.ends();
    writer.publish(log, LogEnds { durable_end: ends.log_end, high_watermark: ends.log_end, ..ends });
}
