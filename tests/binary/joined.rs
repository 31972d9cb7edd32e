//! Two datacenters as two daemons, as an operator sees them.

use std::{
    net::UdpSocket,
    path::Path,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::command::{output_in, write};
use crate::daemon::{Daemon, Ready};

/// No step takes this long.
const WITHIN: Duration = Duration::from_secs(60);

/// A directory with topology and certificates for `east-1` and `west-1`.
fn world() -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let free = || UdpSocket::bind("127.0.0.1:0").expect("a free port");
    // Held together, so that they differ; another process may still take one before the daemon does.
    let (east, west) = (free(), free());
    let port = |socket: &UdpSocket| socket.local_addr().expect("bound").port();
    let topology = format!(
        r#"version: 1
name: shop
datacenters:
  us-east:
    id: 1
    nodes: [{{ name: east-1, kafka: "127.0.0.1:19092", link: "127.0.0.1:{}" }}]
  eu-west:
    id: 2
    nodes: [{{ name: west-1, kafka: "127.0.0.1:29092", link: "127.0.0.1:{}" }}]
links:
  - {{ from: us-east, to: eu-west, topics: [{{ match: "orders.*" }}], groups: {{ match: "*" }} }}
  - {{ from: eu-west, to: us-east, topics: [{{ match: "orders.*" }}], groups: {{ match: "*" }} }}
failover:
  - {{ name: orders, topics: ["orders.*"], groups: ["checkout-*"], home: us-east, standby: [eu-west] }}
"#,
        port(&east),
        port(&west)
    );
    write(dir.path(), "t.yaml", &topology);
    for command in [["init"].as_slice(), &["issue", "--node", "east-1"], &["issue", "--node", "west-1"]] {
        let line = [&["certs"], command, &["--topology", "t.yaml", "--dir", "c"]].concat();
        let (code, _, stderr) = output_in(dir.path(), &line);
        assert_eq!(code, Some(0), "{stderr}");
    }
    dir
}

fn start(dir: &Path, node: &str) -> (Daemon, Ready) {
    let path = |name: &str| dir.join(name).display().to_string();
    let (topology, certs) = (path("t.yaml"), path("c"));
    let line = ["--topology", &topology, "--node", node, "--certs", &certs, "--admin", "127.0.0.1:0"];
    let mut daemon = Daemon::start_with(&dir.join(node), &line);
    let ready = daemon.ready();
    (daemon, ready)
}

fn status(dir: &Path, ready: &Ready) -> Value {
    let admin = ready.admin.to_string();
    let (code, stdout, stderr) = output_in(dir, &["status", "--json", "--admin", &admin]);
    assert_eq!(code, Some(0), "{stderr}");
    serde_json::from_str(&stdout).expect("JSON")
}

/// Asks until all links of the node are in this state.
#[expect(clippy::disallowed_methods, reason = "a test that hangs must fail instead")]
fn await_links(dir: &Path, ready: &Ready, state: &str) {
    let deadline = Instant::now() + WITHIN;
    loop {
        let told = status(dir, ready);
        let links = told.get("links").and_then(Value::as_array).expect("a list");
        assert_eq!(links.len(), 2, "{told}");
        if links.iter().all(|link| link.get("state").is_some_and(|is| is == state)) {
            return;
        }
        assert!(Instant::now() < deadline, "never {state}: {told}");
    }
}

/// Asks until the node knows this home and generation of the unit, and whether it may be written there.
#[expect(clippy::disallowed_methods, reason = "a test that hangs must fail instead")]
fn await_home(dir: &Path, ready: &Ready, (home, generation, writable): (&str, u64, bool)) {
    let deadline = Instant::now() + WITHIN;
    loop {
        let told = status(dir, ready);
        let unit = told.pointer("/units/0").expect("a unit");
        let is = |field: &str, value: Value| unit.get(field) == Some(&value);
        if is("home", home.into()) && is("generation", generation.into()) && is("writable", writable.into()) {
            return;
        }
        assert!(Instant::now() < deadline, "never home in {home} at {generation}: {told}");
    }
}

#[test]
fn two_datacenters_connect_and_connect_again() {
    let dir = world();
    let (_east, east_ready) = start(dir.path(), "east-1");
    let (mut west, west_ready) = start(dir.path(), "west-1");
    for ready in [&east_ready, &west_ready] {
        await_links(dir.path(), ready, "connected");
    }
    let told = status(dir.path(), &west_ready);
    assert_eq!(told["node"]["node"], "west-1");
    assert_eq!(told["node"]["broker_id"], 2001);
    let of =
        |name: &str| told["links"].as_array().and_then(|all| all.iter().find(|link| link["name"] == name));
    assert_eq!(of("us-east:eu-west").expect("it is declared")["side"], "target");
    assert_eq!(of("eu-west:us-east").expect("it is declared")["side"], "source");
    west.signal(Signal::TERM);
    let (code, log) = west.end();
    assert_eq!(code, Some(0), "{log}");
    await_links(dir.path(), &east_ready, "disconnected");
    let _west = start(dir.path(), "west-1");
    await_links(dir.path(), &east_ready, "connected");
}

