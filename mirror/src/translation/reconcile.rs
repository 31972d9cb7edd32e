//! The table after a crash: the target log is the truth.
//!
//! A batch's origin is written in the batch ([`super::provenance`]), so what the table has lost is read from the headers
//! of the log, from the table's last target end on; what the log has lost is cut off the table. What remains is the
//! position to resume from: nothing is mirrored twice, nothing is left out.
//!
//! Two things are the caller's:
//! 1. Runs go into the table once the log holds their batches durably; else, reconcile before a local writer is let in,
//!    who could append where the table still has a run.
//! 2. The table is synced before the log is trimmed beyond its durable end: the log cannot tell of what it no longer has.

use protocol::{ProducerEpoch, ProducerId, Sequence, batch::BatchHeader};

use super::{
    provenance::{self, SOURCE_GAP_MAX},
    run::{Run, RunError},
    table::Table,
};
use crate::position::{SourceOffset, TargetOffset};

/// What a reconciliation changed. The position to resume from is [`Table::resume`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use]
pub struct Reconciled {
    /// The table had more than the log, and lost it.
    pub cut: bool,
    /// What the log had more than the table, in order.
    pub added: Vec<Run>,
}

/// Why log and table do not belong together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReconcileError {
    #[error("the batch at target offset {at} is not what the table says of it: {what}")]
    Disagrees { at: TargetOffset, what: &'static str },
    #[error(
        "the batch at target offset {at} has producer epoch {epoch} and sequence {sequence}, which do not follow source \
         offset {resume} within {SOURCE_GAP_MAX} offsets"
    )]
    DoesNotFollow { at: TargetOffset, epoch: ProducerEpoch, sequence: Sequence, resume: SourceOffset },
    #[error("the batch at target offset {at} cannot follow: {source}")]
    NoRun { at: TargetOffset, source: RunError },
}

/// Makes a table agree with the log, which ends at `log_end`. `batches` are the headers of the log in order, from the
/// batch on that holds or follows [`Table::target_end`]; those that lie below it are compared with the table. May be
/// called for one stretch of the log after the other.
pub fn reconcile(
    table: &mut Table,
    provenance: ProducerId,
    log_end: TargetOffset,
    batches: impl IntoIterator<Item = BatchHeader>,
) -> Result<Reconciled, ReconcileError> {
    let mut done = Reconciled { cut: table.cut(log_end), added: Vec::new() };
    for header in batches {
        let Some(run) = take_batch(table, provenance, &header)? else { continue };
        match done.added.last_mut() {
            Some(last) if run.continues(last) => last.length += run.length,
            _ => done.added.push(run),
        }
    }
    Ok(done)
}

/// Compares a batch with the table, or adds its run.
fn take_batch(
    table: &mut Table,
    provenance: ProducerId,
    header: &BatchHeader,
) -> Result<Option<Run>, ReconcileError> {
    let at = TargetOffset::new(header.base_offset);
    let length = i64::from(header.last_offset_delta).saturating_add(1);
    if table.target_end().is_some_and(|end| at < end) {
        return compare(table, provenance, header, length).map(|()| None);
    }
    if !provenance::is_from(header, provenance) {
        return Ok(None);
    }
    let (epoch, sequence, resume) = (header.producer_epoch, header.base_sequence, table.resume());
    let source = provenance::source_of((epoch, sequence), resume).ok_or(ReconcileError::DoesNotFollow {
        at,
        epoch,
        sequence,
        resume,
    })?;
    let run = Run::new(source, at, length);
    table.append(run).map_err(|source| ReconcileError::NoRun { at, source })?;
    Ok(Some(run))
}

/// Checks a batch that lies below the table's end.
fn compare(
    table: &Table,
    provenance: ProducerId,
    header: &BatchHeader,
    length: i64,
) -> Result<(), ReconcileError> {
    let at = TargetOffset::new(header.base_offset);
    let disagrees = |what| Err(ReconcileError::Disagrees { at, what });
    if table.start().trimmed.is_some_and(|trimmed| at < trimmed) {
        return Ok(());
    }
    let run = table.run_ending_after(at);
    if !provenance::is_from(header, provenance) {
        return match run {
            Some(run) if run.target < at.plus(length) => {
                disagrees("it was written here, the table has it mirrored")
            }
            _ => Ok(()),
        };
    }
    match run {
        Some(run) if run.target <= at && at.plus(length) <= run.target_end() => {
            let source = run.source.plus(at.since(run.target));
            match provenance::origin_of(source) == (header.producer_epoch, header.base_sequence) {
                true => Ok(()),
                false => disagrees("it comes from another source offset"),
            }
        }
        _ => disagrees("it was mirrored, the table does not have it"),
    }
}
