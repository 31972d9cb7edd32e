//! From producers at one broker to consumers at another, or at the same: how much arrives, and when it can be read.
//!
//! ```text
//!   for each lane:  sender -> source broker ... mirror ... target broker -> reader
//!                     | due        | ack                                      | read
//!                     +---- when a request was due ---> acknowledged -> readable there
//! ```
//!
//! One process is both ends, so one clock measures. A topic's offsets must be the same at both brokers. A request is
//! readable with the first fetch that held all its records; 0 after its ack if it was read before.

use std::{
    net::SocketAddr,
    sync::{
        atomic::{AtomicI64, Ordering},
        mpsc::{self, SyncSender},
    },
    thread,
    time::{Duration, Instant},
};

use protocol::{
    ErrorCode,
    messages::{k00_produce::ProduceResponse, k01_fetch::FetchResponse},
};

use super::{
    connection::{Connection, Receiver, Sender, decoded},
    consume::next_offset,
    data::Pool,
    ends,
    fetch_session::FetchSession,
    measure::Percentiles,
    replay::{Replay, lanes},
};
use crate::{Wire, pause_until, produce};

const FETCH_BYTES: i32 = 8 << 20;
/// How long the end may go unseen at last.
const POLL_MS: i32 = 100;
/// Who cannot keep the rate is let go after so many times the duration.
const GIVE_UP_FACTOR: u32 = 2;
/// Nobody knows yet where the partition ends.
const OPEN: i64 = i64::MAX;

pub struct Across<'a> {
    pub source: SocketAddr,
    pub target: SocketAddr,
    /// Its records are at both ends alike, and nobody else adds any.
    pub topic: &'a str,
    pub partitions: i32,
    /// No more than partitions.
    pub connections: usize,
    /// Requests of a connection that are not yet answered, at most.
    pub in_flight: usize,
    pub acks: i16,
    pub duration: Duration,
    /// Bytes a second over all partitions; as much as goes without.
    pub rate: Option<u64>,
    pub pool: &'a Pool,
}

pub struct Crossed {
    pub requests: u64,
    pub bytes: u64,
    /// Until the last of them was read.
    pub elapsed: Duration,
    /// From when a request was due to its acknowledgement.
    pub acknowledged: Percentiles,
    /// From when a request was due to when all of it could be read.
    pub readable: Percentiles,
    /// From a request's acknowledgement to when all of it could be read.
    pub delay: Percentiles,
}

/// A request's way.
#[derive(Clone, Copy)]
struct Acked {
    end: i64,
    due: Instant,
    acked: Instant,
}

/// A moment at which everything before an offset had been read.
type Mark = (i64, Instant);

#[track_caller]
pub fn run(across: &Across<'_>) -> Crossed {
    let ends: Vec<AtomicI64> = (0..across.partitions).map(|_| AtomicI64::new(OPEN)).collect();
    let from = ends::each(&mut Wire::connect(across.target), across.topic, across.partitions);
    let from = from.expect("the topic is at the target");
    let connections = across.connections.min(across.partitions.unsigned_abs() as usize);
    let shares = lanes(across.partitions, connections);
    let count = shares.len();
    let started = Instant::now();
    let (mut acks, mut reads, mut bytes) = (Vec::new(), Vec::new(), 0);
    thread::scope(|scope| {
        let running: Vec<_> = shares
            .iter()
            .enumerate()
            .map(|(at, share)| {
                let (from, ends) = (&from, &ends);
                let reader = scope.spawn(move || read(across, share, from, ends));
                let writer = scope.spawn(move || write(across, share, (at, count), started, ends));
                (writer, reader)
            })
            .collect();
        for (writer, reader) in running {
            acks.extend(writer.join().expect("a writer ends"));
            let (read, read_bytes) = reader.join().expect("a reader ends");
            reads.extend(read);
            bytes += read_bytes;
        }
    });
    let pairs: Vec<(Acked, Instant)> = acks
        .iter()
        .flat_map(|(partition, acks)| {
            let (_, marks) = reads.iter().find(|(at, _)| at == partition).expect("every partition is read");
            paired(acks, marks)
        })
        .collect();
    let last = pairs.iter().map(|(_, read)| *read).max().unwrap_or(started);
    let percentiles =
        |of: &dyn Fn(&(Acked, Instant)) -> Duration| Percentiles::of(pairs.iter().map(of).collect());
    Crossed {
        requests: pairs.len() as u64,
        bytes,
        elapsed: last.duration_since(started),
        acknowledged: percentiles(&|(ack, _)| ack.acked.saturating_duration_since(ack.due)),
        readable: percentiles(&|(ack, read)| read.saturating_duration_since(ack.due)),
        delay: percentiles(&|(ack, read)| read.saturating_duration_since(ack.acked)),
    }
}

/// What the thread that sends tells the one that awaits answers, in the order of the requests.
struct Sent {
    partition: i32,
    records: i64,
    due: Instant,
}