#[test]
fn a_home_moves_and_comes_back() {
    let dir = world();
    let (_east, east) = start(dir.path(), "east-1");
    let (_west, west) = start(dir.path(), "west-1");
    await_links(dir.path(), &west, "connected");
    await_home(dir.path(), &east, ("us-east", 1, true));
    await_home(dir.path(), &west, ("us-east", 1, false));
    let failover = |to: &str, at: &Ready, more: &[&str]| {
        let admin = at.admin.to_string();
        let line = [&["failover", "orders", "--to", to, "--admin", &admin, "--json"], more].concat();
        let (code, stdout, stderr) = output_in(dir.path(), &line);
        assert_eq!(code, Some(0), "{stdout}{stderr}");
        let report: Value = serde_json::from_str(&stdout).expect("JSON");
        (report["outcome"]["outcome"].as_str().map(str::to_owned), report["generation"].as_u64())
    };
    assert_eq!(failover("eu-west", &west, &["--dry-run"]), (Some("planned".to_owned()), Some(2)));
    await_home(dir.path(), &west, ("us-east", 1, false));
    assert_eq!(failover("eu-west", &west, &[]), (Some("moved".to_owned()), Some(2)));
    await_home(dir.path(), &west, ("eu-west", 2, true));
    await_home(dir.path(), &east, ("eu-west", 2, false));
    assert_eq!(failover("eu-west", &west, &[]), (Some("already_home".to_owned()), Some(2)));
    assert_eq!(failover("us-east", &east, &[]), (Some("moved".to_owned()), Some(3)));
    await_home(dir.path(), &east, ("us-east", 3, true));
    await_home(dir.path(), &west, ("us-east", 3, false));
}

#[test]
fn verbs_at_the_wrong_node_name_whom_to_ask() {
    let dir = world();
    let (_east, ready) = start(dir.path(), "east-1");
    let admin = ready.admin.to_string();
    let ask = |line: &[&str]| {
        let (code, stdout, stderr) = output_in(dir.path(), &[line, &["--admin", &admin]].concat());
        assert_eq!(stdout, "");
        (code, stderr)
    };
    let (code, stderr) = ask(&["failover", "orders", "--to", "eu-west"]);
    assert!(stderr.contains("ask a node of eu-west, with --admin: west-1 [other-datacenter]"), "{stderr}");
    assert_eq!(code, Some(1));
    let (code, stderr) = ask(&["failover", "order", "--to", "us-east"]);
    assert!(stderr.contains("there are: orders [unknown-unit]"), "{stderr}");
    assert_eq!(code, Some(2));
    let (code, stderr) = ask(&["failover", "orders", "--to", "ap-south"]);
    assert!(stderr.contains("its members are: us-east, eu-west [not-a-member]"), "{stderr}");
    assert_eq!(code, Some(2));
    let translate = |link, topic| {
        ask(&["translate", "--link", link, "--topic", topic, "--partition", "0", "--offset", "1"])
    };
    let (code, stderr) = translate("us-east:eu-west", "orders.a");
    assert!(stderr.contains("ask its target, with --admin: west-1 [other-end]"), "{stderr}");
    assert_eq!(code, Some(1));
    let (code, stderr) = translate("eu-west:us-east", "clicks");
    assert!(stderr.contains("does not carry \"clicks\"") && stderr.contains("[unknown-topic]"), "{stderr}");
    assert_eq!(code, Some(2));
}

#[test]
fn a_link_port_that_is_taken_is_refused_and_the_logs_are_closed() {
    let dir = world();
    let (_first, _) = start(dir.path(), "east-1");
    let path = |name: &str| dir.path().join(name).display().to_string();
    let (topology, certs) = (path("t.yaml"), path("c"));
    let line = ["--topology", &topology, "--node", "east-1", "--certs", &certs, "--admin", "127.0.0.1:0"];
    let (code, log) = Daemon::start_with(&dir.path().join("other"), &line).end();
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("the links cannot start: cannot listen on 127.0.0.1:"), "{log}");
    assert!(dir.path().join("other/.kafka_cleanshutdown").exists(), "{log}");
}
