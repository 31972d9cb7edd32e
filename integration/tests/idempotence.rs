//! Idempotent producers: nothing twice, nothing lost, nothing out of order, across a broker's death.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use bytes::Bytes;
use integration::{Daemon, Wire, client, eventually, produce};
use protocol::{
    ErrorCode, ProducerEpoch, ProducerId, Sequence,
    batch::BatchBuilder,
    messages::k22_init_producer_id::{InitProducerIdRequest, InitProducerIdResponse},
};
use rdkafka::{Message, producer::FutureRecord};

#[tokio::test(flavor = "multi_thread")]
async fn every_record_is_there_once_and_in_order_after_three_deaths() {
    const RECORDS: usize = 6_000;
    let mut daemon = Daemon::start();
    client::create_topic(&daemon.bootstrap(), "t", 1, &[]).await;
    let settings = [
        ("enable.idempotence", "true"),
        ("max.in.flight.requests.per.connection", "5"),
        ("message.timeout.ms", "300000"),
        ("batch.num.messages", "20"),
        ("retry.backoff.ms", "20"),
        ("linger.ms", "1"),
    ];
    let producer = client::producer(&daemon.bootstrap(), &settings);
    let acknowledged = AtomicUsize::new(0);
    let deaths = [RECORDS / 10, RECORDS / 3, RECORDS / 2];
    let handle = tokio::runtime::Handle::current();
    let offsets = std::thread::scope(|scope| {
        let producing = scope.spawn(|| handle.block_on(produce_all(&producer, RECORDS, &acknowledged)));
        for death in deaths {
            eventually("acknowledgements", || (acknowledged.load(Ordering::Relaxed) >= death).then_some(()));
            daemon.kill9();
            daemon.restart();
        }
        producing.join().expect("every record is acknowledged")
    });

    let records = client::read_partition(&daemon.bootstrap(), "t", 0, 0);
    let values: Vec<String> = records
        .iter()
        .map(|record| String::from_utf8_lossy(record.payload().unwrap()).into_owned())
        .collect();
    assert_eq!(values, (0..RECORDS).map(|at| at.to_string()).collect::<Vec<_>>());
    assert_eq!(offsets, records.iter().map(|record| record.offset()).collect::<Vec<_>>());
}

#[test]
fn a_repeated_batch_is_answered_with_its_first_offset_even_after_a_death() {
    let mut daemon = Daemon::start();
    let mut wire = Wire::connect(daemon.address());
    produce::create_topic(daemon.address(), "t", 1);
    let id = init_producer(&mut wire);
    for first in [0, 3, 6] {
        assert_eq!(append(&mut wire, &batch(id, 0, first)), (ErrorCode::NONE, i64::from(first)));
    }
    assert_eq!(append(&mut wire, &batch(id, 0, 3)), (ErrorCode::NONE, 3));
    daemon.kill9();
    daemon.restart();

    let mut wire = Wire::connect(daemon.address());
    for first in [6, 0, 3] {
        assert_eq!(append(&mut wire, &batch(id, 0, first)), (ErrorCode::NONE, i64::from(first)));
    }
    assert_eq!(append(&mut wire, &batch(id, 0, 9)), (ErrorCode::NONE, 9));
    assert_eq!(client::read_partition(&daemon.bootstrap(), "t", 0, 0).len(), 12);
}

#[test]
fn gaps_and_old_epochs_are_refused() {
    let mut daemon = Daemon::start();
    let mut wire = Wire::connect(daemon.address());
    produce::create_topic(daemon.address(), "t", 1);
    let id = init_producer(&mut wire);
    assert_eq!(append(&mut wire, &batch(id, 0, 0)), (ErrorCode::NONE, 0));
    assert_eq!(append(&mut wire, &batch(id, 0, 6)).0, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_eq!(append(&mut wire, &batch(id, 1, 3)).0, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_eq!(append(&mut wire, &batch(id, 1, 0)), (ErrorCode::NONE, 3));
    assert_eq!(append(&mut wire, &batch(id, 0, 3)).0, ErrorCode::INVALID_PRODUCER_EPOCH);
    daemon.kill9();
    daemon.restart();

    let mut wire = Wire::connect(daemon.address());
    assert_eq!(append(&mut wire, &batch(id, 0, 3)).0, ErrorCode::INVALID_PRODUCER_EPOCH);
    assert_eq!(append(&mut wire, &batch(id, 1, 9)).0, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_eq!(append(&mut wire, &batch(id, 1, 3)), (ErrorCode::NONE, 6));
}

#[test]
fn producer_ids_are_never_given_twice() {
    let mut daemon = Daemon::start();
    let mut given = Vec::new();
    for _ in 0..3 {
        let mut wire = Wire::connect(daemon.address());
        given.extend((0..50).map(|_| init_producer(&mut wire)));
        daemon.kill9();
        daemon.restart();
    }
    let count = given.len();
    given.sort_unstable_by_key(|id| id.0);
    given.dedup();
    assert_eq!(given.len(), count);
}

/// Produces the numbers up to `count` with many in flight, and returns the offsets they got.
async fn produce_all(
    producer: &rdkafka::producer::FutureProducer,
    count: usize,
    acknowledged: &AtomicUsize,
) -> Vec<i64> {
    let mut offsets = Vec::with_capacity(count);
    let mut in_flight = std::collections::VecDeque::new();
    let mut next = 0;
    while offsets.len() < count {
        while next < count && in_flight.len() < 200 {
            let value = next.to_string();
            let record = FutureRecord::<str, str>::to("t").partition(0).payload(&value);
            in_flight.push_back(
                producer.send_result(record).map_err(|(error, _)| error).expect("room in the queue"),
            );
            next += 1;
        }
        let delivered = in_flight.pop_front().expect("something is in flight");
        let delivered = tokio::time::timeout(Duration::from_secs(120), delivered).await;
        let delivered = delivered.expect("a record is answered").expect("the producer lives");
        offsets.push(delivered.map_err(|(error, _)| error).expect("a record is delivered").offset);
        acknowledged.store(offsets.len(), Ordering::Relaxed);
    }
    offsets
}

#[track_caller]
fn init_producer(wire: &mut Wire) -> ProducerId {
    let request = InitProducerIdRequest {
        transactional_id: None,
        transaction_timeout_ms: 60_000,
        ..Default::default()
    };
    // Kafka answers that it is loading until the first producer id is there; clients ask again, too.
    let answer = eventually("a producer id", || {
        let answer: InitProducerIdResponse = wire.call(2, &request);
        (answer.error_code != ErrorCode::COORDINATOR_LOAD_IN_PROGRESS).then_some(answer)
    });
    assert_eq!((answer.error_code, answer.producer_epoch), (ErrorCode::NONE, 0));
    ProducerId(answer.producer_id)
}

/// Three records with sequences from `first`.
fn batch(id: ProducerId, epoch: i16, first: i32) -> Bytes {
    let builder = BatchBuilder::new().producer(id, ProducerEpoch(epoch), Sequence(first));
    produce::records(builder, &[b"a", b"b", b"c"])
}

#[track_caller]
fn append(wire: &mut Wire, batch: &Bytes) -> (ErrorCode, i64) {
    produce::produce(wire, "t", batch)
}
