//! A target that stands still, or whose disk is full: the source's memory stays flat, and all goes on by itself.

use integration::{Datacenters, client, eventually, produce};

use super::load;

const TOPIC: &str = "m.much";
const MIB: u64 = 1 << 20;
/// What the target does not take: several times what a link may have outstanding.
const RECORDS: usize = 3_000;
const RECORD_BYTES: usize = 100_000;
/// Credit of the link, the newest batches that a source keeps in memory anyway, and room for the clients.
const GROWTH_MAX: u64 = 160 * MIB;

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_stands_still_does_not_fill_the_source() {
    let world = Datacenters::mirror().start();
    client::create_topic(&world.east.bootstrap(), TOPIC, 1, &[]).await;
    load::produce(&load::producer(&world.east.bootstrap(), "none"), TOPIC, 1, 100).await;
    world.await_mirrored(TOPIC, 1);
    let before = world.east.resident_bytes();
    world.west.pause();
    produce_noise(&world).await;
    let after = world.east.resident_bytes();
    world.west.resume();
    assert!(after < before + GROWTH_MAX, "from {} to {} MiB", before / MIB, after / MIB);
    world.assert_identical(TOPIC, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_out_of_disk_waits_and_goes_on_by_itself() {
    let disk = 96 * MIB;
    let world = Datacenters::mirror().west(|west| west.disk_bytes(disk)).start();
    client::create_topic(&world.east.bootstrap(), TOPIC, 1, &[("segment.bytes", "4194304")]).await;
    let before = world.east.resident_bytes();
    produce_noise(&world).await;
    let reason = eventually("the target to say that its disk is full", || {
        let (_, status) = world.west.admin("/v1/status").ok()?;
        status.to_ascii_lowercase().contains("space").then_some(status)
    });
    assert!(world.east.resident_bytes() < before + GROWTH_MAX, "{reason}");
    // Room comes back when the source's records are deleted, which the target follows.
    let end = produce::log_end(world.east.address(), TOPIC, 0).expect("the topic is there");
    let held = produce::log_end(world.west.address(), TOPIC, 0).expect("the topic is there");
    assert!(held < end, "{held} of {end}");
    let mut before_held = rdkafka::TopicPartitionList::new();
    before_held.add_partition_offset(TOPIC, 0, rdkafka::Offset::Offset(held)).unwrap();
    client::admin(&world.east.bootstrap())
        .delete_records(&before_held, &client::admin_options())
        .await
        .unwrap();
    eventually("the target to go on", || {
        (produce::log_end(world.west.address(), TOPIC, 0)? > held).then_some(())
    });
}

/// Records that no codec shrinks.
async fn produce_noise(world: &Datacenters) {
    let producer = client::producer(&world.east.bootstrap(), &[("queue.buffering.max.kbytes", "65536")]);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut value = vec![0; RECORD_BYTES];
    for _ in 0..RECORDS / 50 {
        let mut sent = Vec::new();
        for _ in 0..50 {
            value.fill_with(|| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state.to_le_bytes()[3]
            });
            let record = rdkafka::producer::FutureRecord::<[u8], [u8]>::to(TOPIC).payload(&value);
            sent.push(producer.send_result(record).map_err(|(error, _)| error).expect("the queue has room"));
        }
        for queued in sent {
            queued
                .await
                .expect("the producer lives")
                .map_err(|(error, _)| error)
                .expect("an acknowledgement");
        }
    }
}
