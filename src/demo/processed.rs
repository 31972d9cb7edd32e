//! What a consumer group has processed, in whichever region: enough to say exactly what was read twice and what was not
//! read at all.

/// One partition's processed offsets, as runs of consecutive ones in the order of processing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Processed {
    /// Each from its first offset to before its second.
    runs: Vec<(i64, i64)>,
}

impl Processed {
    pub(super) fn note(&mut self, offset: i64) {
        match self.runs.last_mut() {
            Some((_, end)) if *end == offset => *end += 1,
            _ => self.runs.push((offset, offset + 1)),
        }
    }

    /// How many times something was processed, again or not.
    pub(super) fn count(&self) -> u64 {
        self.runs.iter().map(|&(from, to)| length(from, to)).sum()
    }

    /// How many times something was processed that had been processed before.
    pub(super) fn reread(&self) -> u64 {
        let distinct: u64 = self.covered().iter().map(|&(from, to)| length(from, to)).sum();
        self.count() - distinct
    }

    /// How many of `offsets`, which ascend, were never processed.
    pub(super) fn skipped(&self, offsets: impl Iterator<Item = i64>) -> u64 {
        let covered = self.covered();
        let mut runs = covered.iter().peekable();
        let mut skipped = 0;
        for offset in offsets {
            while runs.next_if(|&&(_, to)| to <= offset).is_some() {}
            if runs.peek().is_none_or(|&&(from, _)| offset < from) {
                skipped += 1;
            }
        }
        skipped
    }

    /// The same offsets as ascending runs that do not overlap.
    fn covered(&self) -> Vec<(i64, i64)> {
        let mut sorted = self.runs.clone();
        sorted.sort_unstable();
        let mut covered: Vec<(i64, i64)> = Vec::new();
        for (from, to) in sorted {
            match covered.last_mut() {
                Some((_, end)) if from <= *end => *end = to.max(*end),
                _ => covered.push((from, to)),
            }
        }
        covered
    }
}

fn length(from: i64, to: i64) -> u64 {
    to.abs_diff(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn processed(offsets: impl IntoIterator<Item = i64>) -> Processed {
        let mut processed = Processed::default();
        offsets.into_iter().for_each(|offset| processed.note(offset));
        processed
    }

    #[test]
    fn a_group_that_goes_on_where_it_was_reads_nothing_twice_and_skips_nothing() {
        let moved = processed((0..50).chain(50..80));
        assert_eq!((moved.count(), moved.reread(), moved.skipped(0..80)), (80, 0, 0));
    }

    #[test]
    fn a_position_too_early_is_counted_by_record() {
        let moved = processed((0..50).chain(47..80));
        assert_eq!((moved.reread(), moved.skipped(0..80)), (3, 0));
    }

    #[test]
    fn a_position_too_late_is_counted_by_record() {
        let moved = processed((0..50).chain(52..80));
        assert_eq!((moved.reread(), moved.skipped(0..80)), (0, 2));
    }

    #[test]
    fn what_was_not_read_at_the_end_is_skipped_too() {
        assert_eq!(processed(0..50).skipped(0..60), 10);
        assert_eq!(processed([]).skipped(0..60), 60);
    }

    #[test]
    fn three_times_is_twice_too_often() {
        assert_eq!(processed([0, 1, 2, 1, 1]).reread(), 2);
    }

    #[test]
    fn a_gap_that_the_log_has_is_not_skipped() {
        assert_eq!(processed([0, 1, 5, 6]).skipped([0, 1, 5, 6].into_iter()), 0);
    }
}
