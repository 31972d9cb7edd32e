//! Reads whole partitions in large fetches, without looking at the records.

use std::{
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use protocol::{ErrorCode, batch::BatchHeader, messages::k01_fetch::FetchResponse};

use super::{connection::Connection, replay::lanes};
use crate::produce;

#[derive(Debug, Clone, Copy, Default)]
pub struct Consumed {
    pub requests: u64,
    pub bytes: u64,
    pub elapsed: Duration,
}

/// Reads every partition to its end, each connection with a thread of its own.
#[track_caller]
pub fn run(
    address: SocketAddr,
    topic: &str,
    partitions: i32,
    connections: usize,
    fetch_bytes: i32,
) -> Consumed {
    let started = Instant::now();
    let shares = lanes(partitions, connections.min(partitions.unsigned_abs() as usize));
    let (requests, bytes) = thread::scope(|scope| {
        let readers: Vec<_> = shares
            .iter()
            .map(|share| {
                scope.spawn(move || {
                    let mut connection = Connection::open(address);
                    share.iter().fold((0, 0), |(requests, bytes), partition| {
                        let read =
                            read_partition(&mut connection, topic, *partition, fetch_bytes, &mut |_| {});
                        (requests + read.0, bytes + read.1)
                    })
                })
            })
            .collect();
        readers.into_iter().fold((0, 0), |(requests, bytes), reader| {
            let read = reader.join().expect("a reader ends");
            (requests + read.0, bytes + read.1)
        })
    });
    Consumed { requests, bytes, elapsed: started.elapsed() }
}

/// Requests and bytes of a whole partition; `each` sees what every fetch brought.
#[track_caller]
pub fn read_partition(
    connection: &mut Connection,
    topic: &str,
    partition: i32,
    fetch_bytes: i32,
    each: &mut dyn FnMut(&Bytes),
) -> (u64, u64) {
    let (mut next, mut requests, mut bytes) = (0, 0, 0);
    loop {
        let request = produce::fetch_request(topic, partition, next, fetch_bytes);
        let answer: FetchResponse = connection.call(produce::FETCH, &request);
        requests += 1;
        let answer = &answer.responses[0].partitions[0];
        assert_eq!(answer.error_code, ErrorCode::NONE, "a fetch of {topic}-{partition} was refused");
        let records = answer.records.as_ref().expect("records are never null");
        bytes += records.len() as u64;
        each(records);
        next = next_offset(records).unwrap_or(next);
        if next >= answer.high_watermark {
            return (requests, bytes);
        }
    }
}

/// The offset after the last whole batch.
pub(crate) fn next_offset(records: &Bytes) -> Option<i64> {
    let (mut at, mut next) = (0, None);
    while let Ok(header) = BatchHeader::parse(&records[at..]) {
        at += header.size_bytes;
        if at > records.len() {
            break;
        }
        next = Some(header.next_offset().0);
    }
    next
}
