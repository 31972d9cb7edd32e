//! The table against a list of (source, target) pairs that is searched from the front for every answer.

use proptest::prelude::*;

use super::*;
use crate::position::{SourceOffset, TargetOffset};
use protocol::Offset;

pub(super) fn source(offset: i64) -> SourceOffset {
    SourceOffset::new(Offset(offset))
}

pub(super) fn target(offset: i64) -> TargetOffset {
    TargetOffset::new(Offset(offset))
}

/// What happens to a merged partition.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// The next `length` source offsets are mirrored; the source has a gap before them.
    Mirror { gap: i64, length: i64 },
    /// Other writers append.
    Others { count: i64 },
    /// The source has nothing to mirror for so many offsets.
    Skip { count: i64 },
    /// The log is trimmed up to so many parts in 16 of what it has.
    Trim { parts: i64 },
    /// A crash cuts off so many offsets at the log's end.
    Cut { count: i64 },
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (prop_oneof![3 => Just(0i64), 2 => 1..4i64], 1..5i64).prop_map(|(gap, length)| Step::Mirror { gap, length }),
        6 => (1..4i64).prop_map(|count| Step::Others { count }),
        1 => (1..4i64).prop_map(|count| Step::Skip { count }),
        1 => (0..=16i64).prop_map(|parts| Step::Trim { parts }),
        1 => (0..40i64).prop_map(|count| Step::Cut { count }),
    ]
}

/// A history, played to the table and kept as a plain list.
struct Played {
    table: Table,
    pairs: Vec<(i64, i64)>,
    start: i64,
    resume: i64,
    log: (i64, i64),
}

