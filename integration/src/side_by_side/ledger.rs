//! Which records there must be, and which there are.

use std::{collections::HashMap, net::SocketAddr};

use bytes::Bytes;

use crate::load::{connection::Connection, consume, data, records};

const FETCH_BYTES: i32 = 8 << 20;

/// For each partition and value how often it is still missing; below zero, how often it is there too often.
#[derive(Default)]
pub(crate) struct Ledger(HashMap<(i32, u64), i64>);

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Balance {
    pub(crate) lost: u64,
    pub(crate) duplicated: u64,
}

impl Ledger {
    /// A batch was acknowledged, as often as this.
    pub(crate) fn expect(&mut self, partition: i32, records: &[u64], times: i64) {
        for record in records {
            *self.0.entry((partition, *record)).or_default() += times;
        }
    }

    /// Reads all of a topic.
    #[track_caller]
    pub(crate) fn read(&mut self, broker: SocketAddr, topic: &str, partitions: i32) {
        let mut connection = Connection::open(broker);
        for partition in 0..partitions {
            consume::read_partition(&mut connection, topic, partition, FETCH_BYTES, &mut |fetched| {
                self.found(partition, fetched);
            });
        }
    }

    pub(crate) fn balance(&self) -> Balance {
        let sum = |sign: i64| self.0.values().map(|count| (count * sign).max(0).unsigned_abs()).sum();
        Balance { lost: sum(1), duplicated: sum(-1) }
    }

    fn found(&mut self, partition: i32, fetched: &Bytes) {
        records::each(fetched, &mut |record| {
            let value = record.value.unwrap_or_default();
            *self.0.entry((partition, data::hash(&value))).or_default() -= 1;
        });
    }
}

#[cfg(test)]
mod tests {
    use protocol::batch::BatchBuilder;

    use super::*;
    use crate::produce;

    #[test]
    fn what_is_missing_and_what_is_there_twice_are_told_apart() {
        let mut ledger = Ledger::default();
        ledger.expect(0, &[data::hash(b"a"), data::hash(b"b")], 2);
        ledger.found(0, &produce::batch(&[b"a", b"a", b"b", b"c"]));
        assert_eq!(ledger.balance(), Balance { lost: 1, duplicated: 1 });
        ledger.found(1, &produce::batch(&[b"b"]));
        assert_eq!(ledger.balance(), Balance { lost: 1, duplicated: 2 }, "it is in another partition");
    }

    #[test]
    fn the_marker_of_a_transaction_is_not_a_record() {
        let mut ledger = Ledger::default();
        ledger.found(0, &produce::records(BatchBuilder::new().transactional().control(), &[b"marker"]));
        assert_eq!(ledger.balance(), Balance { lost: 0, duplicated: 0 });
    }
}
