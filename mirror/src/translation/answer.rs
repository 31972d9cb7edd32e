//! What a translation answers.

use crate::position::{Position, SourceOffset, Target, TargetOffset};

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

/// The translation of a replica: its offsets are the same at both ends, so there is nothing to look up. But a commit can be
/// ahead of the mirror, or below its start, just as well.
pub fn identity(position: SourceOffset, log: TargetLog) -> Translated<Target> {
    let same = TargetOffset::new(position.offset());
    if same > log.end {
        Translated::AheadOfMirror { at: log.end, missing: same.since(log.end) }
    } else if same < log.start {
        Translated::BelowStart { at: log.start, skipped: log.start.since(same) }
    } else {
        Translated::Exact(same)
    }
}

#[cfg(test)]
mod tests {
    use protocol::Offset;

    use super::*;

    #[test]
    fn the_offsets_of_a_replica_are_clamped_and_say_so() {
        let at = |offset| TargetOffset::new(Offset(offset));
        let log = TargetLog { start: at(10), end: at(20) };
        let translate = |offset| identity(SourceOffset::new(Offset(offset)), log);
        assert_eq!(translate(9), Translated::BelowStart { at: at(10), skipped: 1 });
        assert_eq!(translate(10), Translated::Exact(at(10)));
        assert_eq!(translate(20), Translated::Exact(at(20)));
        assert_eq!(translate(23), Translated::AheadOfMirror { at: at(20), missing: 3 });
    }
}
