//! The real binary as an operator calls it, and files for it to work on.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// The binary without any setting of the caller's environment.
pub(crate) fn isthmus(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_isthmus"));
    command.args(arguments);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("ISTHMUS_") {
            command.env_remove(name);
        }
    }
    command
}

/// Exit code, standard output and standard error.
pub(crate) fn output(command: &mut Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().expect("the binary runs");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    (status.code(), text(stdout), text(stderr))
}

/// The same in a directory.
pub(crate) fn output_in(directory: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    output(isthmus(arguments).current_dir(directory))
}

pub(crate) fn write(directory: &Path, name: &str, text: &str) -> PathBuf {
    let path = directory.join(name);
    fs::write(&path, text).expect("written");
    path
}
