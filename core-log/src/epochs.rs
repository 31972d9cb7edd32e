//! Where each leader epoch starts in a log (KIP-101, KIP-320): what a replica or a consumer asks to find out where
//! its history parts from ours.
//!
//! Invariant: epochs and start offsets are both strictly increasing. Kafka keeps the same in `LeaderEpochFileCache`
//! and in the file `leader-epoch-checkpoint`, whose text this reads and writes.

use protocol::{LeaderEpoch, Offset};

use crate::checkpoint::{self, CheckpointError};

/// The file in a partition's directory.
pub const LEADER_EPOCHS: &str = "leader-epoch-checkpoint";

/// The leader epochs of one log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeaderEpochs {
    starts: Vec<EpochStart>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochStart {
    pub epoch: LeaderEpoch,
    pub start: Offset,
}

impl LeaderEpochs {
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes that a batch of `epoch` stands at `start`. Entries that it contradicts are dropped: the newest word
    /// holds. Returns whether anything changed, so that the checkpoint must be written; batches without an epoch
    /// change nothing.
    pub fn assign(&mut self, epoch: LeaderEpoch, start: Offset) -> bool {
        let known = self.starts.last().is_some_and(|last| last.epoch == epoch && last.start <= start);
        if known || epoch < LeaderEpoch(0) || start < Offset::ZERO {
            return false;
        }
        while self.starts.pop_if(|last| last.epoch >= epoch || last.start >= start).is_some() {}
        self.starts.push(EpochStart { epoch, start });
        true
    }

    pub fn latest(&self) -> Option<LeaderEpoch> {
        self.starts.last().map(|last| last.epoch)
    }

    /// The largest epoch not above the one asked, and where it ends: at the start of the next, or the log's end.
    /// Below all known epochs it is the one asked, which ends where the first known starts. `None` is Kafka's
    /// UNDEFINED: for epochs above the latest, and for no epoch.
    pub fn end_for(&self, asked: LeaderEpoch, log_end: Offset) -> Option<(LeaderEpoch, Offset)> {
        let latest = self.latest()?;
        if asked < LeaderEpoch(0) || asked > latest {
            return None;
        }
        let above = self.starts.partition_point(|entry| entry.epoch <= asked);
        let end = self.starts.get(above).map_or(log_end, |next| next.start);
        let floor = above.checked_sub(1).and_then(|at| self.starts.get(at));
        Some((floor.map_or(asked, |floor| floor.epoch), end))
    }

    /// The epoch that wrote the record at `offset`.
    pub fn epoch_at(&self, offset: Offset) -> Option<LeaderEpoch> {
        let above = self.starts.partition_point(|entry| entry.start <= offset);
        above.checked_sub(1).and_then(|at| self.starts.get(at)).map(|entry| entry.epoch)
    }

    /// Follows a truncation of the log to `end`; returns whether anything changed.
    pub fn truncate_from_end(&mut self, end: Offset) -> bool {
        let kept = self.starts.partition_point(|entry| entry.start < end);
        let changed = kept < self.starts.len();
        self.starts.truncate(kept);
        changed
    }

    /// Follows the log start to `start`: the epoch that holds there now starts there. Returns whether anything
    /// changed.
    pub fn truncate_from_start(&mut self, start: Offset) -> bool {
        let gone = self.starts.partition_point(|entry| entry.start <= start);
        self.starts.drain(..gone.saturating_sub(1));
        match self.starts.first_mut() {
            Some(first) if first.start < start => {
                first.start = start;
                true
            }
            _ => gone > 1,
        }
    }

    pub fn starts(&self) -> &[EpochStart] {
        &self.starts
    }

    /// The content of [`LEADER_EPOCHS`].
    pub fn format(&self) -> String {
        checkpoint::format(self.starts.iter(), |to, entry| {
            use std::fmt::Write as _;
            writeln!(to, "{} {}", entry.epoch, entry.start)
        })
    }

