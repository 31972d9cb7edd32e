//! What is produced is consumed: every codec, header, null, size and timestamp, as a client sent it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use integration::{Daemon, Wire, client};
use protocol::{
    ErrorCode,
    batch::{BatchHeader, Compression, TimestampType},
    messages::k01_fetch::{FetchRequest, FetchRequestPartition, FetchRequestTopic, FetchResponse},
};
use rdkafka::{
    Message, Timestamp,
    consumer::Consumer,
    error::RDKafkaErrorCode,
    message::{Header, Headers, OwnedHeaders},
    producer::{FutureProducer, FutureRecord, Producer},
};

const MINUTE: Duration = Duration::from_secs(60);
/// The last Fetch version that names topics by name.
const FETCH_BY_NAME: i16 = 12;

#[tokio::test(flavor = "multi_thread")]
async fn every_codec_comes_back_as_it_was_sent() {
    let daemon = Daemon::start();
    let codecs = [
        ("none", Compression::None),
        ("gzip", Compression::Gzip),
        ("snappy", Compression::Snappy),
        ("lz4", Compression::Lz4),
        ("zstd", Compression::Zstd),
    ];
    for (name, codec) in codecs {
        client::create_topic(&daemon.bootstrap(), name, 1, &[]).await;
        let producer =
            client::producer(&daemon.bootstrap(), &[("compression.type", name), ("linger.ms", "50")]);
        let values: Vec<String> =
            (0..500).map(|at| format!("{{\"codec\":\"{name}\",\"at\":{at}}}")).collect();
        send_all(&producer, name, &values).await;

        let records = client::read_partition(&daemon.bootstrap(), name, 0, 0);
        let consumed: Vec<&[u8]> = records.iter().filter_map(|record| record.payload()).collect();
        assert_eq!(consumed, values.iter().map(String::as_bytes).collect::<Vec<_>>(), "{name}");
        // librdkafka leaves a batch plain that its codec would not shrink, as one of a single record.
        let largest = batches(&daemon, name).into_iter().max_by_key(|batch| batch.record_count).unwrap();
        assert_eq!(largest.attributes.compression(), Ok(codec), "{name}: bytes are stored as they were sent");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_from_inside_a_compressed_batch_starts_at_its_record() {
    let daemon = Daemon::start();
    client::create_topic(&daemon.bootstrap(), "t", 1, &[]).await;
    let producer =
        client::producer(&daemon.bootstrap(), &[("compression.type", "lz4"), ("linger.ms", "200")]);
    let values: Vec<String> = (0..300).map(|at| format!("value {at}")).collect();
    send_all(&producer, "t", &values).await;

    for from in [1, 137, 299] {
        let records = client::read_partition(&daemon.bootstrap(), "t", 0, from);
        assert_eq!(records[0].offset(), from);
        assert_eq!(records.len(), 300 - usize::try_from(from).unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nulls_empties_and_repeated_headers_are_kept_apart() {
    let daemon = Daemon::start();
    client::create_topic(&daemon.bootstrap(), "t", 1, &[]).await;
    let producer = client::producer(&daemon.bootstrap(), &[]);
    let sent: [(Option<&str>, Option<&str>); 5] =
        [(None, None), (Some(""), Some("")), (Some("k"), None), (None, Some("v")), (Some("k"), Some("v"))];
    let headers = OwnedHeaders::new()
        .insert(Header { key: "a", value: Some("1") })
        .insert(Header { key: "a", value: Some("2") })
        .insert(Header { key: "null", value: None::<&str> })
        .insert(Header { key: "", value: Some("") })
        .insert(Header { key: "bytes", value: Some(&[0u8, 255, 128][..]) });
    for (key, value) in sent {
        let mut record = FutureRecord::<str, str>::to("t").headers(headers.clone()).partition(0);
        (record.key, record.payload) = (key, value);
        producer.send(record, MINUTE).await.unwrap();
    }

    let records = client::read_partition(&daemon.bootstrap(), "t", 0, 0);
    for (record, (key, value)) in records.iter().zip(sent) {
        assert_eq!((record.key(), record.payload()), (key.map(str::as_bytes), value.map(str::as_bytes)));
        let kept: Vec<_> =
            record.headers().unwrap().iter().map(|header| (header.key, header.value)).collect();
        let expected: [(&str, Option<&[u8]>); 5] = [
            ("a", Some(b"1")),
            ("a", Some(b"2")),
            ("null", None),
            ("", Some(b"")),
            ("bytes", Some(&[0, 255, 128])),
        ];
        assert_eq!(kept, expected);
    }
    assert_eq!(records.len(), sent.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn create_time_is_the_producers_and_append_time_the_brokers() {
    let daemon = Daemon::start();
    client::create_topic(&daemon.bootstrap(), "created", 1, &[]).await;
    let append_time = [("message.timestamp.type", "LogAppendTime")];
    client::create_topic(&daemon.bootstrap(), "appended", 1, &append_time).await;
    let producer = client::producer(&daemon.bootstrap(), &[("compression.type", "gzip")]);
    let started = now_ms();
    let old = started - 3_600_000;
    for topic in ["created", "appended"] {
        let record = FutureRecord::<str, str>::to(topic).payload("v").timestamp(old);
        producer.send(record, MINUTE).await.unwrap();
    }

    let created = client::read_partition(&daemon.bootstrap(), "created", 0, 0);
    assert_eq!(created[0].timestamp(), Timestamp::CreateTime(old));
    let appended = client::read_partition(&daemon.bootstrap(), "appended", 0, 0);
    match appended[0].timestamp() {
        Timestamp::LogAppendTime(at) => assert!((started..=now_ms()).contains(&at), "{at}"),
        other => panic!("{other:?} is not the time of the append"),
    }
    assert_eq!(batches(&daemon, "appended")[0].attributes.timestamp_type(), TimestampType::LogAppendTime);
}

#[tokio::test(flavor = "multi_thread")]
async fn large_records_pass_up_to_the_limit_and_not_beyond() {
    let daemon = Daemon::start();
    client::create_topic(&daemon.bootstrap(), "default", 1, &[]).await;
    client::create_topic(&daemon.bootstrap(), "raised", 1, &[("max.message.bytes", "9000000")]).await;
    let producer = client::producer(&daemon.bootstrap(), &[("message.max.bytes", "10000000")]);
    let fits = noise(1_000_000);
    client::produce(&producer, "default", None, Some(&fits)).await.unwrap();
    let large = noise(8_000_000);
    let refused = client::produce(&producer, "default", None, Some(&large)).await.unwrap_err();
    assert_eq!(refused.rdkafka_error_code(), Some(RDKafkaErrorCode::MessageSizeTooLarge));
    client::produce(&producer, "raised", None, Some(&large)).await.unwrap();
    client::produce(&producer, "default", None, Some(b"after")).await.unwrap();

    let records = client::read_partition(&daemon.bootstrap(), "default", 0, 0);
    let values: Vec<&[u8]> = records.iter().filter_map(|record| record.payload()).collect();
    assert_eq!(values, [&fits[..], b"after"]);
    // Larger than what the consumer asks for: the first batch comes all the same.
    let records = client::read_partition(&daemon.bootstrap(), "raised", 0, 0);
    assert!(records[0].payload() == Some(&large[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn acks_of_every_kind_deliver() {
    let daemon = Daemon::start();
    for acks in ["0", "1", "all"] {
        let topic = format!("acks-{acks}");
        client::create_topic(&daemon.bootstrap(), &topic, 1, &[]).await;
        let producer = client::producer(&daemon.bootstrap(), &[("acks", acks)]);
        let values: Vec<String> = (0..50).map(|at| at.to_string()).collect();
        send_all(&producer, &topic, &values).await;
        producer.flush(MINUTE).unwrap();
        let consumer = client::consumer(&daemon.bootstrap(), &topic, &[]);
        consumer.subscribe(&[&topic]).unwrap();
        for value in &values {
            assert_eq!(client::receive(&consumer).payload(), Some(value.as_bytes()), "acks={acks}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_at_the_end_is_woken_by_the_append() {
    let daemon = Daemon::start();
    client::create_topic(&daemon.bootstrap(), "t", 1, &[]).await;
    let producer = client::producer(&daemon.bootstrap(), &[]);
    client::produce(&producer, "t", None, Some(b"first")).await.unwrap();
    // The broker may hold a fetch for longer than this test waits: only the append can answer it.
    let patient = [("fetch.wait.max.ms", "300000"), ("socket.timeout.ms", "300000")];
    let consumer = client::consumer(&daemon.bootstrap(), "g", &patient);
    consumer.subscribe(&["t"]).unwrap();
    assert_eq!(client::receive(&consumer).payload(), Some(&b"first"[..]));
    for at in 0..5 {
        let value = format!("later {at}");
        client::produce(&producer, "t", None, Some(value.as_bytes())).await.unwrap();
        assert_eq!(client::receive(&consumer).payload(), Some(value.as_bytes()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_keep_their_order_over_partitions_and_segments_and_a_restart() {
    let mut daemon = Daemon::builder().set("broker.topics.segment_bytes", 1_048_588).start();
    client::create_topic(&daemon.bootstrap(), "t", 6, &[("segment.bytes", "1048588")]).await;
    let producer = client::producer(&daemon.bootstrap(), &[("batch.num.messages", "200")]);
    let padding = "x".repeat(2_000);
    for round in 0..20 {
        let values: Vec<String> = (0..250).map(|at| format!("{round:03} {at:03} {padding}")).collect();
        let keyed = values.iter().map(|value| {
            producer.send_result(FutureRecord::to("t").key(&value[4..7]).payload(value.as_str())).unwrap()
        });
        for sent in keyed.collect::<Vec<_>>() {
            sent.await.unwrap().unwrap();
        }
    }
    drop(producer);
    assert!(daemon.terminate().success());
    daemon.restart();

    let by_partition = client::read_topic(&daemon.bootstrap(), "t");
    assert_eq!(by_partition.len(), 6);
    let mut count = 0;
    for records in by_partition.values() {
        let mut rounds = std::collections::HashMap::new();
        for record in records {
            let text = std::str::from_utf8(record.payload().unwrap()).unwrap();
            let round: u32 = text[0..3].parse().unwrap();
            let expected = rounds.entry(text[4..7].to_owned()).or_insert(0);
            assert_eq!(round, *expected, "key {}", &text[4..7]);
            *expected += 1;
            count += 1;
        }
    }
    assert_eq!(count, 20 * 250);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_topic_is_created_only_where_that_is_set() {
    let creating = Daemon::start();
    let producer = client::producer(&creating.bootstrap(), &[]);
    assert_eq!(client::produce(&producer, "made", None, Some(b"v")).await, Ok((0, 0)));

    let strict = Daemon::builder().set("broker.topics.auto_create", false).start();
    let producer = client::producer(&strict.bootstrap(), &[("topic.metadata.propagation.max.ms", "1")]);
    let refused = client::produce(&producer, "missing", None, Some(b"v")).await.unwrap_err();
    let code = refused.rdkafka_error_code().unwrap();
    let unknown = [RDKafkaErrorCode::UnknownTopic, RDKafkaErrorCode::UnknownTopicOrPartition];
    assert!(unknown.contains(&code), "{code:?}");
}

async fn send_all(producer: &FutureProducer, topic: &str, values: &[String]) {
    let queued = values.iter().map(|value| {
        let record = FutureRecord::<str, str>::to(topic).partition(0).payload(value);
        producer.send_result(record).map_err(|(error, _)| error).unwrap()
    });
    for sent in queued.collect::<Vec<_>>() {
        sent.await.unwrap().map_err(|(error, _)| error).unwrap();
    }
}

/// The header of the first batch of partition 0 as it lies in the log.
#[track_caller]
fn batches(daemon: &Daemon, topic: &str) -> Vec<BatchHeader> {
    let request = FetchRequest {
        max_wait_ms: 10_000,
        min_bytes: 1,
        max_bytes: 1 << 20,
        topics: vec![FetchRequestTopic {
            topic: topic.into(),
            partitions: vec![FetchRequestPartition { partition_max_bytes: 1 << 20, ..Default::default() }],
            ..Default::default()
        }],
        ..Default::default()
    };
    let answer: FetchResponse = Wire::connect(daemon.address()).call(FETCH_BY_NAME, &request);
    let partition = &answer.responses[0].partitions[0];
    assert_eq!(partition.error_code, ErrorCode::NONE);
    let mut rest = &partition.records.as_ref().expect("records are never null")[..];
    let mut found = Vec::new();
    while !rest.is_empty() {
        let header = BatchHeader::parse(rest).unwrap();
        rest = &rest[header.size_bytes..];
        found.push(header);
    }
    found
}

/// Bytes that no codec shrinks.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}

fn now_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since_epoch.as_millis()).unwrap()
}
