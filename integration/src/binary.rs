//! The daemon's binary: built by the same cargo, profile and target directory as the test that runs.
//!
//! Cargo gives a test the binaries of its own package only, so this crate asks for the daemon's with a build of its
//! own: cargo holds no lock while tests run, and an up-to-date binary costs a fraction of a second, once a process.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use serde::Deserialize;

/// Names another binary to test, which takes the daemon's arguments.
const OTHER_BINARY: &str = "ISTHMUS_TEST_BINARY";

#[derive(Deserialize)]
struct CargoMessage {
    executable: Option<PathBuf>,
    target: Option<CargoTarget>,
}

#[derive(Deserialize)]
struct CargoTarget {
    name: String,
}

pub(crate) fn path() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| env::var_os(OTHER_BINARY).map_or_else(build, PathBuf::from))
}

fn build() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate lies in the workspace");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root).args(["build", "--package", "isthmus", "--bin", "isthmus"]);
    cargo.args(["--message-format", "json-render-diagnostics"]);
    cargo.args(["--profile", &profile()]);
    if let Some(directory) = target_directory() {
        cargo.arg("--target-dir").arg(directory);
    }
    let output = cargo.output().expect("cargo starts");
    assert!(
        output.status.success(),
        "the daemon does not build:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let messages = String::from_utf8_lossy(&output.stdout);
    let built = messages.lines().filter_map(|line| serde_json::from_str::<CargoMessage>(line).ok());
    let daemons =
        built.filter(|message| message.target.as_ref().is_some_and(|target| target.name == "isthmus"));
    daemons.filter_map(|message| message.executable).next_back().expect("cargo names the binary it built")
}

/// The profile of the running test, from where it lies: `<target>/<profile>/deps/<test>`.
fn profile() -> String {
    let folder = profile_directory().and_then(|folder| Some(folder.file_name()?.to_str()?.to_owned()));
    match folder.as_deref() {
        None | Some("debug") => "dev".to_owned(),
        Some(profile) => profile.to_owned(),
    }
}

/// The target directory of the running test, unless it was built for a named target and lies deeper.
fn target_directory() -> Option<PathBuf> {
    let directory = profile_directory()?.parent()?.to_owned();
    directory.join("CACHEDIR.TAG").is_file().then_some(directory)
}

fn profile_directory() -> Option<PathBuf> {
    let test = env::current_exe().ok()?;
    let folder = test.parent()?;
    let folder = if folder.ends_with("deps") { folder.parent()? } else { folder };
    Some(folder.to_owned())
}
