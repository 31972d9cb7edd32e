//! From a producer in one datacenter to a consumer in another: how much arrives, and how long after its ack a record can
//! be read there.
//!
//! ```text
//!   for each partition:  writer -> source broker ... mirror ... target broker -> reader
//!                        (end, when acked)                                (end, when read)
//! ```
//!
//! One process is both ends, so one clock measures. An ack's latency is the time to the first fetch that held all its
//! records; 0 if they were read before the ack was.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use integration::{eventually, pause_until, produce};
use protocol::{
    ErrorCode,
    messages::{k00_produce::ProduceResponse, k01_fetch::FetchResponse},
};

use crate::{
    connection::{Connection, decoded, encoded},
    consume::next_offset,
    data::{Data, batch},
    measure::{Measured, Meter, Percentiles},
};

const FETCH_BYTES: i32 = 8 << 20;
/// How long the end may go unseen at last.
const POLL_MS: i32 = 100;
/// Nobody knows yet where the partition ends.
const OPEN: i64 = i64::MAX;

pub(crate) struct Across {
    pub(crate) source: SocketAddr,
    pub(crate) target: SocketAddr,
    pub(crate) partitions: usize,
    pub(crate) in_flight: usize,
    pub(crate) request_bytes: usize,
    pub(crate) duration: Duration,
    /// Bytes a second over all partitions; as much as goes without.
    pub(crate) rate: Option<u64>,
    pub(crate) data: Data,
}

/// A moment at which everything before an offset had happened.
type Mark = (i64, Instant);

pub(crate) fn run(pids: &[u32], across: &Across) -> Measured {
    // A replica's identity never changes, so each run has a topic of its own.
    let topic: Arc<str> = format!("load-across-{}", produce::now_ms()).into();
    let partitions = i32::try_from(across.partitions).expect("few partitions");
    produce::create_topic(across.source, &topic, partitions);
    for partition in 0..partitions {
        eventually("the topic at the target", || produce::log_end(across.target, &topic, partition));
    }
    let meter = Meter::start(pids);
    let lanes: Vec<_> = (0..partitions)
        .map(|partition| {
            let end = Arc::new(AtomicI64::new(OPEN));
            let (from, until, at) = (Arc::clone(&topic), Arc::clone(&end), across.target);
            let reader = thread::spawn(move || read(at, &from, partition, &until));
            let writer = Writer::open(across, &topic, partition);
            let writer = thread::spawn(move || writer.run(&end));
            (writer, reader)
        })
        .collect();
    let (mut requests, mut bytes, mut latencies) = (0, 0, Vec::new());
    for (writer, reader) in lanes {
        let acks = writer.join().expect("a writer ends");
        let (reads, read_bytes) = reader.join().expect("a reader ends");
        requests += acks.len() as u64;
        bytes += read_bytes;
        latencies.extend(delays(&acks, &reads));
    }
    let measured = meter.stop("across", requests, bytes);
    measured.with_latency(Percentiles::of(latencies))
}

/// Appends one batch again and again to a partition.
struct Writer {
    connection: Connection,
    request: Vec<u8>,
    in_flight: usize,
    duration: Duration,
    /// Between two requests.
    pause: Option<Duration>,
    records: i64,
}

impl Writer {
    fn open(across: &Across, topic: &str, partition: i32) -> Self {
        let records = batch(across.data, across.request_bytes, u64::from(partition.unsigned_abs()) + 1);
        let mut request = produce::produce_request(topic, -1, &records);
        request.topic_data[0].partition_data[0].index = partition;
        let pause = across.rate.map(|rate| {
            let bytes = records.len() as u64 * across.partitions as u64;
            Duration::from_secs_f64(bytes as f64 / rate as f64)
        });
        Self {
            connection: Connection::open(across.source),
            request: encoded(produce::PRODUCE, &request),
            in_flight: across.in_flight,
            duration: across.duration,
            pause,
            records: produce::batches(&records)[0].next_offset().0,
        }
    }

    /// When each request was acked, and up to where; `end` is told at last.
    fn run(mut self, end: &AtomicI64) -> Vec<Mark> {
        let started = Instant::now();
        let (mut acks, mut sent, mut last) = (Vec::new(), 0_u32, 0);
        loop {
            let over = started.elapsed() >= self.duration;
            let room = (sent as usize) < acks.len() + self.in_flight;
            let due = self.pause.map_or(Duration::ZERO, |pause| pause * sent);
            if !over && room && started.elapsed() >= due {
                self.connection.send(&self.request);
                sent += 1;
            } else if acks.len() < sent as usize {
                last = self.receive(&mut acks);
            } else if over {
                end.store(last, Ordering::Release);
                return acks;
            } else {
                pause_until(started + due);
            }
        }
    }

    fn receive(&mut self, acks: &mut Vec<Mark>) -> i64 {
        let mut answers = Vec::new();
        self.connection.receive(&mut answers);
        let now = Instant::now();
        let mut last = 0;
        for answer in answers {
            let answer: ProduceResponse = decoded(produce::PRODUCE, &answer);
            let answer = &answer.responses[0].partition_responses[0];
            assert_eq!(answer.error_code, ErrorCode::NONE, "a request was refused");
            last = answer.base_offset + self.records;
            acks.push((last, now));
        }
        last
    }
}

/// Follows a partition until `end`; when each fetch came, and up to where it went.
fn read(target: SocketAddr, topic: &str, partition: i32, end: &AtomicI64) -> (Vec<Mark>, u64) {
    let mut connection = Connection::open(target);
    let (mut reads, mut next, mut bytes) = (Vec::new(), 0, 0);
    while next < end.load(Ordering::Acquire) {
        let mut request = produce::fetch_request(topic, partition, next, FETCH_BYTES);
        request.max_wait_ms = POLL_MS;
        connection.send(&encoded(produce::FETCH, &request));
        let mut answers = Vec::new();
        connection.receive(&mut answers);
        let now = Instant::now();
        let answer: FetchResponse = decoded(produce::FETCH, &answers[0]);
        let answer = &answer.responses[0].partitions[0];
        assert_eq!(answer.error_code, ErrorCode::NONE, "a fetch was refused");
        let records: &Bytes = answer.records.as_ref().expect("records are never null");
        bytes += records.len() as u64;
        next = next_offset(records).unwrap_or(next);
        reads.push((next, now));
    }
    (reads, bytes)
}

/// From each ack to the first fetch that had all of it.
fn delays(acks: &[Mark], reads: &[Mark]) -> Vec<Duration> {
    let mut reads = reads.iter().peekable();
    let delay = |(end, acked): &Mark| {
        while reads.next_if(|(next, _)| next < end).is_some() {}
        let (_, read) = reads.peek().expect("a reader reads to the end");
        read.saturating_duration_since(*acked)
    };
    acks.iter().map(delay).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_goes_from_the_ack_to_the_fetch_that_had_all_of_it() {
        let start = Instant::now();
        let at = |end, ms| (end, start + Duration::from_millis(ms));
        let reads = [at(5, 1), at(12, 20), at(30, 40)];
        let acks = [at(5, 3), at(10, 5), at(12, 6), at(30, 39)];
        let delays: Vec<_> = delays(&acks, &reads).iter().map(Duration::as_millis).collect();
        assert_eq!(delays, [0, 15, 14, 1]);
    }
}