impl Played {
    fn new(start: i64) -> Self {
        Self { table: Table::new(source(start)), pairs: Vec::new(), start, resume: start, log: (0, 0) }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Mirror { gap, length } => {
                let (from, to) = (self.resume + gap, self.log.1);
                self.table.append(Run::new(source(from), target(to), length)).unwrap();
                self.pairs.extend((0..length).map(|at| (from + at, to + at)));
                self.resume = from + length;
                self.log.1 += length;
            }
            Step::Others { count } => self.log.1 += count,
            Step::Skip { count } => {
                self.resume += count;
                self.table.skip_to(source(self.resume));
            }
            Step::Trim { parts } => {
                self.log.0 += (self.log.1 - self.log.0) * parts / 16;
                self.table.trim(target(self.log.0));
            }
            Step::Cut { count } => {
                self.log.1 = (self.log.1 - count).max(self.log.0);
                let before = self.pairs.len();
                self.pairs.retain(|pair| pair.1 < self.log.1);
                let cut = self.pairs.len() < before;
                assert_eq!(self.table.cut(target(self.log.1)), cut);
                if cut {
                    self.resume = self.pairs.last().map_or(self.start, |last| last.0 + 1);
                }
            }
        }
    }

    /// The source offset of the first mirrored record at or after a target offset.
    fn first_at(&self, at: i64) -> i64 {
        let found = self.pairs.iter().find(|pair| pair.1 >= at);
        found.map_or_else(|| self.pairs.last().map_or(0, |last| last.0 + 1), |pair| pair.0)
    }

    fn to_target(&self, asked: i64, log: (i64, i64)) -> Option<Translated<crate::position::Target>> {
        let last = self.pairs.last()?;
        let exact = self.pairs.iter().find(|pair| pair.0 >= asked).map_or(last.1 + 1, |pair| pair.1);
        let at = exact.max(log.0).min(log.1);
        let visible = if log.1 <= last.1 { self.first_at(log.1) } else { self.resume };
        Some(if asked > visible {
            Translated::AheadOfMirror { at: target(at), missing: asked - visible }
        } else if (asked < self.start || at > exact) && self.first_at(at) > asked {
            Translated::BelowStart { at: target(at), skipped: self.first_at(at) - asked }
        } else {
            Translated::Exact(target(at))
        })
    }

    fn to_source(&self, asked: i64, log: (i64, i64)) -> Option<Translated<crate::position::Source>> {
        self.pairs.last()?;
        let at = source(self.first_at(asked.max(log.0).min(log.1)));
        Some(if asked > log.1 {
            Translated::AheadOfMirror { at, missing: asked - log.1 }
        } else if asked < log.0 {
            Translated::BelowStart { at, skipped: log.0 - asked }
        } else {
            Translated::Exact(at)
        })
    }

    fn check(&self) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.table.resume(), source(self.resume));
        let ends = self.pairs.last().map(|last| target(last.1 + 1));
        prop_assert_eq!(self.table.target_end(), ends);
        let readable = [self.log, (self.log.0, self.log.1 - (self.log.1 - self.log.0) / 3)];
        for log in readable {
            let bounds = TargetLog { start: target(log.0), end: target(log.1) };
            for asked in -2..self.resume + 4 {
                let (found, expected) =
                    (self.table.to_target(source(asked), bounds), self.to_target(asked, log));
                prop_assert_eq!(found, expected, "source {} in {:?}", asked, log);
            }
            for asked in -2..self.log.1 + 4 {
                let (found, expected) =
                    (self.table.to_source(target(asked), bounds), self.to_source(asked, log));
                prop_assert_eq!(found, expected, "target {} in {:?}", asked, log);
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_offset_translates_as_by_brute_force(start in 0..6i64, steps in prop::collection::vec(step(), 0..300)) {
        let mut played = Played::new(start);
        for step in &steps {
            played.step(step);
        }
        played.check()?;
    }

    #[test]
    fn answers_are_right_after_every_step(start in 0..6i64, steps in prop::collection::vec(step(), 0..60)) {
        let mut played = Played::new(start);
        for step in &steps {
            played.step(step);
            played.check()?;
        }
    }
}

#[test]
fn a_stream_without_gaps_is_one_run() {
    let mut table = Table::new(source(5));
    for at in 0..1000 {
        table.append(Run::new(source(5 + 10 * at), target(10 * at), 10)).unwrap();
    }
    assert_eq!(table.run_count(), 1);
}

#[test]
fn a_run_that_goes_back_on_either_side_is_refused() {
    let mut table = Table::new(source(10));
    assert!(matches!(
        table.append(Run::new(source(9), target(0), 1)),
        Err(RunError::SourceNotAscending { .. })
    ));
    table.append(Run::new(source(10), target(4), 6)).unwrap();
    assert!(matches!(
        table.append(Run::new(source(15), target(10), 1)),
        Err(RunError::SourceNotAscending { .. })
    ));
    assert!(matches!(
        table.append(Run::new(source(16), target(9), 1)),
        Err(RunError::TargetNotAscending { .. })
    ));
    table.skip_to(source(20));
    assert!(matches!(
        table.append(Run::new(source(19), target(10), 1)),
        Err(RunError::SourceNotAscending { .. })
    ));
    for (base, length) in [(20, 0), (20, -1), (20, i64::MAX), (-1, 1)] {
        assert!(matches!(
            table.append(Run::new(source(20), target(base), length)),
            Err(RunError::OutOfRange(..) | RunError::TargetNotAscending { .. })
        ));
    }
    assert_eq!((table.run_count(), table.resume()), (1, source(20)));
}

#[test]
fn the_largest_offsets_do_not_overflow() {
    let mut table = Table::new(source(0));
    table.append(Run::new(source(i64::MAX - 5), target(i64::MAX - 9), 5)).unwrap();
    let log = TargetLog { start: target(0), end: target(i64::MAX) };
    for asked in [i64::MIN, -1, 0, i64::MAX - 1, i64::MAX] {
        assert!(table.to_target(source(asked), log).is_some());
        assert!(table.to_source(target(asked), log).is_some());
    }
}
