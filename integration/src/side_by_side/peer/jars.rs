//! The peer's jars, fetched by Maven once.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

const FOLDER: &str = "integration/peers";

/// The folder with all jars.
pub(super) fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(fetch)
}

/// A file beside the `pom.xml`.
pub(super) fn setting(name: &str) -> PathBuf {
    root().join(FOLDER).join(name)
}

fn fetch() -> PathBuf {
    let pom = setting("pom.xml");
    let wanted = fs::read_to_string(&pom).expect("the list of jars is in the repository");
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let (jars, complete) = (target.join("peers/jars"), target.join("peers/jars.complete"));
    if fs::read_to_string(&complete).is_ok_and(|fetched| fetched == wanted) {
        return jars;
    }
    eprintln!("fetching Apache Kafka with Maven into {}", jars.display());
    let _ = fs::remove_dir_all(&jars);
    let mut maven = Command::new("mvn");
    maven.args(["--batch-mode", "--quiet", "--file"]).arg(&pom);
    maven.args(["dependency:copy-dependencies", "-DincludeScope=runtime"]);
    maven.arg(format!("-DoutputDirectory={}", jars.display()));
    let output = maven.output().expect("Maven is there (`mvn`): the peer is fetched with it");
    assert!(output.status.success(), "Maven failed:\n{}", String::from_utf8_lossy(&output.stdout));
    fs::write(&complete, wanted).expect("the target directory can be written");
    jars
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate lies in the workspace")
}
