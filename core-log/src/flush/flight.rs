//! One log's sync, on its way.

use std::{io, path::Path, sync::Arc};

use parking_lot::{Condvar, Mutex};

use crate::{
    epochs::LEADER_EPOCHS,
    log::Log,
    partition_metadata::PARTITION_METADATA,
    shared::Shared,
    storage::{self, File, Open},
    writer::sync_failed,
};

pub(crate) struct Flight {
    state: Mutex<State>,
    landed: Condvar,
}

enum State {
    Due(Work),
    Running,
    Landed(Landed),
}

/// What has to reach the disk, in this order: a name that survives stands for bytes that do.
#[derive(Clone, Default)]
pub(crate) struct Work {
    pub(crate) file: Option<Arc<dyn File>>,
    /// `partition.metadata`.
    pub(crate) metadata: bool,
    /// Names in the log's directory.
    pub(crate) names: bool,
    /// The name of the log's directory.
    pub(crate) root: bool,
    /// The epochs' checkpoint. Can be had from the log again.
    pub(crate) epochs: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Landed {
    /// Otherwise the log is offline.
    pub(crate) synced: bool,
    pub(crate) epochs_written: bool,
}

impl Work {
    pub(crate) fn is_empty(&self) -> bool {
        self.file.is_none() && !self.metadata && !self.names && !self.root && self.epochs.is_none()
    }

    pub(crate) fn sync(&self, shared: &Shared, dir: &Path) -> io::Result<()> {
        if let Some(file) = &self.file {
            file.sync_data()?;
        }
        if self.metadata {
            shared.storage.open(&dir.join(PARTITION_METADATA), Open::Write)?.sync_data()?;
        }
        if self.names {
            shared.storage.sync_dir(dir)?;
        }
        if self.root {
            shared.storage.sync_dir(&shared.root)?;
        }
        Ok(())
    }

    fn run(&self, log: &Log) -> Landed {
        if let Err(error) = self.sync(&log.shared, &log.dir) {
            log.take_offline(sync_failed(error));
            return Landed { synced: false, epochs_written: false };
        }
        let written = self.epochs.as_ref().map_or(Ok(()), |content| {
            storage::replace_file(&*log.shared.storage, &log.dir.join(LEADER_EPOCHS), content.as_bytes())
        });
        if let Err(error) = &written {
            tracing::warn!(log = %log.id(), %error, "leader epochs not written");
        }
        Landed { synced: true, epochs_written: written.is_ok() }
    }
}

impl Flight {
    pub(crate) fn new(work: Work) -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(State::Due(work)), landed: Condvar::new() })
    }

    /// Runs it if nobody does, or waits for whoever does. `log` is the one it was made for.
    pub(crate) fn settle(&self, log: &Log) -> Landed {
        let mut state = self.state.lock();
        loop {
            match std::mem::replace(&mut *state, State::Running) {
                State::Due(work) => {
                    drop(state);
                    let landed = work.run(log);
                    *self.state.lock() = State::Landed(landed);
                    self.landed.notify_all();
                    return landed;
                }
                State::Running => self.landed.wait(&mut state),
                State::Landed(landed) => {
                    *state = State::Landed(landed);
                    return landed;
                }
            }
        }
    }
}
