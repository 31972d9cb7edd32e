//! How often each record of a stream is at a broker, and what that means for the mirror.

use std::net::SocketAddr;

use super::{
    Plan, Sent,
    event::{Events, Place},
};
use crate::load::{connection::Connection, consume, records};

const FETCH_BYTES: i32 = 8 << 20;

/// For each partition, how often each of its records is there.
pub struct Tally {
    counts: Vec<Vec<u32>>,
    /// Records in the wrong partition, or with another's value.
    wrong: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Balance {
    /// Acknowledged at the source, and not at the target.
    pub lost: u64,
    /// At the target more often than at the source.
    pub duplicated: u64,
    /// At the source more than once: the sender could not know.
    pub twice_at_source: u64,
    /// At the target, and something else than what was sent.
    pub wrong: u64,
}

impl Tally {
    /// Reads all of a topic.
    #[track_caller]
    pub(super) fn read(broker: SocketAddr, plan: &Plan, events: &Events) -> Self {
        let mut connection = Connection::open(broker);
        let mut tally = Self { counts: Vec::new(), wrong: 0 };
        for partition in 0..plan.partitions {
            let mut counts = Vec::new();
            consume::read_partition(&mut connection, &plan.topic, partition, FETCH_BYTES, &mut |fetched| {
                records::each(fetched, &mut |record| {
                    let Some(place) = Place::of(record.key.as_ref()) else { return };
                    let right =
                        place.partition == partition && record.value.as_deref() == Some(events.value(place));
                    if right { count(&mut counts, place.sequence) } else { tally.wrong += 1 }
                });
            });
            tally.counts.push(counts);
        }
        tally
    }
}

impl Balance {
    pub(super) fn of(sent: &[Sent], source: &Tally, target: &Tally) -> Self {
        let mut balance = Self { wrong: target.wrong, ..Self::default() };
        for (at, sent) in sent.iter().enumerate() {
            let (source, target) = (&source.counts[at], &target.counts[at]);
            let all = source.len().max(target.len()).max(usize::try_from(sent.records).unwrap_or(usize::MAX));
            for sequence in 0..all {
                let there = |counts: &[u32]| u64::from(counts.get(sequence).copied().unwrap_or(0));
                let (source, target) = (there(source), there(target));
                balance.lost += u64::from(target == 0 && (sequence as u64) < sent.records);
                balance.duplicated += target.saturating_sub(source.max(1));
                balance.twice_at_source += source.saturating_sub(1);
            }
        }
        balance
    }
}

fn count(counts: &mut Vec<u32>, sequence: u64) {
    let at = usize::try_from(sequence).expect("a run has fewer records");
    if counts.len() <= at {
        counts.resize(at + 1, 0);
    }
    counts[at] += 1;
}

#[test]
fn what_the_sender_doubled_is_not_the_mirrors_doing() {
    let tally = |counts: &[u32]| Tally { counts: vec![counts.to_vec()], wrong: 0 };
    let sent = [Sent { records: 5, again: 1 }];
    let balance = Balance::of(&sent, &tally(&[1, 2, 1, 1, 1]), &tally(&[1, 2, 3, 0, 1]));
    assert_eq!(balance, Balance { lost: 1, duplicated: 2, twice_at_source: 1, wrong: 0 });
    let balance = Balance::of(&sent, &tally(&[1, 1, 1, 1, 1, 1]), &tally(&[1, 1, 1]));
    assert_eq!(balance, Balance { lost: 2, ..Balance::default() }, "the last one nobody was promised");
}
