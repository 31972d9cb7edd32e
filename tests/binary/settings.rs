//! Settings as an operator meets them: the real binary, its messages and its exit codes.

use std::{fs, process::Command};

use crate::command::{isthmus, output};

fn refused(command: &mut Command) -> String {
    let (code, stdout, stderr) = output(command);
    assert_eq!(code, Some(2), "{stderr}");
    assert_eq!(stdout, "");
    stderr
}

#[test]
fn an_unknown_setting_in_the_file_is_refused_with_line_and_nearest_name() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("isthmus.toml");
    fs::write(&file, "[broker]\n# clients connect here\nlissten = \"127.0.0.1:1\"\n").expect("written");
    for command in [["run"].as_slice(), &["config", "show"], &[]] {
        let stderr = refused(isthmus(command).arg("--config").arg(&file));
        let place = format!("broker.lissten (from {}:3): there is no such setting", file.display());
        assert!(stderr.contains(&place), "{stderr}");
        assert!(stderr.contains("fix: did you mean broker.listen?"), "{stderr}");
    }
}

#[test]
fn an_unknown_variable_is_refused_with_the_nearest_variable() {
    let stderr = refused(isthmus(&["run"]).env("ISTHMUS_BROKER__TOPICS__PARTITION", "3"));
    assert!(stderr.contains("ISTHMUS_BROKER__TOPICS__PARTITION: there is no such setting"), "{stderr}");
    assert!(stderr.contains("fix: did you mean ISTHMUS_BROKER__TOPICS__PARTITIONS?"), "{stderr}");
}

#[test]
fn an_unknown_flag_is_refused_with_the_nearest_flag() {
    let stderr = refused(&mut isthmus(&["run", "--listn", "127.0.0.1:1"]));
    assert!(stderr.contains("--listn"), "{stderr}");
    assert!(stderr.contains("--listen"), "{stderr}");
}

#[test]
fn a_bad_value_is_refused_wherever_it_stands() {
    let stderr = refused(&mut isthmus(&["run", "--admin", "9644"]));
    assert!(stderr.contains("admin (from --admin): \"9644\" is not HOST:PORT"), "{stderr}");
    let stderr = refused(isthmus(&[]).env("ISTHMUS_BROKER__BROKER_ID", "first"));
    assert!(stderr.contains("ISTHMUS_BROKER__BROKER_ID: \"first\" is not a whole number"), "{stderr}");
}

#[test]
fn an_address_that_clients_cannot_connect_to_is_refused() {
    let stderr = refused(&mut isthmus(&["run", "--listen", "0.0.0.0:9092"]));
    assert!(stderr.contains("set broker.advertise"), "{stderr}");
}

#[test]
fn a_settings_file_that_is_not_there_is_refused() {
    let stderr = refused(&mut isthmus(&["run", "--config", "/nowhere/isthmus.toml"]));
    assert!(stderr.contains("--config: cannot read /nowhere/isthmus.toml"), "{stderr}");
    let stderr = refused(isthmus(&["run"]).env("ISTHMUS_CONFIG", "/nowhere/isthmus.toml"));
    assert!(stderr.contains("ISTHMUS_CONFIG: cannot read /nowhere/isthmus.toml"), "{stderr}");
}

#[test]
fn config_show_says_where_each_setting_came_from() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("isthmus.toml");
    fs::write(&file, "[broker.topics]\npartitions = 6\n").expect("written");
    let mut command = isthmus(&["config", "show", "--json", "--listen", "127.0.0.1:7"]);
    let (code, stdout, stderr) = output(
        command.env("ISTHMUS_CONFIG", &file).env("ISTHMUS_BROKER__RACK", "r1").env("ISTHMUS_DATA", "d"),
    );
    assert_eq!(code, Some(0), "{stderr}");
    let shown: serde_json::Value = serde_json::from_str(&stdout).expect("JSON");
    let expect = |name: &str, value: serde_json::Value, origin: &str| {
        assert_eq!(shown[name]["value"], value, "{name}");
        assert_eq!(shown[name]["origin"], origin, "{name}");
    };
    expect("admin", "127.0.0.1:9644".into(), "default");
    expect("broker.listen", "127.0.0.1:7".into(), "--listen");
    expect("broker.rack", "r1".into(), "ISTHMUS_BROKER__RACK");
    expect("broker.topics.partitions", 6.into(), &format!("{}:2", file.display()));
    expect("data", "d".into(), "ISTHMUS_DATA");
}

#[test]
fn config_show_prints_a_file_that_can_be_used() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("isthmus.toml");
    let (code, shown, _) = output(&mut isthmus(&["config", "show", "--data", "d", "--log-format", "json"]));
    assert_eq!(code, Some(0));
    assert!(
        shown.lines().any(|line| line.starts_with("data = \"d\" ") && line.ends_with("# --data")),
        "{shown}"
    );
    fs::write(&file, &shown).expect("written");
    let (code, again, stderr) = output(isthmus(&["config", "show"]).arg("--config").arg(&file));
    assert_eq!(code, Some(0), "{stderr}");
    let settings = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.split("  #").next().unwrap_or_default().trim().to_owned()).collect()
    };
    assert_eq!(settings(&again), settings(&shown));
}

#[test]
fn the_version_is_printed() {
    let (code, stdout, _) = output(&mut isthmus(&["--version"]));
    assert_eq!(code, Some(0));
    assert_eq!(stdout, format!("isthmus {}\n", env!("CARGO_PKG_VERSION")));
}
