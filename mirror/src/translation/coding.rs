//! How runs are written down: each as three numbers, counted from where the run before it ended.
//!
//! ```text
//!   source gap, target gap, length      each a little-endian base-128 number of 1 to 9 bytes
//! ```
//!
//! A gap is what lies between two runs on one side: compacted or skipped offsets at the source, other writers' records
//! at the target. A typical run of a transactional source (a marker, then fewer than 128 records) takes three bytes.

use protocol::Offset;

use super::run::Run;
use crate::position::{Position, SourceOffset, TargetOffset};

/// Three numbers of at most 9 bytes.
pub(super) const RUN_BYTES_MAX: usize = 27;

/// Where a run ended, or where the first one counts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) source: SourceOffset,
    pub(super) target: TargetOffset,
}

impl Ends {
    pub(super) fn of(run: &Run) -> Self {
        Self { source: run.source_end(), target: run.target_end() }
    }
}

/// Writes a run that lies after `ends`, which it moves on.
pub(super) fn put_run(to: &mut Vec<u8>, ends: &mut Ends, run: &Run) {
    put_number(to, run.source.since(ends.source));
    put_number(to, run.target.since(ends.target));
    put_number(to, run.length);
    *ends = Ends::of(run);
}

/// Reads runs one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decoder<'a> {
    bytes: &'a [u8],
    source: i64,
    target: i64,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(bytes: &'a [u8], ends: Ends) -> Self {
        Self { bytes, source: ends.source.offset().0, target: ends.target.offset().0 }
    }

    /// The next run; `None` where the bytes end, or are none of ours.
    #[inline]
    pub(super) fn take_run(&mut self) -> Option<Run> {
        let (source_gap, target_gap, length) = match self.bytes.split_first_chunk::<3>() {
            // Most runs: three numbers of one byte each.
            Some((&[source_gap, target_gap, length], rest)) if (source_gap | target_gap | length) < 0x80 => {
                self.bytes = rest;
                (i64::from(source_gap), i64::from(target_gap), i64::from(length))
            }
            _ => (self.take_number()?, self.take_number()?, self.take_number()?),
        };
        let source = self.source.checked_add(source_gap)?;
        let target = self.target.checked_add(target_gap)?;
        self.source = source.checked_add(length)?;
        self.target = target.checked_add(length)?;
        Some(Run::new(Position::new(Offset(source)), Position::new(Offset(target)), length))
    }

    #[inline]
    pub(super) fn take_number(&mut self) -> Option<i64> {
        let mut number = 0u64;
        for place in 0..9 {
            let (&byte, rest) = self.bytes.split_first()?;
            self.bytes = rest;
            number |= u64::from(byte & 0x7f) << (7 * place);
            if byte < 0x80 {
                // 9 places of 7 bits: never negative.
                return i64::try_from(number).ok();
            }
        }
        None
    }

    pub(super) fn is_done(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// Writes a number that is not negative.
pub(super) fn put_number(to: &mut Vec<u8>, number: i64) {
    debug_assert!(number >= 0, "gaps and lengths are not negative");
    let mut rest = u64::try_from(number).unwrap_or(0);
    while rest >= 0x80 {
        to.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    to.push(rest as u8);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ZERO: Ends = Ends { source: Position::ZERO, target: Position::ZERO };

    proptest! {
        #[test]
        fn what_is_written_is_read(numbers in prop::collection::vec(0..=i64::MAX, 0..20)) {
            let mut bytes = Vec::new();
            numbers.iter().for_each(|number| put_number(&mut bytes, *number));
            let mut decoder = Decoder::new(&bytes, ZERO);
            let read: Vec<i64> = std::iter::from_fn(|| decoder.take_number()).collect();
            prop_assert_eq!(read, numbers);
            prop_assert!(decoder.is_done());
        }

        #[test]
        fn foreign_bytes_are_no_run_and_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let mut decoder = Decoder::new(&bytes, ZERO);
            while let Some(run) = decoder.take_run() {
                prop_assert!(run.source.offset().0 >= 0 && run.length >= 0);
            }
        }
    }

    #[test]
    fn a_typical_run_takes_three_bytes() {
        let (mut bytes, mut ends) = (Vec::new(), ZERO);
        let run = Run::new(Position::new(Offset(1)), Position::new(Offset(0)), 127);
        put_run(&mut bytes, &mut ends, &run);
        assert_eq!((bytes.as_slice(), ends), (&[1, 0, 127][..], Ends::of(&run)));
    }
}
