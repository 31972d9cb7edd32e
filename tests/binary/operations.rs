//! `isthmus status`, `failover` and `translate` against real daemons.

use std::net::TcpListener;

use crate::command::{isthmus, output, output_in, write};
use crate::daemon::{Daemon, Ready};

fn started() -> (tempfile::TempDir, Daemon, Ready) {
    let dir = tempfile::tempdir().expect("a directory");
    let mut daemon = Daemon::start(&dir.path().join("data"));
    let ready = daemon.ready();
    (dir, daemon, ready)
}

#[test]
fn a_broker_that_stands_alone_has_a_status() {
    let (dir, _daemon, ready) = started();
    let admin = ready.admin.to_string();
    let (code, stdout, stderr) = output_in(dir.path(), &["status", "--admin", &admin]);
    assert_eq!(code, Some(0), "{stderr}");
    let expected = format!("a broker that stands alone, isthmus {}: ready\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(stdout, expected);
    let (code, stdout, _) = output_in(dir.path(), &["status", "--json", "--admin", &admin]);
    assert_eq!(code, Some(0));
    let status: serde_json::Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!((&status["phase"], &status["links"]), (&"ready".into(), &serde_json::json!([])));
}

#[test]
fn the_admin_port_is_found_by_the_settings() {
    let (dir, _daemon, ready) = started();
    // The topology of the node that is asked is none of the asker's business.
    let settings = format!("admin = \"{}\"\ntopology = \"/nowhere.yaml\"\nnode = \"x\"\n", ready.admin);
    write(dir.path(), "i.toml", &settings);
    let (code, _, stderr) = output_in(dir.path(), &["status", "--config", "i.toml"]);
    assert_eq!(code, Some(0), "{stderr}");
    let (code, _, stderr) = output(isthmus(&["status"]).env("ISTHMUS_ADMIN", ready.admin.to_string()));
    assert_eq!(code, Some(0), "{stderr}");
}

#[test]
fn verbs_at_a_broker_that_stands_alone_say_what_is_missing() {
    let (dir, _daemon, ready) = started();
    let admin = ready.admin.to_string();
    let translate = ["translate", "--link", "a:b", "--topic", "t", "--partition", "0", "--offset", "1"];
    for verb in [["failover", "orders", "--to", "b"].as_slice(), &translate] {
        let (code, stdout, stderr) = output_in(dir.path(), &[verb, &["--admin", &admin]].concat());
        assert_eq!((code, stdout.as_str()), (Some(1), ""));
        assert!(stderr.contains("start it with --topology") && stderr.contains("[no-topology]"), "{stderr}");
    }
}

#[test]
fn a_node_that_does_not_answer_is_told_with_its_address() {
    let dir = tempfile::tempdir().expect("a directory");
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let (code, stdout, stderr) = output_in(dir.path(), &["status", "--admin", &closed.to_string()]);
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(stderr.contains(&format!("no answer from {closed}: ")), "{stderr}");
}

#[test]
fn another_port_of_a_node_is_not_taken_for_its_admin_port() {
    let (dir, _daemon, ready) = started();
    let (code, stdout, _) = output_in(dir.path(), &["status", "--admin", &ready.kafka.to_string()]);
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
}
