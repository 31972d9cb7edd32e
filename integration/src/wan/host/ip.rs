//! The `ip` tool of iproute2.

use std::{
    io::{self, Write},
    process::{Command, Stdio},
};

use super::super::error::HostError;

/// Runs `ip` with these words; what it prints.
pub(super) fn run(words: &[&str]) -> Result<String, HostError> {
    run_with(words, "")
}

/// Runs these lines of `ip` commands in a namespace, all in one process.
pub(super) fn batch(namespace: &str, lines: &[String]) -> Result<(), HostError> {
    run_with(&["-n", namespace, "-batch", "-"], &lines.join("\n")).map(drop)
}

fn run_with(words: &[&str], input: &str) -> Result<String, HostError> {
    let what = || format!("ip {}", words.join(" "));
    let failed = |source: io::Error| HostError::new(what(), source);
    let mut command = Command::new("ip");
    command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => failed(io::Error::other("there is no such command: install iproute2")),
        _ => failed(error),
    })?;
    if let Some(mut stdin) = child.stdin.take() {
        // It may have ended without reading; its status says why.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(failed)?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(failed(io::Error::other(complaint)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
