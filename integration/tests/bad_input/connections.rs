//! Connections that stall, pile up, or do not listen.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use integration::{Daemon, Wire, client, eventually, produce};
use protocol::{
    ErrorCode,
    messages::k18_api_versions::{ApiVersionsRequest, ApiVersionsResponse},
};

use crate::bystander::Bystander;

const CLOSED: &str = "isthmus_broker_connections_closed_total";
const REFUSED: &str = "isthmus_broker_connections_refused_total";

#[test]
fn a_frame_that_never_completes_is_given_up() {
    let daemon = Daemon::builder().set("broker.connections.request_read_ms", 200).start();
    let bystander = Bystander::start(&daemon);
    let pieces: [&[u8]; 4] = [&[0], &[0, 0, 0], &[0, 0, 0, 90], &[0, 0, 0, 90, 0, 3, 0, 1, 0, 0]];
    for piece in pieces {
        let before = daemon.metrics();
        let mut wire = Wire::connect(daemon.address());
        wire.send_bytes(piece);
        wire.assert_closed();
        daemon.assert_counted(&before, &[CLOSED, "frame_incomplete"]);
    }
    bystander.finish(&daemon);
}

#[test]
fn a_frame_that_trickles_is_given_up_too() {
    let daemon = Daemon::builder().set("broker.connections.request_read_ms", 300).start();
    let bystander = Bystander::start(&daemon);
    let before = daemon.metrics();
    let mut wire = Wire::connect(daemon.address());
    wire.send_bytes(&1_000i32.to_be_bytes());
    // A byte each 20 ms: the frame would take 20 seconds, and no pause is long.
    let sent = (0..1_000).take_while(|_| {
        let open = wire.closed_within(Duration::from_millis(20)).is_err();
        open && wire.try_send_bytes(&[0]).is_ok()
    });
    assert!(sent.count() < 1_000, "the whole frame was taken");
    daemon.assert_counted(&before, &[CLOSED, "frame_incomplete"]);
    bystander.finish(&daemon);
}

#[test]
fn a_peer_that_ends_inside_a_frame_is_let_go() {
    let daemon = Daemon::start();
    let bystander = Bystander::start(&daemon);
    let before = daemon.metrics();
    let mut wire = Wire::connect(daemon.address());
    wire.send_bytes(&[0, 0, 0, 90, 0, 3]);
    wire.half_close();
    wire.assert_closed();
    daemon.assert_counted(&before, &[CLOSED, "frame_incomplete"]);
    bystander.finish(&daemon);
}

#[test]
fn a_connection_without_requests_is_given_up() {
    let daemon = Daemon::builder().set("broker.connections.idle_ms", 300).start();
    let before = daemon.metrics();
    let mut never_spoke = Wire::connect(daemon.address());
    let mut spoke_once = Wire::connect(daemon.address());
    let answer: ApiVersionsResponse = spoke_once.call(0, &ApiVersionsRequest::default());
    assert_eq!(answer.error_code, ErrorCode::NONE);
    never_spoke.assert_closed();
    spoke_once.assert_closed();
    daemon.assert_counted(&before, &[CLOSED, "idle"]);
}

#[test]
fn a_flood_of_connections_meets_the_cap_and_leaves_others_alone() {
    let daemon = Daemon::builder().set("broker.connections.connections_max", 60).start();
    let bystander = Bystander::start(&daemon);
    let before = daemon.metrics();
    let flood: Vec<Wire> = (0..300).filter_map(|_| Wire::try_connect(daemon.address()).ok()).collect();
    daemon.assert_counted(&before, &[REFUSED, "connections_max"]);
    bystander.assert_served();
    drop(flood);
    eventually("a place for a new connection", || is_served(&daemon).then_some(()));
    bystander.finish(&daemon);
}

#[test]
fn one_address_has_a_cap_of_its_own() {
    let daemon = Daemon::builder().set("broker.connections.connections_per_ip_max", 20).start();
    let bystander = Bystander::start(&daemon);
    let before = daemon.metrics();
    let mut flood: Vec<Wire> = (0..100).filter_map(|_| connect_from(2, daemon.address())).collect();
    daemon.assert_counted(&before, &[REFUSED, "connections_per_ip_max"]);
    assert!(is_served(&daemon), "another address has room");
    let refused = flood.pop().expect("the kernel accepted it").closed_within(Duration::from_secs(30));
    assert!(refused.expect("the connection beyond the cap is closed"));
    bystander.finish(&daemon);
}

#[test]
fn stalled_requests_of_one_address_leave_memory_for_others() {
    let daemon = Daemon::builder()
        .set("broker.connections.request_bytes_max", 4 << 20)
        .set("broker.connections.in_flight_bytes_max", 8 << 20)
        .start();
    let bystander = Bystander::start(&daemon);
    let stalled: Vec<Wire> = (0..30)
        .filter_map(|_| connect_from(2, daemon.address()))
        .map(|mut wire| {
            let _ = wire.try_send_bytes(&[&(4i32 << 20).to_be_bytes()[..], &[0; 300_000]].concat());
            wire
        })
        .collect();
    assert_eq!(stalled.len(), 30);
    bystander.assert_served();
    // A request large enough to need the budget.
    produce::create_topic(daemon.address(), "large", 1);
    let large = vec![7; 900_000];
    let appended =
        produce::produce(&mut Wire::connect(daemon.address()), "large", &produce::batch(&[&large]));
    assert_eq!(appended, (ErrorCode::NONE, 0));
    bystander.finish(&daemon);
}

#[test]
fn a_client_that_does_not_read_its_answers_is_let_go() {
    let daemon = Daemon::builder().set("broker.connections.response_write_ms", 500).start();
    let bystander = Bystander::start(&daemon);
    produce::create_topic(daemon.address(), "large", 1);
    let large = vec![7; 900_000];
    let mut wire = Wire::connect(daemon.address());
    for at in 0..8 {
        assert_eq!(produce::produce(&mut wire, "large", &produce::batch(&[&large])), (ErrorCode::NONE, at));
    }
    let before = daemon.metrics();
    for _ in 0..20 {
        wire.send(produce::FETCH, &produce::fetch_request("large", 0, 0, 8 << 20));
    }
    daemon.assert_counted(&before, &[CLOSED, "answer_not_read"]);
    bystander.finish(&daemon);
    assert_eq!(client::read_partition(&daemon.bootstrap(), "large", 0, 0).len(), 8);
}

fn is_served(daemon: &Daemon) -> bool {
    let Ok(mut wire) = Wire::try_connect(daemon.address()) else { return false };
    let request = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff];
    wire.try_send_bytes(&request).is_ok() && wire.receive_frame().is_ok()
}

/// Connects from another loopback address, 127.0.0.`host`.
fn connect_from(host: u8, to: SocketAddr) -> Option<Wire> {
    Wire::try_connect_from(SocketAddr::from((Ipv4Addr::new(127, 0, 0, host), 0)), to).ok()
}
