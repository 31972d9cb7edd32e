//! A broker of either side: a command that can be run again on the same data, and the address of its clients' port.

use std::{
    net::SocketAddr,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use bytes::{Buf, Bytes};
use protocol::{
    codec::Api,
    messages::k03_metadata::{MetadataRequest, MetadataResponse},
};

use super::{
    process::{Process, Role},
    service::Service,
};
use crate::{Wire, eventually_within};

const METADATA: i16 = 4;
/// A broker with very many partitions takes its time.
const READY_LIMIT: Duration = Duration::from_secs(300);

pub(crate) struct Node {
    pub(crate) kafka: SocketAddr,
    /// Where an Isthmus daemon is asked.
    pub(crate) admin: Option<SocketAddr>,
    service: Service,
}

impl Node {
    pub(crate) fn new(
        role: Role,
        kafka: SocketAddr,
        admin: Option<SocketAddr>,
        log: PathBuf,
        command: impl Fn() -> Command + 'static,
    ) -> Self {
        Self { kafka, admin, service: Service::new(role, log, command) }
    }

    /// How long it took until a client was answered.
    #[track_caller]
    pub(crate) fn start(&mut self) -> Duration {
        self.spawn();
        self.await_ready()
    }

    /// How long it took from now until a client was answered.
    #[track_caller]
    pub(crate) fn await_ready(&mut self) -> Duration {
        self.ready_within(READY_LIMIT).unwrap_or_else(|| {
            panic!("the {} does not answer after {READY_LIMIT:?}", self.service.role().name())
        })
    }

    /// How long it took from now until a client was answered, if it was in time.
    #[track_caller]
    pub(crate) fn ready_within(&mut self, limit: Duration) -> Option<Duration> {
        let started = Instant::now();
        eventually_within(limit, || {
            self.service.assert_runs();
            answers(self.kafka).then(|| started.elapsed())
        })
    }

    /// Starts it without waiting.
    #[track_caller]
    pub(crate) fn spawn(&mut self) {
        self.service.spawn();
    }

    #[track_caller]
    pub(crate) fn process(&self) -> &Process {
        self.service.process()
    }

    /// Ends it in an orderly way; how long that took.
    #[track_caller]
    pub(crate) fn stop(&mut self) -> Duration {
        self.service.stop()
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.service.kill();
    }
}

/// Whether a client is told of a broker.
fn answers(address: SocketAddr) -> bool {
    let Ok(mut wire) = Wire::try_connect(address) else { return false };
    let request = MetadataRequest { topics: Some(Vec::new()), ..Default::default() };
    wire.send(METADATA, &request);
    let Ok(mut answer) = wire.receive_frame() else { return false };
    if answer.len() < 4 {
        return false;
    }
    answer.advance(4);
    names_a_broker(answer)
}

fn names_a_broker(answer: Bytes) -> bool {
    MetadataResponse::read(answer, METADATA).is_ok_and(|answer| !answer.brokers.is_empty())
}
