//! A daemon as a node of a topology: what follows from the file, and what it refuses to start with.

use std::{
    path::Path,
    time::{Duration, SystemTime},
};

use ::certs::{Existing, IssueRequest};
use tempfile::TempDir;

use crate::command::{output_in, write};
use crate::daemon::Daemon;

const TOPOLOGY: &str = r#"version: 1
name: shop
datacenters:
  us-east:
    id: 7
    nodes: [{ name: east-1, kafka: "east.example:19092", link: "127.0.0.1:17443" }]
  eu-west:
    id: 8
    nodes: [{ name: west-1, kafka: "127.0.0.1:29092", link: "127.0.0.1:27443" }]
  alone:
    id: 9
    nodes: [{ name: alone-1, kafka: "127.0.0.1:39092" }]
links:
  - { from: us-east, to: eu-west, topics: [{ match: "orders.*" }] }
"#;

fn world() -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    write(dir.path(), "t.yaml", TOPOLOGY);
    dir
}

fn certify(dir: &Path, node: &str) {
    for command in [["init"].as_slice(), &["issue", "--node", node]] {
        let line = [&["certs"], command, &["--topology", "t.yaml", "--dir", "c"]].concat();
        let (code, _, stderr) = output_in(dir, &line);
        assert_eq!(code, Some(0), "{stderr}");
    }
}

/// A node that is refused: the error of its log.
fn refused(dir: &Path, node: &str, more: &[&str]) -> String {
    let (topology, certs) = (dir.join("t.yaml"), dir.join("c"));
    let places = [topology.to_str(), certs.to_str()].map(|path| path.expect("a UTF-8 path"));
    let [topology, certs] = places;
    let line = ["--topology", topology, "--node", node, "--certs", certs, "--admin", "127.0.0.1:0"];
    let (code, log) = Daemon::start_with(&dir.join("data"), &[&line, more].concat()).end();
    assert_eq!(code, Some(2), "{log}");
    assert!(!dir.join("data").exists(), "nothing is made for a daemon that does not start");
    log
}

#[test]
fn a_node_without_links_needs_no_certificate() {
    let dir = world();
    let topology = dir.path().join("t.yaml");
    let topology = topology.to_str().expect("a UTF-8 path");
    let line = ["--topology", topology, "--node", "alone-1", "--admin", "127.0.0.1:0"];
    let mut daemon = Daemon::start_with(&dir.path().join("data"), &line);
    assert_eq!(daemon.ready().line["node"], "alone-1");
}

#[test]
fn settings_follow_from_the_topology_and_say_so() {
    let dir = world();
    let show = ["config", "show", "--json", "--topology", "t.yaml", "--node", "east-1"];
    let (code, stdout, stderr) = output_in(dir.path(), &show);
    assert_eq!(code, Some(0), "{stderr}");
    let shown: serde_json::Value = serde_json::from_str(&stdout).expect("JSON");
    let from_topology = "t.yaml (node east-1)";
    for (name, value, origin) in [
        ("broker.broker_id", serde_json::json!(7001), from_topology),
        ("broker.advertise", "east.example:19092".into(), from_topology),
        ("broker.listen", "0.0.0.0:19092".into(), from_topology),
        ("node", "east-1".into(), "--node"),
        ("topology", "t.yaml".into(), "--topology"),
        ("certs", "./certs".into(), "default"),
    ] {
        assert_eq!(shown[name]["value"], value, "{name}");
        assert_eq!(shown[name]["origin"], origin, "{name}");
    }
    let (_, stdout, _) = output_in(dir.path(), &[show.as_slice(), &["--listen", "10.0.0.1:5"]].concat());
    let shown: serde_json::Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!(shown["broker.listen"]["origin"], "--listen");
}

#[test]
fn a_broker_id_of_ones_own_is_refused() {
    let dir = world();
    write(dir.path(), "i.toml", "[broker]\nbroker_id = 5\n");
    let line = ["run", "--topology", "t.yaml", "--node", "east-1", "--config", "i.toml"];
    let (code, _, stderr) = output_in(dir.path(), &line);
    assert_eq!(code, Some(2), "{stderr}");
    let expected = "broker.broker_id (from i.toml:2): 5 is not 7001, which is what t.yaml (node east-1) says";
    assert!(stderr.contains(expected), "{stderr}");
}

#[test]
fn an_invalid_topology_is_reported_as_check_reports_it() {
    let dir = world();
    write(dir.path(), "t.yaml", &TOPOLOGY.replace("to: eu-west", "to: eu-wst"));
    let (_, _, report) = output_in(dir.path(), &["topology", "check", "t.yaml"]);
    let problem = report.lines().next().expect("a problem");
    let (code, stdout, stderr) = output_in(dir.path(), &["run", "--topology", "t.yaml", "--node", "east-1"]);
    assert_eq!((code, stdout.as_str()), (Some(2), ""));
    assert!(stderr.contains(problem), "{stderr}");
}

#[test]
fn a_node_and_its_topology_are_given_together() {
    let dir = world();
    for (line, expected) in [
        (
            ["--topology", "t.yaml"].as_slice(),
            "fix: set node (--node) to the one to run: east-1, west-1, alone-1",
        ),
        (&["--node", "east-1"], "node (from --node): there is no topology to find the node \"east-1\" in"),
        (&["--topology", "t.yaml", "--node", "east-2"], "node (from --node): t.yaml has no node \"east-2\""),
        (&["--topology", "u.yaml", "--node", "east-1"], "topology (from --topology): cannot read u.yaml"),
    ] {
        let (code, _, stderr) = output_in(dir.path(), &[&["run"], line].concat());
        assert_eq!(code, Some(2), "{stderr}");
        assert!(stderr.contains(expected), "{stderr}");
    }
}

#[test]
fn a_missing_certificate_is_refused_with_the_command_that_makes_it() {
    let dir = world();
    let log = refused(dir.path(), "east-1", &[]);
    assert!(log.contains("isthmus certs issue --topology ") && log.contains(" --node east-1`"), "{log}");
}

#[test]
fn the_certificate_of_another_node_is_refused() {
    let dir = world();
    certify(dir.path(), "west-1");
    let other = dir.path().join("c/nodes/west-1");
    let log = refused(dir.path(), "east-1", &["--config", "/dev/null"]);
    assert!(log.contains("no certificate of node east-1"), "{log}");
    std::fs::rename(other, dir.path().join("c/nodes/east-1")).expect("moved");
    let log = refused(dir.path(), "east-1", &[]);
    assert!(log.contains("/dc/eu-west/node/west-1, not for "), "{log}");
}

#[test]
fn an_expired_certificate_is_refused() {
    let dir = world();
    certify(dir.path(), "east-1");
    let request = IssueRequest {
        directory: &dir.path().join("c"),
        topology: "shop",
        datacenter: "us-east",
        node: "east-1",
        hosts: &[],
        lifetime: Duration::from_secs(60),
        now: SystemTime::UNIX_EPOCH + Duration::from_secs(86_400 * 20_000),
        existing: Existing::Replace,
    };
    let _ = ::certs::issue(&request).expect("a certificate of the past");
    let log = refused(dir.path(), "east-1", &[]);
    assert!(log.contains(" expired ") && log.contains("--node east-1 --replace"), "{log}");
}
