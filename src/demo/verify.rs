//! The check of one partition in one region: the log must hold exactly what was acknowledged, at its offsets, unchanged.
//!
//! Pure: the reader hands in records in the order in which they come.

use super::{event::Event, ledger::Acked};

/// What was found in one partition of one region.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Findings {
    /// Events that are there once, at their offset, with their key and value.
    pub(super) verified: u64,
    /// Acknowledged, and not there.
    pub(super) missing: u64,
    /// At an offset that was read before, or before one that was.
    pub(super) repeated: u64,
    /// There with another key or value.
    pub(super) changed: u64,
    /// At an offset where nothing was acknowledged.
    pub(super) unexpected: u64,
    /// The first thing that was wrong, in words.
    pub(super) first: Option<String>,
}

/// Holds records against what was acknowledged.
#[derive(Debug)]
pub(super) struct PartitionCheck<'a> {
    /// Not met yet, by offset.
    expected: std::iter::Peekable<std::slice::Iter<'a, Acked>>,
    last: Option<i64>,
    findings: Findings,
}

impl Findings {
    pub(super) fn mismatches(&self) -> u64 {
        self.missing + self.repeated + self.changed + self.unexpected
    }
}

impl<'a> PartitionCheck<'a> {
    /// `expected` ascends by offset.
    pub(super) fn new(expected: &'a [Acked]) -> Self {
        Self { expected: expected.iter().peekable(), last: None, findings: Findings::default() }
    }

    pub(super) fn see(&mut self, offset: i64, key: Option<&[u8]>, value: Option<&[u8]>) {
        if self.last.is_some_and(|last| offset <= last) {
            self.findings.repeated += 1;
            return self.wrong(offset, "comes a second time");
        }
        self.last = Some(offset);
        self.miss_before(offset);
        let Some(acked) = self.expected.next_if(|acked| acked.offset == offset) else {
            self.findings.unexpected += 1;
            return self.wrong(offset, "was acknowledged to nobody");
        };
        let event = Event::of(acked.number);
        if key == Some(event.key.as_bytes()) && value == Some(event.value.as_bytes()) {
            self.findings.verified += 1;
        } else {
            self.findings.changed += 1;
            self.wrong(offset, "is not what was produced");
        }
    }

    /// Nothing more comes.
    pub(super) fn finish(mut self) -> Findings {
        self.miss_before(i64::MAX);
        self.findings
    }

    fn miss_before(&mut self, offset: i64) {
        while let Some(acked) = self.expected.next_if(|acked| acked.offset < offset) {
            self.findings.missing += 1;
            self.wrong(acked.offset, "is missing");
        }
    }

    fn wrong(&mut self, offset: i64, what: &str) {
        self.findings.first.get_or_insert_with(|| format!("offset {offset} {what}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::region::Region;

    const RECORDS: i64 = 20;

    fn acked() -> Vec<Acked> {
        let number = |offset: i64| u64::try_from(offset * 3).expect("small");
        (0..RECORDS)
            .map(|offset| Acked { offset, number: number(offset), at_us: 0, region: Region::East })
            .collect()
    }

    /// What a faultless log gives.
    fn log() -> Vec<(i64, Event)> {
        acked().into_iter().map(|acked| (acked.offset, Event::of(acked.number))).collect()
    }

    fn check(log: &[(i64, Event)]) -> Findings {
        let acked = acked();
        let mut check = PartitionCheck::new(&acked);
        for (offset, event) in log {
            check.see(*offset, Some(event.key.as_bytes()), Some(event.value.as_bytes()));
        }
        check.finish()
    }

    #[test]
    fn a_faultless_log_is_verified_whole() {
        assert_eq!(check(&log()), Findings { verified: 20, ..Findings::default() });
    }

    #[test]
    fn a_missing_record_is_caught_wherever_it_was() {
        for at in [0, 7, 19] {
            let mut log = log();
            log.remove(at);
            let found = check(&log);
            assert_eq!((found.verified, found.missing, found.mismatches()), (19, 1, 1));
            assert_eq!(found.first, Some(format!("offset {at} is missing")));
        }
    }

    #[test]
    fn a_record_that_is_missing_with_its_offset_closed_up_is_caught() {
        let mut log = log();
        log.remove(7);
        log.iter_mut().skip(7).for_each(|(offset, _)| *offset -= 1);
        let found = check(&log);
        assert_eq!((found.verified, found.changed, found.missing), (7, 12, 1));
    }

    #[test]
    fn a_record_read_twice_is_caught() {
        let mut log = log();
        log.insert(8, log[7].clone());
        let found = check(&log);
        assert_eq!((found.verified, found.repeated, found.mismatches()), (20, 1, 1));
    }

    #[test]
    fn a_record_stored_twice_is_caught() {
        let mut log = log();
        log.push((RECORDS, log[19].1.clone()));
        let found = check(&log);
        assert_eq!((found.verified, found.unexpected, found.mismatches()), (20, 1, 1));
    }

    #[test]
    fn a_changed_key_or_value_is_caught() {
        for change in [
            (|event: &mut Event| event.value.push(' ')) as fn(&mut Event),
            |event| event.key.clear(),
            |event| std::mem::swap(&mut event.key, &mut event.value),
        ] {
            let mut log = log();
            change(&mut log[7].1);
            let found = check(&log);
            assert_eq!((found.verified, found.changed, found.mismatches()), (19, 1, 1));
        }
    }

    #[test]
    fn two_records_in_the_others_place_are_both_caught() {
        let mut log = log();
        let (first, second) = (log[3].1.clone(), log[4].1.clone());
        (log[3].1, log[4].1) = (second, first);
        assert_eq!(check(&log).changed, 2);
    }

    #[test]
    fn absent_keys_and_values_are_no_match() {
        let acked = acked();
        let mut check = PartitionCheck::new(&acked[..1]);
        check.see(0, None, None);
        assert_eq!(check.finish().changed, 1);
    }

    #[test]
    fn an_empty_log_misses_everything() {
        assert_eq!(check(&[]).missing, 20);
    }
}