/// Sends a lane's requests until the time is over; the acknowledgements of each partition.
fn write(
    across: &Across<'_>,
    share: &[i32],
    lane: (usize, usize),
    started: Instant,
    ends: &[AtomicI64],
) -> Vec<(i32, Vec<Acked>)> {
    let (sender, receiver) = Connection::open(across.source).split();
    let replay = Replay::new(across.pool, across.topic, across.acks, share, lane);
    let (sent, answered) = mpsc::sync_channel(across.in_flight);
    let acks = thread::scope(|scope| {
        let acks = scope.spawn(move || await_acks(receiver, &answered, share));
        send(across, sender, replay, lane, started, &sent);
        drop(sent);
        acks.join().expect("acknowledgements end")
    });
    for (partition, acks) in &acks {
        let end = acks.last().map_or(0, |ack| ack.end);
        ends[partition.unsigned_abs() as usize].store(end, Ordering::Release);
    }
    acks
}

fn send(
    across: &Across<'_>,
    mut sender: Sender,
    mut replay: Replay,
    (lane, lanes): (usize, usize),
    started: Instant,
    sent: &SyncSender<Sent>,
) {
    // Lanes take turns.
    let lane_rate = across.rate.map(|rate| rate as f64 / lanes as f64);
    let mut bytes = across.pool.batch_bytes() * lane as f64 / lanes as f64;
    loop {
        let due = lane_rate.map_or_else(Instant::now, |rate| started + Duration::from_secs_f64(bytes / rate));
        let late = started.elapsed() > across.duration * GIVE_UP_FACTOR;
        if late || due.duration_since(started) >= across.duration {
            return;
        }
        pause_until(due);
        let request = replay.next_request();
        bytes += request.record_bytes as f64;
        let records = request.records.cast_signed();
        if sent.send(Sent { partition: request.partition, records, due }).is_err() {
            return;
        }
        sender.send(&request.chunks);
    }
}

fn await_acks(
    mut receiver: Receiver,
    answered: &mpsc::Receiver<Sent>,
    share: &[i32],
) -> Vec<(i32, Vec<Acked>)> {
    let mut acks: Vec<(i32, Vec<Acked>)> = share.iter().map(|partition| (*partition, Vec::new())).collect();
    let (mut waiting, mut acked) = (Vec::new().into_iter(), Instant::now());
    // A request is told before it is sent, so there is an answer to come for each.
    while let Ok(sent) = answered.recv() {
        let answer = waiting.next().unwrap_or_else(|| {
            let mut answers = Vec::new();
            receiver.receive(&mut answers);
            acked = Instant::now();
            waiting = answers.into_iter();
            waiting.next().expect("an answer was awaited")
        });
        let answer: ProduceResponse = decoded(produce::PRODUCE, &answer);
        let answer = &answer.responses[0].partition_responses[0];
        assert_eq!(answer.error_code, ErrorCode::NONE, "a request was refused");
        assert_eq!(answer.index, sent.partition, "answers come in the order of requests");
        let (_, of) = acks.iter_mut().find(|(at, _)| *at == sent.partition).expect("the lane has it");
        of.push(Acked { end: answer.base_offset + sent.records, due: sent.due, acked });
    }
    acks
}

/// Follows a lane's partitions until their ends; when each fetch came, and up to where it went.
fn read(
    across: &Across<'_>,
    share: &[i32],
    from: &[i64],
    ends: &[AtomicI64],
) -> (Vec<(i32, Vec<Mark>)>, u64) {
    let mut connection = Connection::open(across.target);
    let mut reads: Vec<(i32, Vec<Mark>)> = share.iter().map(|partition| (*partition, Vec::new())).collect();
    let mut session = FetchSession::new(across.topic, share, FETCH_BYTES, POLL_MS);
    let mut next: Vec<i64> = share.iter().map(|partition| from[partition.unsigned_abs() as usize]).collect();
    let mut bytes = 0;
    let is_open = |(next, partition): (&i64, &i32)| {
        *next < ends[partition.unsigned_abs() as usize].load(Ordering::Acquire)
    };
    while next.iter().zip(share).any(is_open) {
        let answer: FetchResponse = connection.call(produce::FETCH, &session.request(&next));
        assert!(session.answered(&answer), "a fetch session was lost");
        let now = Instant::now();
        for answer in answer.responses.iter().flat_map(|topic| &topic.partitions) {
            assert_eq!(answer.error_code, ErrorCode::NONE, "a fetch was refused");
            let Some(records) = answer.records.as_ref().filter(|records| !records.is_empty()) else {
                continue;
            };
            let at = share.iter().position(|partition| *partition == answer.partition_index);
            let at = at.expect("only what was asked for is answered");
            bytes += records.len() as u64;
            next[at] = next_offset(records).unwrap_or(next[at]);
            reads[at].1.push((next[at], now));
        }
    }
    (reads, bytes)
}

/// Each acknowledgement with the first fetch that had all of it.
fn paired(acks: &[Acked], reads: &[Mark]) -> Vec<(Acked, Instant)> {
    let mut reads = reads.iter().peekable();
    let pair = |ack: &Acked| {
        while reads.next_if(|(next, _)| *next < ack.end).is_some() {}
        let (_, read) = reads.peek().expect("a reader reads to the end");
        (*ack, *read)
    };
    acks.iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acknowledgement_is_paired_with_the_fetch_that_had_all_of_it() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let reads = [(5, at(1)), (12, at(20)), (30, at(40))];
        let acks =
            [(5, 3), (10, 5), (12, 6), (30, 39)].map(|(end, ms)| Acked { end, due: start, acked: at(ms) });
        let read: Vec<_> = paired(&acks, &reads).iter().map(|(_, read)| read.duration_since(start)).collect();
        assert_eq!(read, [1, 20, 20, 40].map(Duration::from_millis));
    }
}