    /// Entries that are not increasing are an error: the log has them all, so rebuild rather than repair.
    pub fn parse(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let mut starts: Vec<EpochStart> = Vec::new();
        checkpoint::parse(bytes, "a larger epoch and a larger start offset", |fields| {
            let epoch = LeaderEpoch(checkpoint::number(fields)?);
            let start = Offset(checkpoint::number(fields)?);
            if starts.last().is_some_and(|last| last.epoch >= epoch || last.start >= start) {
                return None;
            }
            starts.push(EpochStart { epoch, start });
            Some(())
        })?;
        Ok(Self { starts })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn epochs(starts: &[(i32, i64)]) -> LeaderEpochs {
        let mut epochs = LeaderEpochs::new();
        for (epoch, start) in starts {
            assert!(epochs.assign(LeaderEpoch(*epoch), Offset(*start)));
        }
        epochs
    }

    fn end_for(epochs: &LeaderEpochs, asked: i32) -> Option<(i32, i64)> {
        epochs.end_for(LeaderEpoch(asked), Offset(100)).map(|(epoch, end)| (epoch.0, end.0))
    }

    #[test]
    fn an_epoch_ends_where_the_next_starts() {
        let epochs = epochs(&[(2, 10), (5, 20), (6, 30)]);
        for (asked, answer) in [
            (-1, None),
            (0, Some((0, 10))),
            (1, Some((1, 10))),
            (2, Some((2, 20))),
            (3, Some((2, 20))),
            (5, Some((5, 30))),
            (6, Some((6, 100))),
            (7, None),
        ] {
            assert_eq!(end_for(&epochs, asked), answer, "asked {asked}");
        }
        assert_eq!(end_for(&LeaderEpochs::new(), 0), None);
    }

    #[test]
    fn an_epoch_is_assigned_once() {
        let mut epochs = epochs(&[(2, 10)]);
        assert!(!epochs.assign(LeaderEpoch(2), Offset(11)));
        assert!(!epochs.assign(LeaderEpoch::NONE, Offset(12)));
        assert!(!epochs.assign(LeaderEpoch(3), Offset(-1)));
        assert_eq!(epochs, super::tests::epochs(&[(2, 10)]));
    }

    #[test]
    fn the_newest_word_drops_what_it_contradicts() {
        assert_eq!(epochs(&[(2, 10), (5, 20), (3, 30)]), epochs(&[(2, 10), (3, 30)]));
        assert_eq!(epochs(&[(2, 10), (5, 20), (6, 15)]), epochs(&[(2, 10), (6, 15)]));
        assert_eq!(epochs(&[(2, 10), (5, 20), (6, 20)]), epochs(&[(2, 10), (6, 20)]));
        assert_eq!(epochs(&[(2, 10), (5, 20), (5, 15)]), epochs(&[(2, 10), (5, 15)]));
    }

    #[test]
    fn truncation_at_an_entry_drops_it_at_the_end_and_keeps_it_at_the_start() {
        let all = epochs(&[(2, 10), (5, 20), (6, 30)]);
        for (offset, end, start) in [
            (5, &[][..], &[(2, 10), (5, 20), (6, 30)][..]),
            (10, &[], &[(2, 10), (5, 20), (6, 30)]),
            (15, &[(2, 10)], &[(2, 15), (5, 20), (6, 30)]),
            (20, &[(2, 10)], &[(5, 20), (6, 30)]),
            (31, &[(2, 10), (5, 20), (6, 30)], &[(6, 31)]),
        ] {
            let mut cut = all.clone();
            assert_eq!(cut.truncate_from_end(Offset(offset)), cut != all, "end at {offset}");
            assert_eq!(cut, epochs(end), "end at {offset}");
            let mut cut = all.clone();
            assert_eq!(cut.truncate_from_start(Offset(offset)), cut != all, "start at {offset}");
            assert_eq!(cut, epochs(start), "start at {offset}");
        }
    }

    #[test]
    fn the_text_is_kafkas() {
        let all = epochs(&[(2, 10), (5, 20)]);
        assert_eq!(all.format(), "0\n2\n2 10\n5 20\n");
        assert_eq!(LeaderEpochs::parse(all.format().as_bytes()).unwrap(), all);
        assert_eq!(LeaderEpochs::parse(b"").unwrap(), LeaderEpochs::new());
        for bad in ["0\n2\n2 10\n2 20\n", "0\n2\n2 10\n3 10\n", "0\n1\n-1 0\n", "0\n1\n1\n", "0\n2\n1 1\n"] {
            assert!(LeaderEpochs::parse(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        /// Records of an epoch that is larger by so much.
        Append {
            newer: i32,
            records: i64,
        },
        TruncateEnd(i64),
        TruncateStart(i64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => (0..3i32, 1..4i64).prop_map(|(newer, records)| Step::Append { newer, records }),
            1 => (0..40i64).prop_map(Step::TruncateEnd),
            1 => (0..40i64).prop_map(Step::TruncateStart),
        ]
    }

    proptest! {
        /// The model: the epoch of every record of the log.
        #[test]
        fn answers_are_those_of_the_records(steps in prop::collection::vec(step(), 0..30)) {
            let mut epochs = LeaderEpochs::new();
            let (mut records, mut log_start): (Vec<i32>, usize) = (vec![], 0);
            for step in steps {
                match step {
                    Step::Append { newer, records: count } => {
                        let latest = records.get(log_start..).and_then(|live| live.last());
                        let epoch = latest.or(records.last()).copied().unwrap_or(0) + newer;
                        epochs.assign(LeaderEpoch(epoch), Offset(records.len() as i64));
                        records.extend((0..count).map(|_| epoch));
                    }
                    Step::TruncateEnd(end) => {
                        let end = (end as usize).clamp(log_start, records.len());
                        records.truncate(end);
                        epochs.truncate_from_end(Offset(end as i64));
                    }
                    Step::TruncateStart(start) => {
                        log_start = (start as usize).clamp(log_start, records.len());
                        epochs.truncate_from_start(Offset(log_start as i64));
                    }
                }
                let live = || (log_start..records.len()).map(|at| (at as i64, records[at]));
                for (at, epoch) in live() {
                    prop_assert_eq!(epochs.epoch_at(Offset(at)), Some(LeaderEpoch(epoch)));
                }
                for asked in live().map(|(_, epoch)| epoch) {
                    let end = live().find(|(_, epoch)| *epoch > asked).map_or(records.len() as i64, |(at, _)| at);
                    let answer = epochs.end_for(LeaderEpoch(asked), Offset(records.len() as i64));
                    prop_assert_eq!(answer, Some((LeaderEpoch(asked), Offset(end))));
                }
                let pairs = || epochs.starts().iter().zip(epochs.starts().iter().skip(1));
                prop_assert!(pairs().all(|(a, b)| a.epoch < b.epoch && a.start < b.start));
                prop_assert_eq!(&LeaderEpochs::parse(epochs.format().as_bytes()).unwrap(), &epochs);
            }
        }
    }
}
