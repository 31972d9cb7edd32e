//! Commands that run the peer's programs.

use std::{fs, path::Path, process::Command};

use super::jars;
use crate::side_by_side::place::Place;

/// A Java program with the flags of a file.
pub(in crate::side_by_side) fn command(place: &dyn Place, flags: &str, class: &str) -> Command {
    let mut command = place.command(Path::new("java"));
    command.args(lines(flags));
    command.arg(format!("-Dlog4j2.configurationFile={}", jars::setting("log4j2.properties").display()));
    command.arg("-cp").arg(format!("{}/*", jars::folder().display())).arg(class);
    command
}

/// Writes a settings file: one of the repository, and what this run adds.
pub(super) fn settings(from: &str, more: &[(&str, String)], to: &Path) {
    let given = fs::read_to_string(jars::setting(from)).expect("the settings are in the repository");
    let more: String = more.iter().map(|(key, value)| format!("{key}={value}\n")).collect();
    fs::write(to, format!("{given}\n{more}")).expect("settings can be written");
}

fn lines(name: &str) -> Vec<String> {
    let text = fs::read_to_string(jars::setting(name)).expect("the flags are in the repository");
    text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(str::to_owned).collect()
}
