//! Offsets per log that the directory keeps for all its logs: how far each is known to be durable, where it starts, and from
//! where on it says something about producers.
//!
//! The durable mark is Kafka's recovery point. Below it damage is corruption; above it is a torn tail. So it may only be
//! written after a sync, and must be lowered on disk before a log is truncated below it.

use std::{
    io,
    path::{Path, PathBuf},
};

use protocol::{Offset, TopicPartition};

use crate::{
    OpenError, Storage,
    checkpoint::{self, CheckpointError, LOG_STARTS, Offsets, PRODUCER_STARTS, RECOVERY_POINTS},
};

pub(crate) struct Marks {
    recovery_points: Kept,
    log_starts: Kept,
    producer_starts: Kept,
}

/// The content of a checkpoint file, and whether the file is behind.
struct Kept {
    path: PathBuf,
    offsets: Offsets,
    changed: bool,
}

impl Marks {
    /// An unreadable file is an error: without marks every damage would pass as a torn tail.
    pub(crate) fn read(storage: &dyn Storage, root: &Path) -> Result<Self, OpenError> {
        Ok(Self {
            recovery_points: Kept::read(storage, root.join(RECOVERY_POINTS))?,
            log_starts: Kept::read(storage, root.join(LOG_STARTS))?,
            producer_starts: Kept::read(storage, root.join(PRODUCER_STARTS))?,
        })
    }

    pub(crate) fn recovery_point(&self, id: &TopicPartition) -> Option<Offset> {
        self.recovery_points.offsets.get(id).copied()
    }

    pub(crate) fn log_start(&self, id: &TopicPartition) -> Option<Offset> {
        self.log_starts.offsets.get(id).copied()
    }

    /// Producers of batches below it are forgotten.
    pub(crate) fn producer_start(&self, id: &TopicPartition) -> Offset {
        self.producer_starts.offsets.get(id).copied().unwrap_or(Offset::ZERO)
    }

    pub(crate) fn set_recovery_point(&mut self, id: &TopicPartition, offset: Offset) {
        self.recovery_points.set(id, offset);
    }

    pub(crate) fn set_log_start(&mut self, id: &TopicPartition, offset: Offset) {
        self.log_starts.set(id, offset);
    }

    pub(crate) fn set_producer_start(&mut self, id: &TopicPartition, offset: Offset) {
        self.producer_starts.set(id, offset);
    }

    /// For a log that is gone: a log that later has its name must not inherit its marks.
    pub(crate) fn forget(&mut self, id: &TopicPartition) {
        for kept in [&mut self.recovery_points, &mut self.log_starts, &mut self.producer_starts] {
            kept.changed |= kept.offsets.remove(id).is_some();
        }
    }

    /// Brings all files up to date, durably.
    pub(crate) fn write(&mut self, storage: &dyn Storage) -> io::Result<()> {
        self.producer_starts.write(storage)?;
        self.log_starts.write(storage)?;
        self.recovery_points.write(storage)
    }
}

impl Kept {
    fn read(storage: &dyn Storage, path: PathBuf) -> Result<Self, OpenError> {
        match checkpoint::read_offsets(storage, &path) {
            Ok(offsets) => Ok(Self { path, offsets, changed: false }),
            Err(CheckpointError::Io(error)) => Err(OpenError::Io { path, error }),
            Err(error) => Err(OpenError::BadFile { path, what: error.to_string() }),
        }
    }

    fn set(&mut self, id: &TopicPartition, offset: Offset) {
        if let Some(known) = self.offsets.get_mut(id) {
            self.changed |= std::mem::replace(known, offset) != offset;
            return;
        }
        let id = TopicPartition { topic: id.topic.detached(), partition: id.partition };
        self.offsets.insert(id, offset);
        self.changed = true;
    }

    fn write(&mut self, storage: &dyn Storage) -> io::Result<()> {
        if self.changed {
            checkpoint::write_offsets(storage, &self.path, &self.offsets)?;
            self.changed = false;
        }
        Ok(())
    }
}
