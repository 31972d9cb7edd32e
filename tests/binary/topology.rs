//! `isthmus topology` as an operator calls it.

use tempfile::TempDir;

use crate::command::{output_in, write};

const TWO: &str = r#"version: 1
name: shop
datacenters:
  us-east:
    id: 1
    nodes: [{ name: east-1, kafka: "127.0.0.1:19092", link: "127.0.0.1:17443" }]
  eu-west:
    id: 2
    nodes: [{ name: west-1, kafka: "127.0.0.1:29092", link: "127.0.0.1:27443" }]
links:
  - { from: us-east, to: eu-west, topics: [{ match: "orders.*" }], groups: { match: "*" } }
failover:
  - { name: orders, topics: ["orders.*"], home: us-east, standby: [eu-west] }
"#;

fn with(name: &str, text: &str) -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    write(dir.path(), name, text);
    dir
}

#[test]
fn a_valid_file_passes_with_its_warnings_on_standard_error() {
    let dir = with("t.yaml", TWO);
    let (code, stdout, stderr) = output_in(dir.path(), &["topology", "check", "t.yaml"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(stdout, "t.yaml: valid, 1 warning\n");
    assert!(stderr.starts_with("t.yaml:13:68: warning[unit-no-way-back]: "), "{stderr}");
    assert!(stderr.contains("\n    fix: "), "{stderr}");
}

#[test]
fn every_problem_is_told_with_place_and_fix() {
    let dir = with("t.yaml", &TWO.replace("to: eu-west", "to: eu-wst").replace("id: 2", "id: 1"));
    let (code, stdout, stderr) = output_in(dir.path(), &["topology", "check", "t.yaml"]);
    assert_eq!(code, Some(1));
    assert_eq!(stdout, "");
    for rule in ["error[duplicate-id]: ", "error[unknown-datacenter]: "] {
        assert!(stderr.contains(rule), "{stderr}");
    }
    let (code, stdout, _) = output_in(dir.path(), &["topology", "check", "t.yaml", "--json"]);
    assert_eq!(code, Some(1));
    let report: serde_json::Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!(report["file"], "t.yaml");
    assert_eq!(report["problems"][0]["rule"], "duplicate-id");
}

#[test]
fn a_file_that_is_not_there_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    for command in [["check", "t.yaml"].as_slice(), &["show", "t.yaml"], &["plan", "t.yaml", "--from", "o"]] {
        let (code, stdout, stderr) = output_in(dir.path(), &[&["topology"], command].concat());
        assert_eq!((code, stdout.as_str()), (Some(2), ""));
        assert!(stderr.starts_with("isthmus: cannot read "), "{stderr}");
    }
}

#[test]
fn the_world_and_a_nodes_part_in_it_are_shown() {
    let dir = with("t.yaml", TWO);
    let (code, world, _) = output_in(dir.path(), &["topology", "show", "t.yaml"]);
    assert_eq!(code, Some(0));
    assert!(world.contains("link us-east:eu-west"), "{world}");
    let (code, part, _) = output_in(dir.path(), &["topology", "show", "t.yaml", "--node", "west-1"]);
    assert_eq!(code, Some(0));
    assert!(part.contains("broker id 2001"), "{part}");
    let (code, json, _) =
        output_in(dir.path(), &["topology", "show", "t.yaml", "--node", "west-1", "--json"]);
    assert_eq!(code, Some(0));
    let part: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(part["dial"][0]["name"], "us-east:eu-west");
}

#[test]
fn an_unknown_node_is_refused_with_the_nearest_one() {
    let dir = with("t.yaml", TWO);
    let (code, stdout, stderr) = output_in(dir.path(), &["topology", "show", "t.yaml", "--node", "west-2"]);
    assert_eq!((code, stdout.as_str()), (Some(2), ""));
    assert!(stderr.contains("no node `west-2`") && stderr.contains("west-1"), "{stderr}");
}

#[test]
fn a_plan_tells_what_would_change() {
    let dir = with("old.yaml", TWO);
    write(dir.path(), "new.yaml", &TWO.replace("orders.*\" }]", "orders.*\" }, { match: clicks }]"));
    let plan = ["topology", "plan", "new.yaml", "--from", "old.yaml"];
    let (code, stdout, stderr) = output_in(dir.path(), &plan);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.contains("link us-east:eu-west") && stdout.contains("clicks"), "{stdout}");
    let (code, stdout, _) = output_in(dir.path(), &["topology", "plan", "old.yaml", "--from", "old.yaml"]);
    assert_eq!((code, stdout.as_str()), (Some(0), "no changes\n"));
}
