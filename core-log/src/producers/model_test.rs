//! Producer state against naive models that search the whole history anew for every answer.

use proptest::prelude::*;

use super::{
    tests::{NOW, data, marker, reload},
    *,
};

/// What the next batch of the property test is.
#[derive(Debug, Clone)]
enum Send {
    /// The next in sequence, of so many records.
    Next { count: i32 },
    /// One that was sent before: the nth last.
    Again { nth: usize },
    /// Under another epoch, from some sequence.
    Epoch { change: i16, sequence: i32, count: i32 },
    /// Any sequence.
    Jump { sequence: i32, count: i32 },
}

fn send() -> impl Strategy<Value = Send> {
    let sequence = prop_oneof![Just(0), 0..20i32, i32::MAX - 4..=i32::MAX];
    prop_oneof![
        6 => (1..4i32).prop_map(|count| Send::Next { count }),
        4 => (0..8usize).prop_map(|nth| Send::Again { nth }),
        1 => (-1..=1i16, sequence.clone(), 1..4i32)
            .prop_map(|(change, sequence, count)| Send::Epoch { change, sequence, count }),
        1 => (sequence, 1..4i32).prop_map(|(sequence, count)| Send::Jump { sequence, count }),
    ]
}

/// The model: every batch that was appended.
#[derive(Default)]
struct History(Vec<BatchHeader>);

impl History {
    fn of(&self, id: i64) -> impl DoubleEndedIterator<Item = &BatchHeader> {
        self.0.iter().filter(move |batch| batch.producer_id == ProducerId(id))
    }

    fn check(&self, batch: &BatchHeader) -> Result<Verdict, SequenceError> {
        let producer_id = batch.producer_id;
        let Some(last) = self.of(producer_id.0).next_back() else { return Ok(Verdict::New) };
        let (current, found) = (last.producer_epoch, batch.producer_epoch);
        if found < current {
            return Err(SequenceError::StaleEpoch { producer_id, current, found });
        }
        let epoch = |earlier: &&BatchHeader| earlier.producer_epoch == current;
        let recent: Vec<_> = self.of(producer_id.0).rev().take_while(epoch).take(5).collect();
        let key = |batch: &BatchHeader| (batch.producer_epoch, batch.base_sequence, batch.last_sequence());
        if let Some(same) = recent.iter().rev().find(|recent| key(recent) == key(batch)) {
            let (base_offset, last_offset) = (same.base_offset, same.last_offset());
            return Ok(Verdict::Duplicate { base_offset, last_offset, timestamp: NOW });
        }
        let expected = if found > current { Sequence(0) } else { last.last_sequence().plus(1) };
        match batch.base_sequence == expected {
            true => Ok(Verdict::New),
            false => Err(SequenceError::OutOfOrder { producer_id, expected, found: batch.base_sequence }),
        }
    }

    fn next(&self, id: i64, send: &Send, offset: i64) -> BatchHeader {
        let last = self.of(id).next_back();
        let epoch = last.map_or(0, |last| last.producer_epoch.0);
        let next = last.map_or(i32::MAX - 3, |last| last.last_sequence().plus(1).0);
        match *send {
            Send::Next { count } => data(id, epoch, next, count, offset, false),
            Send::Epoch { change, sequence, count } => {
                data(id, (epoch + change).max(0), sequence, count, offset, false)
            }
            Send::Jump { sequence, count } => data(id, epoch, sequence, count, offset, false),
            Send::Again { nth } => match self.of(id).rev().nth(nth) {
                Some(earlier) => BatchHeader { base_offset: Offset(offset), ..*earlier },
                None => data(id, epoch, next, 1, offset, false),
            },
        }
    }
}

proptest! {
    #[test]
    fn verdicts_are_the_models_also_across_snapshots(
        sends in prop::collection::vec((0..3i64, send(), prop::bool::weighted(0.1)), 1..60),
    ) {
        let (mut producers, mut history, mut offset) = (Producers::new(), History::default(), 0);
        for (id, send, restart) in sends {
            if restart {
                let loaded = reload(&producers, offset);
                prop_assert_eq!(&loaded.producers, &producers.producers);
                producers = loaded;
            }
            let batch = history.next(id, &send, offset);
            let verdict = producers.check(&batch);
            prop_assert_eq!(verdict, history.check(&batch));
            if verdict == Ok(Verdict::New) {
                producers.record(&batch, None, NOW);
                history.0.push(batch);
                offset = batch.next_offset().0;
            }
        }
    }

    #[test]
    fn the_last_stable_offset_is_the_models(
        steps in prop::collection::vec((0..3i64, 0..3u8, 0..6i64), 1..60),
    ) {
        let mut producers = Producers::new();
        let (mut offset, mut open, mut ended) = (0, BTreeMap::new(), Vec::<(i64, i64)>::new());
        let mut high_watermark = 0;
        for (id, step, behind) in steps {
            match step {
                0 => {
                    let (batch, end) = marker(id, 0, offset, Decision::Commit);
                    let found = producers.record(&batch, end, NOW).map(|ended| ended.first_offset.0);
                    let first = open.remove(&id);
                    prop_assert_eq!(found, first);
                    ended.extend(first.map(|first| (first, offset)));
                }
                _ => {
                    producers.record(&data(id, 0, 0, 1, offset, true), None, NOW);
                    open.entry(id).or_insert(offset);
                }
            }
            offset += 1;
            high_watermark = high_watermark.max(offset - behind);
            let unstable = ended.iter().filter(|(_, marker)| *marker >= high_watermark).map(|(first, _)| *first);
            let expected = unstable.chain(open.values().copied()).fold(high_watermark, i64::min);
            prop_assert_eq!(producers.last_stable(Offset(high_watermark)), Offset(expected));
        }
    }
}
