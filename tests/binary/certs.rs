//! `isthmus certs` as an operator calls it.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    time::{Duration, SystemTime},
};

use ::certs::{Existing, IssueRequest, NodeCredentials, NodeIdentity};
use tempfile::TempDir;

use crate::command::{output_in, write};

const TOPOLOGY: &str = r#"version: 1
name: shop
datacenters:
  us-east:
    id: 1
    nodes: [{ name: east-1, kafka: "127.0.0.1:19092", link: "east-1.example:7443" }]
  eu-west:
    id: 2
    nodes: [{ name: west-1, kafka: "127.0.0.1:29092", link: "west-1.example:7443" }]
"#;

fn world() -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    write(dir.path(), "t.yaml", TOPOLOGY);
    let (code, _, stderr) = init(dir.path());
    assert_eq!(code, Some(0), "{stderr}");
    dir
}

fn init(dir: &Path) -> (Option<i32>, String, String) {
    output_in(dir, &["certs", "init", "--topology", "t.yaml", "--dir", "c"])
}

fn issue(dir: &Path, more: &[&str]) -> (Option<i32>, String, String) {
    let line = ["certs", "issue", "--topology", "t.yaml", "--dir", "c", "--node", "east-1"];
    output_in(dir, &[&line, more].concat())
}

#[test]
fn a_node_gets_credentials_that_only_its_owner_reads() {
    let dir = world();
    let (code, stdout, stderr) = issue(dir.path(), &[]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.contains("wrote c/nodes/east-1/node.crt\n"), "{stdout}");
    let folder = dir.path().join("c/nodes/east-1");
    let identity = NodeIdentity::from_names("shop", "us-east", "east-1").expect("names");
    NodeCredentials::load(&folder, &identity).expect("they belong together");
    let mode = fs::metadata(folder.join("node.key")).expect("a key").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let (_, shown, _) = output_in(dir.path(), &["certs", "show", "--dir", "c"]);
    assert!(shown.contains("hosts      127.0.0.1, east-1.example"), "{shown}");
}

#[test]
fn init_keeps_what_is_there_and_adds_what_is_missing() {
    let dir = world();
    let root = fs::read(dir.path().join("c/ca/root.crt")).expect("a root");
    let more = "  ap-south:\n    id: 3\n    nodes: [{ name: south-1, kafka: \"127.0.0.1:39092\" }]\n";
    write(dir.path(), "t.yaml", &format!("{TOPOLOGY}{more}"));
    let (code, stdout, stderr) = init(dir.path());
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.contains("wrote c/ca/ap-south.crt\n"), "{stdout}");
    assert!(stdout.contains("kept  c/ca/us-east.crt\n"), "{stdout}");
    assert_eq!(fs::read(dir.path().join("c/ca/root.crt")).expect("a root"), root);
}

#[test]
fn a_certificate_is_replaced_only_when_asked() {
    let dir = world();
    let certificate = || fs::read(dir.path().join("c/nodes/east-1/node.crt")).expect("a certificate");
    assert_eq!(issue(dir.path(), &[]).0, Some(0));
    let first = certificate();
    let (code, stdout, stderr) = issue(dir.path(), &[]);
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(stderr.contains("add --replace"), "{stderr}");
    assert_eq!(certificate(), first);
    assert_eq!(issue(dir.path(), &["--replace", "--days", "7"]).0, Some(0));
    assert_ne!(certificate(), first);
}

#[test]
fn what_is_missing_is_told_with_the_command_that_makes_it() {
    let dir = tempfile::tempdir().expect("a directory");
    write(dir.path(), "t.yaml", TOPOLOGY);
    let (code, _, stderr) = issue(dir.path(), &[]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("isthmus certs init"), "{stderr}");
    let (code, _, stderr) = output_in(dir.path(), &["certs", "show", "--dir", "c"]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("isthmus certs init"), "{stderr}");
    let unknown = ["certs", "issue", "--topology", "t.yaml", "--dir", "c", "--node", "east-2"];
    let (code, _, stderr) = output_in(dir.path(), &unknown);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("east-1"), "{stderr}");
}

#[test]
fn an_invalid_topology_issues_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    write(dir.path(), "t.yaml", &TOPOLOGY.replace("id: 2", "id: 1"));
    let (code, _, stderr) = init(dir.path());
    assert_eq!(code, Some(1));
    assert!(stderr.contains("t.yaml:8:9: error[duplicate-id]"), "{stderr}");
    assert!(!dir.path().join("c").exists());
}

#[test]
fn show_fails_when_a_certificate_needs_attention() {
    let dir = world();
    assert_eq!(issue(dir.path(), &[]).0, Some(0));
    let show = ["certs", "show", "--dir", "c", "--json"];
    let (code, stdout, _) = output_in(dir.path(), &show);
    assert_eq!(code, Some(0), "{stdout}");
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
    let (code, stdout, _) = output_in(dir.path(), &show);
    assert_eq!(code, Some(1));
    let shown: serde_json::Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!(shown["needs_attention"], true);
    assert!(stdout.contains("\"expired\""), "{stdout}");
}
