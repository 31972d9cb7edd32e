//! Who may append from here on. All that was appended before is made durable first, so whoever closes a log knows its end.

use super::{Writer, sync};
use crate::{ChangeError, Intake, LogEnds, log::Log};

/// Runs between two rounds: what was queued before has its outcome, what is queued after obeys.
pub(crate) fn set_intake(log: &Log, writer: &mut Writer, intake: Intake) -> Result<LogEnds, ChangeError> {
    log.obey(intake);
    sync(log, writer).map_err(ChangeError::Offline)?;
    Ok(log.ends())
}
