//! librdkafka as the client, with what nearly every test wants set.

use std::{collections::BTreeMap, time::Duration};

use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    config::FromClientConfig,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
    message::OwnedMessage,
    producer::{FutureProducer, FutureRecord},
};

use crate::{eventually, wait::DEADLINE};

const POLL: Duration = Duration::from_millis(100);

/// Settings of a client by name.
pub type Settings<'a> = &'a [(&'a str, &'a str)];

/// A client of any kind. It dials again quickly, since tests restart brokers.
#[track_caller]
pub fn client<C: FromClientConfig>(bootstrap: &str, settings: Settings<'_>) -> C {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap);
    config.set("reconnect.backoff.ms", "20").set("reconnect.backoff.max.ms", "200");
    config.set("broker.address.family", "v4");
    for (name, value) in settings {
        config.set(*name, *value);
    }
    config.create().expect("the client's settings are valid")
}

#[track_caller]
pub fn producer(bootstrap: &str, settings: Settings<'_>) -> FutureProducer {
    let defaults: Settings<'_> = &[("acks", "all"), ("linger.ms", "2"), ("message.timeout.ms", "60000")];
    client(bootstrap, &[defaults, settings].concat())
}

/// A consumer that starts at the earliest record and commits only when it is told to.
#[track_caller]
pub fn consumer(bootstrap: &str, group: &str, settings: Settings<'_>) -> BaseConsumer {
    let defaults: Settings<'_> = &[
        ("group.id", group),
        ("auto.offset.reset", "earliest"),
        ("enable.auto.commit", "false"),
        ("session.timeout.ms", "6000"),
        ("heartbeat.interval.ms", "200"),
        ("topic.metadata.refresh.interval.ms", "500"),
    ];
    client(bootstrap, &[defaults, settings].concat())
}

#[track_caller]
pub fn admin(bootstrap: &str) -> AdminClient<DefaultClientContext> {
    client(bootstrap, &[])
}

pub fn admin_options() -> AdminOptions {
    AdminOptions::new().operation_timeout(Some(DEADLINE)).request_timeout(Some(DEADLINE))
}

/// Creates a topic with some settings of its own.
///
/// # Panics
///
/// If the broker refuses.
pub async fn create_topic(bootstrap: &str, name: &str, partitions: i32, settings: Settings<'_>) {
    let topic = settings
        .iter()
        .fold(NewTopic::new(name, partitions, TopicReplication::Fixed(1)), |topic, (name, value)| {
            topic.set(name, value)
        });
    let created = admin(bootstrap).create_topics([&topic], &admin_options()).await;
    let created = created.expect("the broker answers CreateTopics");
    assert_eq!(created, [Ok(name.to_owned())]);
}

/// Produces one record, and returns its partition and offset.
pub async fn produce(
    producer: &FutureProducer,
    topic: &str,
    key: Option<&[u8]>,
    value: Option<&[u8]>,
) -> Result<(i32, i64), KafkaError> {
    let record = FutureRecord::<[u8], [u8]> {
        topic,
        partition: None,
        payload: value,
        key,
        timestamp: None,
        headers: None,
    };
    let delivered = producer.send(record, DEADLINE).await;
    delivered.map(|delivered| (delivered.partition, delivered.offset)).map_err(|(error, _)| error)
}

/// Every record of a topic that consumers can see, by partition.
#[track_caller]
pub fn read_topic(bootstrap: &str, topic: &str) -> BTreeMap<i32, Vec<OwnedMessage>> {
    let consumer = consumer(bootstrap, "unused", &[]);
    let metadata = consumer.fetch_metadata(Some(topic), DEADLINE).expect("the broker answers Metadata");
    let partitions: Vec<i32> =
        metadata.topics()[0].partitions().iter().map(|partition| partition.id()).collect();
    partitions
        .into_iter()
        .map(|partition| (partition, read_partition(bootstrap, topic, partition, 0)))
        .collect()
}

/// The records of a partition from an offset to where its end is now.
#[track_caller]
pub fn read_partition(bootstrap: &str, topic: &str, partition: i32, from: i64) -> Vec<OwnedMessage> {
    let consumer = consumer(bootstrap, "unused", &[("enable.partition.eof", "true"), ("check.crcs", "true")]);
    let (start, end) = eventually("the ends of the partition", || {
        consumer.fetch_watermarks(topic, partition, DEADLINE).ok()
    });
    let mut records = Vec::new();
    let mut next = start.max(from);
    if next >= end {
        return records;
    }
    let mut from = TopicPartitionList::new();
    from.add_partition_offset(topic, partition, Offset::Offset(next)).expect("an offset is valid");
    consumer.assign(&from).expect("a partition can be assigned");
    while next < end {
        let record = receive(&consumer);
        next = record.offset() + 1;
        records.push(record);
    }
    records
}

/// The next record, of whatever partition.
#[track_caller]
pub fn receive(consumer: &BaseConsumer) -> OwnedMessage {
    eventually("a record", || match consumer.poll(POLL)? {
        Ok(record) => Some(record.detach()),
        Err(KafkaError::PartitionEOF(_)) => None,
        Err(error) if is_passing(&error) => None,
        Err(error) => panic!("the consumer failed: {error}"),
    })
}

/// Drives a consumer until `condition` holds.
#[track_caller]
pub fn poll_until<T>(what: &str, consumer: &BaseConsumer, mut condition: impl FnMut() -> Option<T>) -> T {
    eventually(what, || {
        if let Some(Err(error)) = consumer.poll(POLL) {
            assert!(is_passing(&error), "the consumer failed: {error}");
        }
        condition()
    })
}

/// Whether a client only reports that a broker is away: it goes on by itself.
fn is_passing(error: &KafkaError) -> bool {
    use rdkafka::types::RDKafkaErrorCode as Code;
    let code = error.rdkafka_error_code();
    let passing =
        [Code::BrokerTransportFailure, Code::AllBrokersDown, Code::Resolve, Code::OperationTimedOut];
    code.is_some_and(|code| passing.contains(&code))
}
