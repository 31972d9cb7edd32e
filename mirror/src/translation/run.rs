//! A run: consecutive source offsets that stand at consecutive target offsets.

use crate::position::{Source, SourceOffset, Target, TargetOffset};
use protocol::Offset;

/// Source offsets `source .. source + length` stand at `target .. target + length`, one for one. An offset inside a run
/// may hold no record (compaction leaves holes in a batch); the hole is at the same place on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    pub source: SourceOffset,
    pub target: TargetOffset,
    /// At least 1.
    pub length: i64,
}

/// Why a run cannot follow what a table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    #[error("source offset {found} is below {end}, up to which the source is mirrored already")]
    SourceNotAscending { found: SourceOffset, end: SourceOffset },
    #[error("target offset {found} is below {end}, the end of what the table has at the target")]
    TargetNotAscending { found: TargetOffset, end: TargetOffset },
    #[error("a run of {0} offsets from {1:?} at {2:?} is none")]
    OutOfRange(i64, SourceOffset, TargetOffset),
}

impl Run {
    pub fn new(source: SourceOffset, target: TargetOffset, length: i64) -> Self {
        Self { source, target, length }
    }

    pub fn source_end(&self) -> SourceOffset {
        self.source.plus(self.length)
    }

    pub fn target_end(&self) -> TargetOffset {
        self.target.plus(self.length)
    }

    /// Whether the ends of the run are offsets at all.
    pub(super) fn check(&self) -> Result<(), RunError> {
        let fits = |base: Offset| base >= Offset::ZERO && base.0.checked_add(self.length).is_some();
        match self.length >= 1 && fits(self.source.offset()) && fits(self.target.offset()) {
            true => Ok(()),
            false => Err(RunError::OutOfRange(self.length, self.source, self.target)),
        }
    }

    pub(super) fn continues(&self, earlier: &Self) -> bool {
        self.source == earlier.source_end() && self.target == earlier.target_end()
    }
}

/// The two sides of a run, so that one search serves both directions.
pub(super) trait Side: Sized + Copy + Ord {
    type Opposite: Side<Opposite = Self>;

    /// What belongs to this side.
    fn pick<T>(source: T, target: T) -> T;

    /// Where a run begins on this side.
    #[inline]
    fn base(run: &Run) -> i64 {
        Self::pick(run.source.offset(), run.target.offset()).0
    }
}

impl Side for Source {
    type Opposite = Target;

    #[inline]
    fn pick<T>(source: T, _target: T) -> T {
        source
    }
}

impl Side for Target {
    type Opposite = Source;

    #[inline]
    fn pick<T>(_source: T, target: T) -> T {
        target
    }
}
