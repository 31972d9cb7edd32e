//! What the tests of this folder write: records that are never twice the same.

use std::time::Duration;

use integration::client;
use rand::{Rng, SeedableRng, rngs::StdRng};
use rdkafka::{
    message::{Header, OwnedHeaders},
    producer::{FutureProducer, FutureRecord},
};

const MINUTE: Duration = Duration::from_secs(60);

/// Codecs as librdkafka names them.
pub(crate) const CODECS: [&str; 5] = ["none", "gzip", "snappy", "lz4", "zstd"];

/// An idempotent producer that compresses.
pub(crate) fn producer(bootstrap: &str, codec: &str) -> FutureProducer {
    let settings = [("compression.type", codec), ("enable.idempotence", "true"), ("linger.ms", "5")];
    client::producer(bootstrap, &settings)
}

/// Produces `count` records with keys and headers, spread over the partitions by key, and awaits every acknowledgement.
pub(crate) async fn produce(producer: &FutureProducer, topic: &str, seed: u64, count: usize) {
    let mut random = StdRng::seed_from_u64(seed);
    let queued: Vec<_> = (0..count)
        .map(|at| {
            let key = format!("key-{}", random.random_range(0..64));
            let value = format!(
                "{{\"topic\":\"{topic}\",\"seed\":{seed},\"at\":{at},\"pad\":\"{}\"}}",
                "x".repeat(random.random_range(0..300))
            );
            let origin = Header { key: "origin", value: Some(key.as_bytes()) };
            let headers =
                OwnedHeaders::new().insert(origin).insert(Header { key: "null", value: None::<&[u8]> });
            let record = FutureRecord::to(topic).key(&key).payload(&value).headers(headers);
            // The queue takes more than a test sends.
            producer.send_result(record).map_err(|(error, _)| error).expect("the queue has room")
        })
        .collect();
    for sent in queued {
        tokio::time::timeout(MINUTE, sent)
            .await
            .expect("an acknowledgement within a minute")
            .expect("the producer lives")
            .map_err(|(error, _)| error)
            .expect("the broker acknowledges");
    }
}
