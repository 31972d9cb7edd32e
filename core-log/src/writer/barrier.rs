//! The producer barrier: nothing below it tells anything about producers any more.
//!
//! A log that changes hands holds ids that another cluster gave away. Here they may be given to others, whose first batches must
//! not pass for retries of those. The barrier is one offset in the directory's checkpoint `producer-start-offset-checkpoint`, so
//! it holds at one durable write, whatever snapshots and segments say: recovery looks neither at snapshots up to it nor at
//! batches below it. It never lies above the log end: else what is appended between would be overlooked, too.

use std::io;

use protocol::{Offset, ProducerId};

use super::{Writer, sync};
use crate::{ChangeError, log::Log, producers::Producers};

/// Open transactions are forgotten as well: whoever asks for it has resolved them.
pub(crate) fn forget_producers(log: &Log, writer: &mut Writer) -> Result<Option<ProducerId>, ChangeError> {
    sync(log, writer).map_err(ChangeError::Offline)?;
    let largest = writer.producers.largest_id();
    if writer.active.is_none() {
        return Ok(largest);
    }
    let end = log.ends().log_end;
    let mut marks = log.shared.marks.lock();
    let before = marks.producer_start(log.id());
    marks.set_producer_start(log.id(), end);
    if let Err(error) = marks.write(&*log.shared.storage) {
        marks.set_producer_start(log.id(), before);
        return Err(error.into());
    }
    drop(marks);
    writer.producers = Producers::new();
    writer.changed = true;
    let ends = log.ends();
    writer.publish(log, ends);
    Ok(largest)
}

/// Follows the log end down, before anything is appended there again.
pub(super) fn lower(log: &Log, end: Offset) -> io::Result<()> {
    let mut marks = log.shared.marks.lock();
    if marks.producer_start(log.id()) > end {
        marks.set_producer_start(log.id(), end);
        marks.write(&*log.shared.storage)?;
    }
    Ok(())
}
