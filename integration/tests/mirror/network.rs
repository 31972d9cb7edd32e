//! A network that goes away in mid-flight and comes back.

use integration::{Datacenters, client, produce};

use super::load;

const TOPIC: &str = "m.cut";
const PARTITIONS: i32 = 2;

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_network_holds_nobody_up_and_nothing_is_lost_or_twice() {
    let world = Datacenters::mirror().relayed().start();
    client::create_topic(&world.east.bootstrap(), TOPIC, PARTITIONS, &[]).await;
    let producer = load::producer(&world.east.bootstrap(), "none");
    for round in 0..3 {
        let flight = load::produce(&producer, TOPIC, round, 4_000);
        let cut = async { world.cut() };
        tokio::join!(flight, cut);
        // The source serves its clients all the while.
        load::produce(&producer, TOPIC, 100 + round, 500).await;
        let (east, west) = (ends(&world, true), ends(&world, false));
        assert!(west <= east, "the target has {west} records of {east}");
        world.restore();
        world.await_mirrored(TOPIC, PARTITIONS);
    }
    world.assert_identical(TOPIC, PARTITIONS);
}

fn ends(world: &Datacenters, east: bool) -> i64 {
    let broker = if east { world.east.address() } else { world.west.address() };
    (0..PARTITIONS).filter_map(|partition| produce::log_end(broker, TOPIC, partition)).sum()
}
