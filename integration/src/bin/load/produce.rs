//! Replays one encoded Produce request for each partition, a window of them at a time.

use std::net::SocketAddr;

use bytes::Bytes;
use integration::{Wire, eventually, produce};
use protocol::{
    ErrorCode,
    messages::{
        k00_produce::ProduceResponse,
        k03_metadata::{MetadataRequest, MetadataRequestTopic, MetadataResponse},
        k20_delete_topics::{DeleteTopicsRequest, DeleteTopicsResponse},
    },
};

use crate::{
    connection::{Connection, decoded, encoded},
    data::{Data, batch},
    measure::{Measured, Meter},
};

const DELETE_TOPICS: i16 = 5;
const METADATA: i16 = 4;

pub(crate) struct Load {
    pub(crate) topic: &'static str,
    /// One partition each.
    pub(crate) connections: usize,
    pub(crate) in_flight: usize,
    pub(crate) request_bytes: usize,
    pub(crate) requests: u64,
    pub(crate) acks: i16,
}

pub(crate) fn run(scenario: &'static str, address: SocketAddr, pids: &[u32], load: &Load) -> Measured {
    make_topic(address, load);
    let records = batch(Data::Noise, load.request_bytes, 1);
    let lanes = (0..load.connections).map(|at| Lane::open(address, load, at, &records));
    let mut lanes: Vec<Lane> = lanes.collect();
    let meter = Meter::start(pids);
    let mut unsent = load.requests;
    for lane in &mut lanes {
        lane.send(load.in_flight, &mut unsent);
    }
    let mut answered = 0;
    while answered < load.requests {
        for lane in lanes.iter_mut().filter(|lane| lane.in_flight > 0) {
            let answers = lane.receive();
            answered += answers as u64;
            lane.send(answers, &mut unsent);
        }
    }
    meter.stop(scenario, load.requests, load.requests * records.len() as u64)
}

/// One connection to one partition.
struct Lane {
    connection: Connection,
    request: Vec<u8>,
    in_flight: usize,
    answers: Vec<Bytes>,
}

impl Lane {
    fn open(address: SocketAddr, load: &Load, partition: usize, records: &Bytes) -> Self {
        let mut request = produce::produce_request(load.topic, load.acks, records);
        let partition = i32::try_from(partition).expect("a topic has few partitions");
        request.topic_data[0].partition_data[0].index = partition;
        let request = encoded(produce::PRODUCE, &request);
        Self { connection: Connection::open(address), request, in_flight: 0, answers: Vec::new() }
    }

    /// Sends up to `count` requests, small ones in one write.
    fn send(&mut self, count: usize, unsent: &mut u64) {
        let count = count.min(usize::try_from(*unsent).unwrap_or(usize::MAX));
        if self.request.len() < 1 << 16 {
            self.connection.send(&self.request.repeat(count));
        } else {
            (0..count).for_each(|_| self.connection.send(&self.request));
        }
        self.in_flight += count;
        *unsent -= count as u64;
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

fn make_topic(address: SocketAddr, load: &Load) {
    let mut wire = Wire::connect(address);
    let request = DeleteTopicsRequest {
        topic_names: vec![load.topic.into()],
        timeout_ms: 30_000,
        ..Default::default()
    };
    let _: DeleteTopicsResponse = wire.call(DELETE_TOPICS, &request);
    let errors = |wire: &mut Wire| {
        let topic = MetadataRequestTopic { name: Some(load.topic.into()), ..Default::default() };
        let request = MetadataRequest {
            topics: Some(vec![topic]),
            allow_auto_topic_creation: false,
            ..Default::default()
        };
        let answer: MetadataResponse = wire.call(METADATA, &request);
        let topic = answer.topics.into_iter().next().expect("the topic asked for is answered");
        let partitions: Vec<_> = topic.partitions.iter().map(|partition| partition.error_code).collect();
        (topic.error_code, partitions)
    };
    eventually("the old topic to go", || {
        (errors(&mut wire).0 == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION).then_some(())
    });
    produce::create_topic(address, load.topic, i32::try_from(load.connections).expect("few partitions"));
    eventually("every partition to have a leader", || {
        let (error, partitions) = errors(&mut wire);
        let ready = error == ErrorCode::NONE
            && partitions.len() == load.connections
            && partitions.iter().all(|error| *error == ErrorCode::NONE);
        ready.then_some(())
    });
}
