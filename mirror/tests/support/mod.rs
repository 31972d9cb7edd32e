//! What the tests and benchmarks of links share: datacenters over plain logs, credentials, and a wait that ends.
#![allow(dead_code, unused_imports, reason = "every test binary uses its part")]
#![allow(clippy::async_yields_async, reason = "queueing and settling are waited for apart")]

mod assignment;
mod credentials;
mod discard;
mod relay;
mod rules;
mod site;
mod world;

use std::{future::Future, time::Duration};

pub(crate) use assignment::Chosen;
pub(crate) use credentials::Authority;
pub(crate) use discard::Discard;
pub(crate) use relay::Relay;
pub(crate) use rules::{AllIn, Everything, MergedInto, NoUnits, Nothing};
pub(crate) use site::{Site, batch, valve};
pub(crate) use world::{World, peer, reset_key};

/// Longer than anything takes; a test that waits it out has failed.
const DEADLINE: Duration = Duration::from_secs(60);

/// Waits for what must come.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited in vain for {what}"),
    }
}

/// Waits for a condition that counters show: looked at again with every turn of the runtime.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    soon(what, async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// A block that nobody subscribed to, as it travels.
pub(crate) fn block_of(batch: bytes::BytesMut) -> Vec<u8> {
    use mirror::{
        link::{
            BlockNumber, Handle,
            block::{BlockHeader, Codec},
        },
        ownership::HomeGeneration,
    };
    use protocol::{LeaderEpoch, Offset, PartitionId, TopicId, Uuid};
    let bytes = batch.len() as u32;
    let header = BlockHeader {
        codec: Codec::Plain,
        fragment_index: 0,
        fragment_count: 1,
        handle: Handle(77),
        number: BlockNumber(0),
        topic_id: TopicId(Uuid::from_u128(5)),
        partition: PartitionId(0),
        leader_epoch: LeaderEpoch(0),
        generation: HomeGeneration(0),
        previous_end: Offset(0),
        first_offset: Offset(0),
        last_offset: Offset(0),
        source_end: Offset(1),
        source_clock: 0,
        wire_bytes: bytes,
        unpacked_bytes: bytes,
        whole_bytes: bytes,
    };
    [&header.encode()[..], &batch].concat()
}
