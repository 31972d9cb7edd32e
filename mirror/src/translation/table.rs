//! The table of one partition: what is mirrored, and the two translations.

use super::{
    answer::{TargetLog, Translated},
    blocks::Blocks,
    coding::Ends,
    run::{Run, RunError, Side},
};
use crate::position::{Position, Source, SourceOffset, Target, TargetOffset};
use protocol::Offset;

/// Runs in ascending order on both sides, and where they begin and end.
///
/// Most partitions have one run for life, and most positions lie in the last run: it stands here uncoded, and every
/// look-up tries it first.
#[derive(Debug, Clone)]
pub struct Table {
    start: Start,
    closed: Blocks,
    /// The last run, which may still grow.
    last: Option<Run>,
    /// Source offsets after the last run that are known to hold nothing to mirror.
    skipped: i64,
}

/// Where the table begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Start {
    /// Below it the table knows nothing: mirroring began here, or the runs before were trimmed.
    pub(super) source: SourceOffset,
    /// Where the last trimmed run ended, if any was.
    pub(super) trimmed: Option<TargetOffset>,
}

impl Table {
    /// An empty table of a partition that is mirrored from source offset `start` on.
    pub fn new(start: SourceOffset) -> Self {
        Self::starting(Start { source: start, trimmed: None })
    }

    pub(super) fn starting(start: Start) -> Self {
        Self { start, closed: Blocks::default(), last: None, skipped: 0 }
    }

    /// The target offset of the first mirrored record whose source offset is not below `position`; past the last one,
    /// the end of the last run. Clamped to the log. `None` when nothing was mirrored yet.
    ///
    /// Total and monotone; and trimming the table by the log's start changes no answer.
    #[inline]
    pub fn to_target(&self, position: SourceOffset, log: TargetLog) -> Option<Translated<Target>> {
        if let Some(at) = self.in_last::<Source>(position).filter(|at| *at >= log.start && *at <= log.end) {
            return Some(Translated::Exact(at));
        }
        self.search_target(position, log)
    }

    fn search_target(&self, position: SourceOffset, log: TargetLog) -> Option<Translated<Target>> {
        self.target_end()?;
        let exact = match self.start.trimmed.filter(|_| position < self.start.source) {
            // Its record was at or before the last trimmed one, and the log begins after that.
            Some(trimmed) => trimmed,
            None => self.lower_bound(position),
        };
        let at = exact.max(log.start).min(log.end);
        let visible = match log.end < self.ends().target {
            true => self.first_at(log.end),
            false => self.resume(),
        };
        if position > visible {
            return Some(Translated::AheadOfMirror { at, missing: position.since(visible) });
        }
        if position < self.start.source || at > exact {
            let skipped = self.first_at(at).since(position);
            if skipped > 0 {
                return Some(Translated::BelowStart { at, skipped });
            }
        }
        Some(Translated::Exact(at))
    }

    /// The source offset of the first mirrored record whose target offset is not below `position`, which is clamped to
    /// the log before; past the last one, the end of the last run. `None` when nothing was mirrored yet.
    ///
    /// Offsets in `missing` and `skipped` are of the target. The answer may lie outside the source's log by now.
    #[inline]
    pub fn to_source(&self, position: TargetOffset, log: TargetLog) -> Option<Translated<Source>> {
        self.target_end()?;
        if position > log.end {
            let at = self.first_at(log.end.max(log.start));
            return Some(Translated::AheadOfMirror { at, missing: position.since(log.end) });
        }
        if position < log.start {
            let at = self.first_at(log.start);
            return Some(Translated::BelowStart { at, skipped: log.start.since(position) });
        }
        Some(Translated::Exact(self.first_at(position)))
    }

    /// Appends a run that lies at or after all others on both sides, and after what was skipped.
    pub fn append(&mut self, run: Run) -> Result<(), RunError> {
        run.check()?;
        if run.source < self.resume() {
            return Err(RunError::SourceNotAscending { found: run.source, end: self.resume() });
        }
        if run.target < self.ends().target {
            return Err(RunError::TargetNotAscending { found: run.target, end: self.ends().target });
        }
        self.skipped = 0;
        match &mut self.last {
            Some(last) if run.continues(last) => last.length += run.length,
            Some(last) => self.closed.push(&std::mem::replace(last, run)),
            None => self.last = Some(run),
        }
        Ok(())
    }

