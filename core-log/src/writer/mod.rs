//! One log's writing side, used by the appender thread alone.
//!
//! ```text
//!   append   batches -> offsets, sequences checked -> one write        sync   what was written becomes durable
//!   roll     the full segment is sealed, the next one starts            trim   log start moves up, segments go
//!   truncate the tail goes                                              rest   what a clean shutdown leaves
//!   intake   who may append                                             start  an empty log begins elsewhere
//!   barrier  producers are forgotten
//! ```
//!
//! State in memory changes only after the write that it describes: a failed write has nothing to take back.

mod append;
mod barrier;
mod intake;
mod rest;
mod roll;
mod start;
mod sync;
mod trim;
mod truncate;

pub(crate) use append::{Item, Slot, append};
pub(crate) use barrier::forget_producers;
pub(crate) use intake::set_intake;
pub(crate) use rest::rest;
pub(crate) use start::start_at;
pub(crate) use sync::{Dirty, journaled, sync};
pub(crate) use trim::{advance_start, clean};
pub(crate) use truncate::truncate;

use std::{io, sync::Arc};

use protocol::Offset;

use crate::{
    epochs::LEADER_EPOCHS,
    errors::OfflineReason,
    log::Log,
    names::{self, Kind},
    producers::Producers,
    segment::Segment,
    storage,
};

/// The state that only writing needs.
pub(crate) struct Writer {
    /// The directory is there.
    pub(crate) made: bool,
    pub(crate) active: Option<Arc<Segment>>,
    pub(crate) age: Age,
    pub(crate) producers: Producers,
    pub(crate) dirty: Dirty,
    /// Something changed since the files of a clean shutdown were written.
    pub(crate) changed: bool,
    /// The epochs' checkpoint is behind.
    pub(crate) epochs_changed: bool,
}

/// From when the active segment's age counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Age {
    /// Timestamp of its first batch, if that has one.
    pub(crate) first_timestamp: Option<i64>,
    pub(crate) created_ms: i64,
}

impl Writer {
    pub(crate) fn new(made: bool, active: Option<Arc<Segment>>, age: Age, producers: Producers) -> Self {
        Self { made, active, age, producers, dirty: Dirty::default(), changed: false, epochs_changed: false }
    }

    /// What the state of the producers allows to be seen.
    pub(crate) fn publish(&mut self, log: &Log, mut ends: crate::LogEnds) {
        ends.last_stable = self.producers.last_stable(ends.high_watermark).max(ends.log_start);
        log.publish_ends(ends);
    }

    pub(crate) fn write_epochs(&mut self, log: &Log) -> io::Result<()> {
        if self.epochs_changed {
            let content = log.epochs.lock().format();
            storage::replace_file(&*log.shared.storage, &log.dir.join(LEADER_EPOCHS), content.as_bytes())?;
            self.epochs_changed = false;
        }
        Ok(())
    }

    /// Producers as of the log's end, which is at `offset`.
    pub(crate) fn write_snapshot(&self, log: &Log, offset: Offset) -> io::Result<()> {
        let path = names::segment_file(&log.dir, offset, Kind::Snapshot);
        storage::replace_file(&*log.shared.storage, &path, &self.producers.to_snapshot())
    }
}

pub(crate) fn write_failed(error: io::Error) -> OfflineReason {
    OfflineReason::WriteFailed(Arc::new(error))
}

pub(crate) fn sync_failed(error: io::Error) -> OfflineReason {
    OfflineReason::SyncFailed(Arc::new(error))
}
