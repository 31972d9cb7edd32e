//! A translated position, held within what the target has.
//!
//! Above the durable end a consumer would skip records that are still to come; below the log start it would be told that
//! its offset is out of range, and `auto.offset.reset` would throw it to one of the ends.

use super::translate::Located;
use crate::position::{SourceOffset, TargetOffset};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clamped {
    pub(super) offset: TargetOffset,
    /// The true position is beyond what was mirrored: it has to be placed again when data arrives.
    pub(super) ahead: bool,
    /// Records between the true position and the target's log start.
    pub(super) skipped: u64,
}

pub(super) fn clamp(committed: SourceOffset, at: &Located) -> Clamped {
    let ahead = committed > at.mirrored_to || at.offset > at.durable_end;
    let below = at.log_start.since(at.offset);
    Clamped {
        offset: at.offset.min(at.durable_end).max(at.log_start),
        ahead,
        skipped: u64::try_from(below).unwrap_or(0),
    }
}
