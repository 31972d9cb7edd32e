//! Who may append from here on. All that was appended before is made durable first, so whoever closes a log knows its end.

use super::{Writer, sync};
use crate::{ChangeError, Intake, LogEnds, log::Log};

/// Runs between two rounds: what was queued before has its outcome, what is queued after obeys.
pub(crate) fn set_intake(log: &Log, writer: &mut Writer, intake: Intake) -> Result<LogEnds, ChangeError> {
    sync(log, writer).map_err(ChangeError::Offline)?;
    // Only now: who sees the new intake may rely on what it means.
    log.obey(intake);
    Ok(log.ends())
}
