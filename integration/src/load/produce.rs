//! Produces as fast as answers come, a window of requests at a time on each connection.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::Bytes;
use protocol::{ErrorCode, batch::Compression, messages::k00_produce::ProduceResponse};

use super::{
    connection::{Connection, decoded},
    data::{Data, Pool, Recipe},
    replay::{Replay, lanes},
};
use crate::produce;

/// Bytes of small requests that go out in one write, at most.
const WRITE_BYTES: usize = 1 << 16;
const FIRST_RECORD_BYTES: usize = 1_024;

pub struct Load<'a> {
    pub topic: &'a str,
    pub partitions: i32,
    /// No more than partitions.
    pub connections: usize,
    /// Requests of a connection that are not yet answered.
    pub in_flight: usize,
    pub acks: i16,
    pub pool: &'a Pool,
}

/// What was sent and acknowledged.
#[derive(Default)]
pub struct Produced {
    pub requests: u64,
    pub records: u64,
    pub bytes: u64,
    pub elapsed: Duration,
    /// The partition and the batch of each request, to tell later what must be there.
    pub sent: Vec<(i32, usize)>,
}

/// Puts a small record into each partition of a topic: a partition's first makes its files, which is not to be measured.
#[track_caller]
pub fn first_records(address: SocketAddr, topic: &str, partitions: i32) {
    let pool = Pool::of(&Recipe {
        data: Data::Events,
        compression: Compression::None,
        batch_bytes: FIRST_RECORD_BYTES,
        pool_bytes: FIRST_RECORD_BYTES,
    });
    // On one connection partitions take turns.
    let load = Load { topic, partitions, connections: 1, in_flight: 20, acks: -1, pool: &pool };
    let requests = u64::from(partitions.unsigned_abs());
    Lanes::open(address, &load).run(|done| done.requests >= requests);
}

/// Connections with their requests made, ready to go.
pub struct Lanes {
    lanes: Vec<Lane>,
    in_flight: usize,
}

impl Lanes {
    #[track_caller]
    pub fn open(address: SocketAddr, load: &Load<'_>) -> Self {
        let shares = lanes(load.partitions, load.connections);
        let count = shares.len();
        let lane = |(at, partitions): (usize, &Vec<i32>)| Lane {
            connection: Connection::open(address),
            replay: Replay::new(load.pool, load.topic, load.acks, partitions, (at, count)),
            in_flight: 0,
            answers: Vec::new(),
        };
        Self { lanes: shares.iter().enumerate().map(lane).collect(), in_flight: load.in_flight }
    }

    /// Sends until `enough` says so, and awaits every answer.
    #[track_caller]
    pub fn run(&mut self, mut enough: impl FnMut(&Produced) -> bool) -> Produced {
        let started = Instant::now();
        let mut done = Produced::default();
        let mut over = false;
        for lane in &mut self.lanes {
            over = over || enough(&done);
            lane.send(self.in_flight, over, &mut done, &mut enough);
        }
        while self.lanes.iter().any(|lane| lane.in_flight > 0) {
            for lane in self.lanes.iter_mut().filter(|lane| lane.in_flight > 0) {
                let answers = lane.receive();
                over = over || enough(&done);
                lane.send(answers, over, &mut done, &mut enough);
            }
        }
        done.elapsed = started.elapsed();
        done
    }
}

/// One connection.
struct Lane {
    connection: Connection,
    replay: Replay,
    in_flight: usize,
    answers: Vec<Bytes>,
}

impl Lane {
    /// Sends up to `count` requests, small ones in one write.
    fn send(
        &mut self,
        count: usize,
        over: bool,
        done: &mut Produced,
        enough: &mut impl FnMut(&Produced) -> bool,
    ) {
        let (mut pieces, mut bytes) = (Vec::new(), 0);
        for _ in 0..count {
            if over || enough(done) {
                break;
            }
            let request = self.replay.next_request();
            pieces.extend_from_slice(&request.chunks);
            bytes += request.record_bytes as usize;
            done.requests += 1;
            done.records += request.records;
            done.bytes += request.record_bytes;
            done.sent.push((request.partition, request.batch));
            self.in_flight += 1;
            if bytes >= WRITE_BYTES {
                self.connection.send(&pieces);
                pieces.clear();
                bytes = 0;
            }
        }
        if !pieces.is_empty() {
            self.connection.send(&pieces);
        }
    }

    /// Awaits at least one answer; how many there were.
    fn receive(&mut self) -> usize {
        self.connection.receive(&mut self.answers);
        let count = self.answers.len();
        for answer in self.answers.drain(..) {
            let answer: ProduceResponse = decoded(produce::PRODUCE, &answer);
            let error = answer.responses[0].partition_responses[0].error_code;
            assert_eq!(error, ErrorCode::NONE, "a request was refused");
        }
        self.in_flight -= count;
        count
    }
}