    /// Says that the source holds nothing to mirror between what is mirrored and `position`: control batches, or what
    /// the source has lost. Never goes back.
    pub fn skip_to(&mut self, position: SourceOffset) {
        self.skipped = self.skipped.max(position.since(self.ends().source));
    }

    /// Forgets what lies at or after target offset `end`: a crash cut the log off there. Answers whether anything did.
    pub fn cut(&mut self, end: TargetOffset) -> bool {
        if self.ends().target <= end {
            return false;
        }
        self.skipped = 0;
        match &mut self.last {
            Some(last) if last.target < end => last.length = end.since(last.target),
            _ => {
                self.closed.cut(end);
                self.last = self.closed.pop();
            }
        }
        if self.last.is_none() {
            self.start.trimmed = self.start.trimmed.filter(|trimmed| *trimmed <= end);
        }
        true
    }

    /// Drops runs below the log's start, once that is half of the table. Where the last run ended is kept even if none is
    /// left, so the position to resume from survives. Answers whether anything was dropped.
    pub fn trim(&mut self, log_start: TargetOffset) -> bool {
        let Some(last) = self.last else { return false };
        let ends = match last.target_end() <= log_start {
            true => {
                self.closed = Blocks::default();
                self.last = None;
                Some(Ends::of(&last))
            }
            false => self.closed.trim(log_start, last.target),
        };
        if let Some(ends) = ends {
            self.start = Start { source: ends.source, trimmed: Some(ends.target) };
        }
        ends.is_some()
    }

    /// The source offset to mirror next.
    pub fn resume(&self) -> SourceOffset {
        self.ends().source.plus(self.skipped)
    }

    /// After the last mirrored record at the target: a scan of the log goes on from here. `None` when nothing was
    /// mirrored yet.
    pub fn target_end(&self) -> Option<TargetOffset> {
        let mirrored = self.last.is_some() || self.start.trimmed.is_some();
        mirrored.then(|| self.ends().target)
    }

    pub fn run_count(&self) -> usize {
        self.closed.runs() + usize::from(self.last.is_some())
    }

    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.closed.memory_bytes()
    }

    /// Every run, in order.
    pub fn runs(&self) -> impl Iterator<Item = Run> + '_ {
        self.closed.iter_from(0).chain(self.last)
    }

    /// The first run that ends after a target offset.
    pub(super) fn run_ending_after(&self, position: TargetOffset) -> Option<Run> {
        let closed = || self.closed.find::<Target>(position.offset().0);
        closed().or(self.last.filter(|last| last.target_end() > position))
    }

    pub(super) fn start(&self) -> Start {
        self.start
    }

    pub(super) fn skipped(&self) -> i64 {
        self.skipped
    }

    /// What the runs take when coded.
    pub(super) fn coded_bytes(&self) -> usize {
        self.closed.coded_bytes()
    }

    /// Where the next run's gaps count from.
    pub(super) fn ends(&self) -> Ends {
        match &self.last {
            Some(last) => Ends::of(last),
            None => Ends { source: self.start.source, target: self.start.trimmed.unwrap_or(Position::ZERO) },
        }
    }

    /// The source offset of the first mirrored record at or after a target offset.
    fn first_at(&self, position: TargetOffset) -> SourceOffset {
        self.lower_bound(position)
    }

    #[inline]
    fn in_last<S: Side>(&self, position: Position<S>) -> Option<Position<S::Opposite>> {
        let last = self.last.as_ref()?;
        let into = position.offset().0.checked_sub(S::base(last)).filter(|into| *into >= 0)?;
        // The end of the last run is its own answer: nothing follows.
        (into <= last.length).then(|| Position::new(Offset(S::Opposite::base(last) + into)))
    }

    #[inline]
    fn lower_bound<S: Side>(&self, position: Position<S>) -> Position<S::Opposite> {
        let at = position.offset().0;
        let last = match &self.last {
            None => {
                let Ends { source, target } = self.ends();
                return Position::new(S::Opposite::pick(source.offset(), target.offset()));
            }
            Some(last) => last,
        };
        let run = match at >= S::base(last) {
            true => *last,
            false => self.closed.find::<S>(at).unwrap_or(*last),
        };
        let into = at.saturating_sub(S::base(&run)).clamp(0, run.length);
        Position::new(Offset(S::Opposite::base(&run) + into))
    }
}
