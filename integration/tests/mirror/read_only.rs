//! A replica is read here and written at its home; the error says so.

use integration::{Datacenters, Wire, client, produce};
use protocol::ErrorCode;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::load;

#[tokio::test(flavor = "multi_thread")]
async fn a_producer_at_the_target_is_told_where_the_topic_is_written() {
    let world = Datacenters::mirror().start();
    client::create_topic(&world.east.bootstrap(), "m.t", 1, &[]).await;
    load::produce(&load::producer(&world.east.bootstrap(), "none"), "m.t", 1, 10).await;
    world.await_mirrored("m.t", 1);

    let mut wire = Wire::connect(world.west.address());
    let (error, _) = produce::produce(&mut wire, "m.t", &produce::batch(&[b"stray"]));
    assert_eq!(error, ErrorCode::POLICY_VIOLATION);
    let strays = client::producer(&world.west.bootstrap(), &[]);
    let refused = client::produce(&strays, "m.t", None, Some(b"stray")).await;
    assert!(
        matches!(refused, Err(KafkaError::MessageProduction(RDKafkaErrorCode::PolicyViolation))),
        "{refused:?}"
    );
    world.assert_identical("m.t", 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_a_link_would_bring_is_not_created_at_the_target() {
    let world = Datacenters::mirror().start();
    let strays = client::producer(&world.west.bootstrap(), &[("message.timeout.ms", "2000")]);
    let refused = client::produce(&strays, "m.mine", None, Some(b"stray")).await;
    assert!(refused.is_err(), "{refused:?}");
    assert_eq!(produce::log_end(world.west.address(), "m.mine", 0), None);
    client::create_topic(&world.east.bootstrap(), "m.mine", 1, &[]).await;
    load::produce(&load::producer(&world.east.bootstrap(), "none"), "m.mine", 1, 10).await;
    world.assert_identical("m.mine", 1);
}
