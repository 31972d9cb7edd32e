//! Another client, which must not notice.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    thread::{Builder, JoinHandle},
};

use integration::{Daemon, Wire, client, eventually, produce};
use protocol::{ErrorCode, batch, messages::k01_fetch::FetchResponse};
use rdkafka::Message;

const TOPIC: &str = "bystander";

/// Produces and reads back one record after the other, on one connection, until [`Self::finish`].
pub(crate) struct Bystander {
    over: Arc<AtomicBool>,
    served: Arc<AtomicI64>,
    thread: Option<JoinHandle<()>>,
}

impl Bystander {
    #[track_caller]
    pub(crate) fn start(daemon: &Daemon) -> Self {
        produce::create_topic(daemon.address(), TOPIC, 1);
        let mut wire = Wire::connect(daemon.address());
        let (over, served) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicI64::new(0)));
        let (seen_over, counted) = (over.clone(), served.clone());
        let run = move || {
            while !seen_over.load(Ordering::Relaxed) {
                round_trip(&mut wire, counted.load(Ordering::Relaxed));
                counted.fetch_add(1, Ordering::Relaxed);
            }
        };
        let thread = Builder::new().name("bystander".to_owned()).spawn(run).expect("a thread starts");
        let bystander = Self { over, served, thread: Some(thread) };
        bystander.assert_served();
        bystander
    }

    /// Awaits two more round trips: at least one of them began after this was called.
    #[track_caller]
    pub(crate) fn assert_served(&self) {
        let before = self.served.load(Ordering::Relaxed);
        eventually("the bystander to be served", || {
            let failed = self.thread.as_ref().is_none_or(JoinHandle::is_finished);
            assert!(!failed, "the bystander's service was cut off");
            (self.served.load(Ordering::Relaxed) >= before + 2).then_some(())
        });
    }

    /// Checks that service goes on and that every acknowledged record is there.
    #[track_caller]
    pub(crate) fn finish(mut self, daemon: &Daemon) {
        self.assert_served();
        self.over.store(true, Ordering::Relaxed);
        self.thread.take().expect("finished once").join().expect("the bystander was served");
        let records = client::read_partition(&daemon.bootstrap(), TOPIC, 0, 0);
        let values: Vec<Option<&[u8]>> = records.iter().map(Message::payload).collect();
        let served: Vec<String> = (0..self.served.load(Ordering::Relaxed)).map(|at| at.to_string()).collect();
        assert_eq!(values, served.iter().map(|value| Some(value.as_bytes())).collect::<Vec<_>>());
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

fn round_trip(wire: &mut Wire, at: i64) {
    let batch = produce::batch(&[at.to_string().as_bytes()]);
    assert_eq!(produce::produce(wire, TOPIC, &batch), (ErrorCode::NONE, at));
    let answer: FetchResponse = wire.call(produce::FETCH, &produce::fetch_request(TOPIC, 0, at, 1 << 16));
    let partition = &answer.responses[0].partitions[0];
    assert_eq!(partition.error_code, ErrorCode::NONE);
    let read = partition.records.clone().expect("records are never null");
    let mut records = batch::records(&read, 1 << 16).expect("a batch comes back");
    let record = records.next().expect("its record is in it").expect("its record is well formed");
    assert_eq!(record.value.as_deref(), Some(at.to_string().as_bytes()));
}
