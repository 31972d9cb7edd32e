//! What the mirror knows, in the words that operators are told.

use mirror::{
    link::receiver::{PartitionState, PartitionView, Stall},
    ownership::{Gate, UnitView},
    stop::StopReason,
    translation,
};

use crate::operations::status::{PartitionStatus, Stop, UnitStatus};

/// `topic`: what the source calls it.
pub(super) fn partition(topic: &str, view: &PartitionView) -> PartitionStatus {
    let (state, stop) = match &view.state {
        PartitionState::Starting => ("starting", None),
        PartitionState::Backfilling => ("catching-up", None),
        PartitionState::Live => ("live", None),
        PartitionState::Stalled(Stall::NoSpace) => ("no-space", None),
        PartitionState::Stopped(reason) => ("stopped", Some(stop(reason))),
    };
    PartitionStatus {
        topic: topic.to_owned(),
        partition: view.key.partition.0,
        state: state.to_owned(),
        source_end: Some(view.source_end.0),
        position: Some(view.durable_end.0),
        lag_records: Some(view.lag_records),
        lag_seconds: Some(view.lag.as_secs_f64()),
        stop,
    }
}

fn stop(reason: &StopReason) -> Stop {
    Stop { code: reason.code().to_owned(), what: reason.to_string(), action: reason.action().to_owned() }
}

pub(super) fn unit(view: &UnitView) -> UnitStatus {
    UnitStatus {
        name: view.unit.clone(),
        state: view.state.as_str().to_owned(),
        home: view.home.to_string(),
        generation: view.generation.0,
        writable: view.gate == Gate::Open,
    }
}

/// The offset, and how exact it is.
pub(super) fn translated<Side>(answer: translation::Translated<Side>) -> (i64, String) {
    let how = match answer {
        translation::Translated::Exact(_) => "exact".to_owned(),
        translation::Translated::AheadOfMirror { missing, .. } => {
            format!("{missing} offsets ahead of what was mirrored; this is where the mirror ends")
        }
        translation::Translated::BelowStart { skipped, .. } => {
            format!("{skipped} offsets before the first one that is still kept; this is that one")
        }
    };
    (answer.position().offset().0, how)
}
