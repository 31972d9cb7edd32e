//! What a clean shutdown leaves of a log, so that opening it need not scan.

use std::io;

use super::{Writer, sync};
use crate::{ChangeError, log::Log};

/// Syncs the log, and writes what is otherwise rebuilt. The recovery point then is the log end: the caller's to write.
pub(crate) fn rest(log: &Log, writer: &mut Writer) -> Result<(), ChangeError> {
    if !writer.changed || !writer.made {
        return Ok(());
    }
    sync(log, writer).map_err(ChangeError::Offline)?;
    let log_end = log.ends().log_end;
    if let Some(active) = &writer.active {
        active.rest(&log.shared)?;
    }
    writer.write_epochs(log)?;
    writer.write_snapshot(log, log_end)?;
    names_are_durable(log)?;
    log.shared.marks.lock().set_recovery_point(log.id(), log_end);
    writer.changed = false;
    Ok(())
}

fn names_are_durable(log: &Log) -> io::Result<()> {
    log.shared.storage.sync_dir(&log.dir)
}
