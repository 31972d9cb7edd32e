//! librdkafka with default settings, one client in a loop.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, RDKafkaErrorCode},
    producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer},
};

use crate::{DEADLINE, client, pause_until};

const QUEUE_FULL_PAUSE: Duration = Duration::from_millis(1);

/// Values a second, in bytes.
#[track_caller]
pub(crate) fn produce(broker: SocketAddr, topic: &str, values: &[Vec<u8>], records: u64) -> f64 {
    let producer: ThreadedProducer<DefaultProducerContext> =
        client::client(&broker.to_string(), &[("acks", "all")]);
    let (started, mut bytes) = (Instant::now(), 0);
    for (_, value) in (0..records).zip(values.iter().cycle()) {
        let mut record = BaseRecord::<[u8], [u8]>::to(topic).payload(value);
        while let Err((error, refused)) = producer.send(record) {
            assert!(
                matches!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)),
                "a record was refused: {error}"
            );
            pause_until(Instant::now() + QUEUE_FULL_PAUSE);
            record = refused;
        }
        bytes += value.len();
    }
    producer.flush(DEADLINE).expect("what is queued is delivered");
    bytes as f64 / started.elapsed().as_secs_f64()
}

/// Values a second, in bytes.
#[track_caller]
pub(crate) fn consume(broker: SocketAddr, topic: &str, partitions: i32, records: u64) -> f64 {
    let consumer: BaseConsumer = client::consumer(&broker.to_string(), "unused", &[]);
    let mut all = TopicPartitionList::new();
    for partition in 0..partitions {
        all.add_partition_offset(topic, partition, Offset::Beginning).expect("a beginning is valid");
    }
    let (started, mut bytes) = (Instant::now(), 0);
    consumer.assign(&all).expect("partitions can be assigned");
    for _ in 0..records {
        let record =
            consumer.poll(DEADLINE).expect("there are more records").expect("the broker gives records");
        bytes += record.payload_len();
    }
    bytes as f64 / started.elapsed().as_secs_f64()
}
