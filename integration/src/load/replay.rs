//! The Produce requests of one connection: its partitions take turns, and each is sent batches of its own.

use bytes::Bytes;
use protocol::codec::Chunks;

use super::{connection::encoded, data::Pool};
use crate::produce;

/// Requests, endlessly.
pub struct Replay {
    requests: Vec<Request>,
    next: usize,
}

pub struct Request {
    pub chunks: Chunks,
    pub partition: i32,
    /// The batch's place in the pool.
    pub batch: usize,
    pub records: u64,
    pub record_bytes: u64,
}

impl Replay {
    /// Of the pool's batches those whose turn it is: `lane` of `lanes`. Every partition gets one at least.
    pub fn new(
        pool: &Pool,
        topic: &str,
        acks: i16,
        partitions: &[i32],
        (lane, lanes): (usize, usize),
    ) -> Self {
        let rounds = (pool.batches.len() / lanes / partitions.len()).max(1);
        let mut requests = Vec::with_capacity(rounds * partitions.len());
        for at in 0..rounds * partitions.len() {
            let (partition, batch) =
                (partitions[at % partitions.len()], (at * lanes + lane) % pool.batches.len());
            let records = &pool.batches[batch];
            requests.push(Request {
                chunks: request(topic, acks, partition, &records.encoded),
                partition,
                batch,
                records: records.records.len() as u64,
                record_bytes: records.encoded.len() as u64,
            });
        }
        Self { requests, next: 0 }
    }

    pub fn next_request(&mut self) -> &Request {
        let at = self.next;
        self.next = (at + 1) % self.requests.len();
        &self.requests[at]
    }
}

/// The partitions of each of so many connections; with more connections than partitions they share.
pub fn lanes(partitions: i32, connections: usize) -> Vec<Vec<i32>> {
    let count = partitions.unsigned_abs() as usize;
    let has = |lane: usize, partition: usize| {
        if connections <= count { partition % connections == lane } else { lane % count == partition }
    };
    (0..connections)
        .map(|lane| (0..partitions).filter(|at| has(lane, at.unsigned_abs() as usize)).collect())
        .collect()
}

fn request(topic: &str, acks: i16, partition: i32, records: &Bytes) -> Chunks {
    let mut request = produce::produce_request(topic, acks, records);
    request.topic_data[0].partition_data[0].index = partition;
    encoded(produce::PRODUCE, &request)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_partition_and_every_connection_has_its_turn() {
        assert_eq!(lanes(5, 2), [vec![0, 2, 4], vec![1, 3]]);
        assert_eq!(lanes(2, 3), [vec![0], vec![1], vec![0]]);
    }
}
