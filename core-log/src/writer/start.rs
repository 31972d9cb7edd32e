//! Where an empty log begins: at the first offset that its original still has.

use protocol::Offset;

use super::{Writer, roll, sync, truncate::replace_files};
use crate::{ChangeError, LogEnds, log::Log};

/// Never below where the log ended before: those offsets were given.
pub(crate) fn start_at(
    log: &Log,
    writer: &mut Writer,
    offset: Offset,
    now_ms: i64,
) -> Result<LogEnds, ChangeError> {
    sync(log, writer).map_err(ChangeError::Offline)?;
    let LogEnds { log_start, log_end, .. } = log.ends();
    if log_start < log_end || offset < log_end {
        return Err(ChangeError::OutOfRange { log_start, log_end });
    }
    if offset == log_end {
        return Ok(log.ends());
    }
    if writer.active.is_some() {
        restart(log, writer, offset)?;
    } else {
        roll::start(log, writer, offset, now_ms).map_err(|failed| match failed {
            roll::Failed::NoSpace => ChangeError::Io(std::io::ErrorKind::StorageFull.into()),
            roll::Failed::Offline(reason) => ChangeError::Offline(log.take_offline(reason)),
        })?;
    }
    writer.publish(log, LogEnds::empty_at(offset));
    // The new segment's name, and the directory's: they say where the log starts.
    sync(log, writer).map_err(ChangeError::Offline)?;
    Ok(log.ends())
}

/// The log held records once. From the durable mark on, a crash leads to the new start.
fn restart(log: &Log, writer: &mut Writer, offset: Offset) -> Result<(), ChangeError> {
    let log_start = log.ends().log_start;
    let mut marks = log.shared.marks.lock();
    marks.set_log_start(log.id(), offset);
    if let Err(error) = marks.write(&*log.shared.storage) {
        marks.set_log_start(log.id(), log_start);
        return Err(error.into());
    }
    drop(marks);
    writer.epochs_changed |= log.epochs.lock().truncate_from_start(offset);
    log.mark_cut();
    let replaced = replace_files(log, writer, offset);
    log.mark_cut();
    log.recent.clear();
    replaced.map_err(|reason| ChangeError::Offline(log.take_offline(reason)))
}
