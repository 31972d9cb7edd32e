//! Produce: what is taken, what is refused and how.

use bytes::BytesMut;

use protocol::{
    ErrorCode, ProducerEpoch, ProducerId, Sequence,
    batch::{BatchBuilder, BatchHeader, Compression, TimestampType},
    messages::k00_produce::*,
};

use crate::client::*;

async fn topic(configs: &[(&'static str, &'static str)]) -> (broker::Broker, Client) {
    let broker = broker().await;
    let mut client = Client::connect(broker.kafka_address()).await;
    client.create("t", 1, configs).await;
    (broker, client)
}

#[tokio::test]
async fn what_is_produced_is_fetched_byte_for_byte_with_its_offset() {
    let (_broker, mut client) = topic(&[]).await;
    for compression in
        [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd]
    {
        let sent = BatchBuilder::new()
            .compression(compression)
            .record(7, None, Some(b"x"), &[(b"h", None)])
            .build()
            .unwrap();
        let produced = client.produce("t", sent.clone()).await;
        assert_eq!(produced.error_code, ErrorCode::NONE, "{compression:?}");
        let fetched = client.fetch("t", produced.base_offset).await.records.unwrap();
        let header = BatchHeader::parse_whole(&fetched).unwrap();
        assert_eq!(header.base_offset.0, produced.base_offset);
        assert_eq!(fetched[16..], sent[16..], "{compression:?}: all after the epoch is as it was sent");
    }
}

#[tokio::test]
async fn a_bad_crc_is_a_corrupt_message_and_nothing_is_appended() {
    let (_broker, mut client) = topic(&[]).await;
    let mut bad = BytesMut::from(&batch(&[1])[..]);
    let last = bad.len() - 1;
    bad[last] ^= 1;
    let refused = client.produce("t", bad).await;
    assert_eq!(refused.error_code, ErrorCode::CORRUPT_MESSAGE);
    assert_eq!(client.produce("t", batch(&[1])).await.base_offset, 0);
}

#[tokio::test]
async fn a_batch_above_the_topics_limit_is_too_large() {
    let (_broker, mut client) = topic(&[("max.message.bytes", "200")]).await;
    let large = BatchBuilder::new().record(1, None, Some(&[0; 200]), &[]).build().unwrap();
    assert_eq!(client.produce("t", large).await.error_code, ErrorCode::MESSAGE_TOO_LARGE);
}

#[tokio::test]
async fn a_compacted_topic_names_the_records_without_a_key() {
    let (_broker, mut client) = topic(&[("cleanup.policy", "compact")]).await;
    let keyless = BatchBuilder::new()
        .record(1, Some(b"k"), Some(b"v"), &[])
        .record(1, None, Some(b"v"), &[])
        .build()
        .unwrap();
    let refused = client.produce("t", keyless).await;
    assert_eq!(refused.error_code, ErrorCode::INVALID_RECORD);
    let indexes: Vec<_> = refused.record_errors.iter().map(|record| record.batch_index).collect();
    assert_eq!(indexes, [1]);
}

#[tokio::test]
async fn a_duplicate_is_answered_with_the_first_offset_and_a_gap_is_refused() {
    let (_broker, mut client) = topic(&[]).await;
    let numbered = |sequence| {
        let producer = (ProducerId(9), ProducerEpoch(0), Sequence(sequence));
        let batch = BatchBuilder::new().producer(producer.0, producer.1, producer.2);
        batch.record(1, None, Some(b"v"), &[]).build().unwrap()
    };
    assert_eq!(client.produce("t", numbered(0)).await.base_offset, 0);
    assert_eq!(client.produce("t", numbered(1)).await.base_offset, 1);
    let again = client.produce("t", numbered(0)).await;
    assert_eq!((again.error_code, again.base_offset), (ErrorCode::NONE, 0));
    let gap = client.produce("t", numbered(3)).await;
    assert_eq!(gap.error_code, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_eq!(client.produce("t", numbered(2)).await.base_offset, 2, "nothing else was appended");
}

#[tokio::test]
async fn log_append_time_stamps_the_batch_and_tells_the_producer() {
    let (_broker, mut client) = topic(&[("message.timestamp.type", "LogAppendTime")]).await;
    let produced = client.produce("t", batch(&[5])).await;
    assert!(produced.log_append_time_ms > 5);
    let fetched = client.fetch("t", 0).await.records.unwrap();
    let header = BatchHeader::parse_whole(&fetched).unwrap();
    assert_eq!(header.attributes.timestamp_type(), TimestampType::LogAppendTime);
    assert_eq!(header.max_timestamp, produced.log_append_time_ms);
}

#[tokio::test]
async fn what_the_whole_request_is_refused_for() {
    let (_broker, mut client) = topic(&[]).await;
    let cases = [
        (produce("t", 2, batch(&[1])), ErrorCode::INVALID_REQUIRED_ACKS),
        (produce("absent", -1, batch(&[1])), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
        (
            ProduceRequest { transactional_id: Some("tx".into()), ..produce("t", -1, batch(&[1])) },
            ErrorCode::INVALID_TXN_STATE,
        ),
    ];
    for (request, error) in cases {
        let answer: ProduceResponse = client.call(9, &request).await;
        assert_eq!(answer.responses[0].partition_responses[0].error_code, error);
    }
}

#[tokio::test]
async fn without_acks_there_is_no_answer_and_an_error_closes_the_connection() {
    let (broker, mut client) = topic(&[]).await;
    client.send(9, &produce("t", 0, batch(&[1]))).await;
    // The next answer is the fetch's: the produce had none, and took effect before it.
    assert_eq!(client.fetch("t", 0).await.high_watermark, 1);
    client.send(9, &produce("absent", 0, batch(&[1]))).await;
    assert_eq!(client.receive_raw().await, None);
    let mut other = Client::connect(broker.kafka_address()).await;
    assert_eq!(other.fetch("t", 0).await.high_watermark, 1);
}

#[tokio::test]
async fn a_topic_that_wants_more_replicas_than_there_are_takes_no_acks_all() {
    let (_broker, mut client) = topic(&[("min.insync.replicas", "2")]).await;
    assert_eq!(client.produce("t", batch(&[1])).await.error_code, ErrorCode::NOT_ENOUGH_REPLICAS);
    let answer: ProduceResponse = client.call(9, &produce("t", 1, batch(&[1]))).await;
    assert_eq!(answer.responses[0].partition_responses[0].error_code, ErrorCode::NONE);
}
