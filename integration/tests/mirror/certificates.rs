//! Peers that are not who they should be are refused, and the log says why.

use std::{
    fs,
    time::{Duration, SystemTime},
};

use certs::{Existing, IssueRequest};
use integration::{Datacenters, client, datacenters, eventually, produce};

use super::load;

const DAY: Duration = Duration::from_secs(86_400);
const SECOND: Duration = Duration::from_secs(1);
/// Long enough for two daemons to start.
const SHORT: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_another_authority_is_refused() {
    let world = Datacenters::mirror()
        .certificates(|certs, east, _| {
            datacenters::issue(certs, east, &["east-1"]);
            let other = certs.with_file_name("other-certs");
            datacenters::issue(&other, east, &["west-1"]);
            fs::rename(other.join("nodes/west-1"), certs.join("nodes/west-1"))
                .expect("a folder can be moved");
        })
        .start();
    assert_refused(&world, "other_authority").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_another_datacenter_is_refused() {
    let world = Datacenters::mirror()
        .west_believes(|file| file.replace("eu-west", "ap-south"))
        .certificates(|certs, east, west| {
            datacenters::issue(certs, east, &["east-1"]);
            datacenters::issue(certs, west, &["west-1"]);
        })
        .start();
    assert_refused(&world, "not_listed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_certificate_is_refused() {
    // Builds the daemon if need be, which may take longer than the certificate lives.
    drop(integration::daemon_command());
    let ends = SystemTime::now() + SHORT;
    let mut world = Datacenters::mirror()
        .certificates(move |certs, east, _| {
            datacenters::issue(certs, east, &["east-1", "west-1"]);
            certs::issue(&IssueRequest {
                directory: certs,
                topology: "shop",
                datacenter: datacenters::WEST,
                node: "west-1",
                hosts: &["127.0.0.1".parse().expect("an address is a host")],
                lifetime: DAY,
                now: ends - DAY,
                existing: Existing::Replace,
            })
            .expect("a certificate is issued");
        })
        .start();
    world.east.kill9();
    // A certificate lives to the end of its last second.
    eventually("the end of the certificate", || (SystemTime::now() > ends + SECOND).then_some(()));
    world.east.restart();
    assert_refused(&world, "expired").await;
}

/// Nothing is mirrored, and one of the logs has the reason.
async fn assert_refused(world: &Datacenters, reason: &str) {
    client::create_topic(&world.east.bootstrap(), "m.t", 1, &[]).await;
    load::produce(&load::producer(&world.east.bootstrap(), "none"), "m.t", 1, 10).await;
    eventually(reason, || {
        (world.east.log().contains(reason) || world.west.log().contains(reason)).then_some(())
    });
    assert_eq!(produce::log_end(world.west.address(), "m.t", 0), None);
}
