//! Making durable what was written. The first failure is the last: what the disk dropped is unknown.

use std::sync::Arc;

use super::{Dirty, Writer, sync_failed};
use crate::{LogEnds, log::Log};

/// Syncs all of the log that is not, and lets it be seen. `Err`: the log is offline.
pub(crate) fn sync(log: &Log, writer: &mut Writer) -> Result<(), Arc<str>> {
    if let Some(reason) = log.offline() {
        return Err(reason);
    }
    sync_dirty(log, &mut writer.dirty).map_err(|error| log.take_offline(sync_failed(error)))?;
    let ends = log.ends();
    let ends = LogEnds { durable_end: ends.log_end, high_watermark: ends.log_end, ..ends };
    writer.publish(log, ends);
    Ok(())
}

/// The file before the names: a name that survives stands for bytes that do.
pub(super) fn sync_dirty(log: &Log, dirty: &mut Dirty) -> std::io::Result<()> {
    if let Some(file) = dirty.file.take() {
        file.sync_data()?;
    }
    if std::mem::take(&mut dirty.names) {
        log.shared.storage.sync_dir(&log.dir)?;
    }
    if std::mem::take(&mut dirty.root) {
        log.shared.storage.sync_dir(&log.shared.root)?;
    }
    Ok(())
}
