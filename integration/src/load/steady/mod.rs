//! A steady stream through a mirror that goes on whatever happens to either end: what is sent is sent until it is
//! acknowledged, what is read is read until it can be.
//!
//! ```text
//!   for each partition:  sender -> source broker ... mirror ... target broker -> follower
//!                          | acknowledged                          readable |
//!                          +-------------------> watch <--------------------+
//! ```
//!
//! Promises:
//! 1. Every record is known by its key, which names its partition and its place in it; so a record that is at the wrong
//!    place, with another's value, missing or there twice is told from every other ([`tally`]).
//! 2. A partition has one request on its way: when the stream has ended, all up to the last record was acknowledged.
//! 3. A request whose answer did not come is sent again. It may be at the source twice then, which is the sender's doing.

mod event;
mod follower;
mod sender;
pub mod tally;
mod watch;

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use protocol::batch::Compression;

use event::Events;
use watch::Watch;

/// What a stream is.
#[derive(Debug, Clone)]
pub struct Plan {
    pub source: SocketAddr,
    pub target: SocketAddr,
    /// It is there at both, and holds no record with a key.
    pub topic: String,
    pub partitions: i32,
    /// Bytes a second over all partitions.
    pub rate: u64,
    /// Of a batch, before compression.
    pub request_bytes: usize,
    pub compression: Compression,
}

/// A stream that runs. Dropping it ends it.
pub struct Stream {
    plan: Arc<Plan>,
    events: Arc<Events>,
    watch: Arc<Watch>,
    stop: Arc<AtomicBool>,
    follow_no_more: Arc<AtomicBool>,
    senders: Vec<JoinHandle<Sent>>,
    follower: Option<JoinHandle<()>>,
}

/// Of a partition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// All of them acknowledged.
    pub records: u64,
    /// Of them those whose first acknowledgement did not come.
    pub again: u64,
}

impl Stream {
    #[track_caller]
    pub fn start(plan: Plan) -> Self {
        let plan = Arc::new(plan);
        let events = Arc::new(Events::new());
        let watch = Arc::new(Watch::new(plan.partitions));
        let (stop, follow_no_more) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let senders = (0..plan.partitions)
            .map(|partition| {
                let (plan, events) = (Arc::clone(&plan), Arc::clone(&events));
                let (watch, stop) = (Arc::clone(&watch), Arc::clone(&stop));
                thread::spawn(move || sender::run(&plan, partition, &events, &watch, &stop))
            })
            .collect();
        let follower = {
            let (plan, watch) = (Arc::clone(&plan), Arc::clone(&watch));
            let stop = Arc::clone(&follow_no_more);
            thread::spawn(move || follower::run(&plan, &watch, &stop))
        };
        Self { plan, events, watch, stop, follow_no_more, senders, follower: Some(follower) }
    }

    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Recovery counts from now on, anew if it was marked before.
    pub fn mark(&self) {
        self.watch.mark(Instant::now());
    }

    /// From the mark until the first record that was acknowledged after it was readable at the target, in any partition.
    pub fn first(&self) -> Option<Duration> {
        self.watch.first()
    }

    /// From the mark until every partition had a record readable that was acknowledged after it, and was level.
    pub fn recovered(&self) -> Option<Duration> {
        self.watch.recovered()
    }

    /// The longest that an acknowledged record was not readable at the target, of those that are by now.
    pub fn longest_delay(&self) -> Duration {
        self.watch.longest_delay()
    }

    /// Records that were acknowledged and have not been read at the target.
    pub fn awaited(&self) -> u64 {
        self.watch.awaited()
    }

    /// Sends no more; what was sent of each partition, once all of it is acknowledged. The target is still followed.
    #[track_caller]
    pub fn finish(&mut self) -> Vec<Sent> {
        self.stop.store(true, Ordering::Relaxed);
        self.senders.drain(..).map(|sender| sender.join().expect("a sender ends")).collect()
    }

    /// Compares both brokers with what was sent.
    #[track_caller]
    pub fn balance(&self, sent: &[Sent]) -> tally::Balance {
        let read = |broker| tally::Tally::read(broker, &self.plan, &self.events);
        tally::Balance::of(sent, &read(self.plan.source), &read(self.plan.target))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.follow_no_more.store(true, Ordering::Relaxed);
        for sender in self.senders.drain(..) {
            let _ = sender.join();
        }
        if let Some(follower) = self.follower.take() {
            let _ = follower.join();
        }
    }
}
