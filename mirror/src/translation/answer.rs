//! What a translation answers.

use crate::position::{Position, TargetOffset};

/// What the target log holds now: what an answer has to lie in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TargetLog {
    pub start: TargetOffset,
    /// What consumers may read up to: the high watermark.
    pub end: TargetOffset,
}

/// A translated position. There is an offset to go on from in every case; the cases say what that costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Translated<Side> {
    /// Nothing is read again and nothing is missed.
    Exact(Position<Side>),
    /// The position is past what was mirrored, and `at` is the mirror's end. `missing` offsets up to the position are
    /// not there (yet): keep the position and translate it again; should the source be lost, they are lost.
    AheadOfMirror { at: Position<Side>, missing: i64 },
    /// The position is before what is still there, and `at` is the first that is. `skipped` offsets lie between.
    BelowStart { at: Position<Side>, skipped: i64 },
}

impl<Side> Translated<Side> {
    pub fn position(self) -> Position<Side> {
        match self {
            Self::Exact(at) | Self::AheadOfMirror { at, .. } | Self::BelowStart { at, .. } => at,
        }
    }
}

/// What stands between a caller and the table: one partition's translation, whatever its mode. A replica's offsets are
/// the same at both ends, so there is nothing to look up; but a commit can be ahead or trimmed there just as well.
pub fn identity(
    position: crate::position::SourceOffset,
    log: TargetLog,
) -> Translated<crate::position::Target> {
    let same = TargetOffset::new(position.offset());
    if same > log.end {
        Translated::AheadOfMirror { at: log.end, missing: same.since(log.end) }
    } else if same < log.start {
        Translated::BelowStart { at: log.start, skipped: log.start.since(same) }
    } else {
        Translated::Exact(same)
    }
}
