//! Reads whole partitions in large fetches, without looking at the records.

use std::net::SocketAddr;

use bytes::Bytes;
use integration::produce;
use protocol::{ErrorCode, batch::BatchHeader, messages::k01_fetch::FetchResponse};

use crate::{
    connection::{Connection, decoded, encoded},
    measure::{Measured, Meter},
};

pub(crate) fn run(address: SocketAddr, pids: &[u32], topic: &str, fetch_bytes: i32, rounds: u32) -> Measured {
    let mut connection = Connection::open(address);
    let meter = Meter::start(pids);
    let (mut requests, mut bytes) = (0, 0);
    for _ in 0..rounds {
        for partition in 0.. {
            let Some(read) = read_partition(&mut connection, topic, partition, fetch_bytes, &mut requests)
            else {
                assert!(partition > 0, "there is nothing to read: run `load produce` first");
                break;
            };
            bytes += read;
        }
    }
    meter.stop("consume", requests, bytes)
}

/// Bytes of all records of a partition; `None` if there is no such partition.
fn read_partition(
    connection: &mut Connection,
    topic: &str,
    partition: i32,
    fetch_bytes: i32,
    requests: &mut u64,
) -> Option<u64> {
    let (mut next, mut bytes) = (0, 0);
    loop {
        let request = produce::fetch_request(topic, partition, next, fetch_bytes);
        connection.send(&encoded(produce::FETCH, &request));
        let mut answers = Vec::new();
        connection.receive(&mut answers);
        *requests += 1;
        let answer: FetchResponse = decoded(produce::FETCH, &answers[0]);
        let answer = &answer.responses[0].partitions[0];
        if answer.error_code == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION {
            return None;
        }
        assert_eq!(answer.error_code, ErrorCode::NONE, "a fetch was refused");
        let records = answer.records.as_ref().expect("records are never null");
        bytes += records.len() as u64;
        next = next_offset(records).unwrap_or(next);
        if next >= answer.high_watermark {
            return Some(bytes);
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
