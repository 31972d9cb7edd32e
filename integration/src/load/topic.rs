//! Topics of a run, made with configs of their own and awaited.

use std::{net::SocketAddr, time::Duration};

use protocol::{
    ErrorCode,
    messages::{
        k03_metadata::{MetadataRequest, MetadataRequestTopic, MetadataResponse},
        k19_create_topics::{
            CreateTopicsRequest, CreateTopicsRequestConfig, CreateTopicsRequestTopic, CreateTopicsResponse,
        },
        k20_delete_topics::{DeleteTopicsRequest, DeleteTopicsResponse},
        k37_create_partitions::{
            CreatePartitionsRequest, CreatePartitionsRequestTopic, CreatePartitionsResponse,
        },
    },
};

use super::ends;
use crate::{Wire, eventually, eventually_within};

const CREATE_TOPICS: i16 = 5;
const DELETE_TOPICS: i16 = 5;
const CREATE_PARTITIONS: i16 = 2;
const METADATA: i16 = 4;
const TIMEOUT_MS: i32 = 30_000;
/// A thousand partitions on a busy machine take their time.
const LEADERS_LIMIT: Duration = Duration::from_secs(180);

/// Names and values as Kafka has them.
pub type Configs = [(&'static str, &'static str)];

/// Makes a topic, and returns when each of its partitions has a leader.
#[track_caller]
pub fn create(address: SocketAddr, name: &str, partitions: i32, configs: &Configs) {
    let configs = configs
        .iter()
        .map(|(name, value)| CreateTopicsRequestConfig { name: (*name).into(), value: Some((*value).into()) })
        .collect();
    let topic = CreateTopicsRequestTopic {
        name: name.into(),
        num_partitions: partitions,
        replication_factor: 1,
        configs,
        ..Default::default()
    };
    let request = CreateTopicsRequest { topics: vec![topic], timeout_ms: TIMEOUT_MS, ..Default::default() };
    let mut wire = Wire::connect(address);
    let answer: CreateTopicsResponse = wire.call(CREATE_TOPICS, &request);
    assert_eq!(answer.topics[0].error_code, ErrorCode::NONE, "{name}");
    await_leaders(&mut wire, name, partitions);
}

/// Gives a topic more partitions, and returns when each of them has a leader.
#[track_caller]
pub fn grow(address: SocketAddr, name: &str, partitions: i32) {
    let topic = CreatePartitionsRequestTopic { name: name.into(), count: partitions, assignments: None };
    let request =
        CreatePartitionsRequest { topics: vec![topic], timeout_ms: TIMEOUT_MS, ..Default::default() };
    let mut wire = Wire::connect(address);
    let answer: CreatePartitionsResponse = wire.call(CREATE_PARTITIONS, &request);
    assert_eq!(answer.results[0].error_code, ErrorCode::NONE, "{name}");
    await_leaders(&mut wire, name, partitions);
}

/// Deletes a topic if it is there, and makes it anew.
#[track_caller]
pub fn create_anew(address: SocketAddr, name: &str, partitions: i32) {
    let mut wire = Wire::connect(address);
    let request =
        DeleteTopicsRequest { topic_names: vec![name.into()], timeout_ms: TIMEOUT_MS, ..Default::default() };
    let _: DeleteTopicsResponse = wire.call(DELETE_TOPICS, &request);
    eventually("the old topic to go", || {
        (errors(&mut wire, name).0 == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION).then_some(())
    });
    create(address, name, partitions, &[]);
}

/// Waits until a broker has all partitions of a topic.
#[track_caller]
pub fn await_there(address: SocketAddr, name: &str, partitions: i32) {
    await_leaders(&mut Wire::connect(address), name, partitions);
}

#[track_caller]
fn await_leaders(wire: &mut Wire, name: &str, partitions: i32) {
    let led = eventually_within(LEADERS_LIMIT, || {
        let (error, found) = errors(wire, name);
        let ready = error == ErrorCode::NONE
            && i32::try_from(found.len()) == Ok(partitions)
            && found.iter().all(|error| *error == ErrorCode::NONE);
        // Kafka names a leader a little before that takes requests.
        ready.then(|| ends::records(wire, name, partitions)).flatten()
    });
    assert!(led.is_some(), "{name} has partitions without a leader after {LEADERS_LIMIT:?}");
}

/// Of the topic, and of each partition.
fn errors(wire: &mut Wire, name: &str) -> (ErrorCode, Vec<ErrorCode>) {
    let topic = MetadataRequestTopic { name: Some(name.into()), ..Default::default() };
    let request =
        MetadataRequest { topics: Some(vec![topic]), allow_auto_topic_creation: false, ..Default::default() };
    let answer: MetadataResponse = wire.call(METADATA, &request);
    let topic = answer.topics.into_iter().next().expect("the topic asked for is answered");
    (topic.error_code, topic.partitions.iter().map(|partition| partition.error_code).collect())
}
