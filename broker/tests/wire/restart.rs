//! What survives a broker that ends without a word, and one that loses power.

use std::sync::Arc;

use core_log::storage::MemoryStorage;
use protocol::{ErrorCode, messages::k03_metadata::*};

use crate::client::*;

async fn cluster_id(client: &mut Client) -> String {
    let answer: MetadataResponse = client.call(8, &MetadataRequest::default()).await;
    answer.cluster_id.unwrap().to_string()
}

#[tokio::test]
async fn topics_ids_and_acknowledged_records_survive_a_power_cut() {
    let storage = Arc::new(MemoryStorage::new(1));
    let broker = start(&storage, settings()).await;
    let mut client = Client::connect(broker.kafka_address()).await;
    client.create("t", 1, &[("retention.ms", "-1")]).await;
    let (id, cluster) = (client.topic_id("t").await, cluster_id(&mut client).await);
    assert_eq!(client.produce("t", batch(&[1, 2])).await.error_code, ErrorCode::NONE);
    drop(broker);

    let storage = Arc::new(storage.cut_power(7));
    let broker = start(&storage, settings()).await;
    let mut client = Client::connect(broker.kafka_address()).await;
    assert_eq!(client.topic_id("t").await, id);
    assert_eq!(cluster_id(&mut client).await, cluster);
    assert_eq!(client.fetch("t", 0).await.high_watermark, 2);
    assert_eq!(client.produce("t", batch(&[3])).await.base_offset, 2);
}
