//! Isthmus beside Apache Kafka with MirrorMaker 2, in one run on one machine.
//!
//! ```text
//! side-by-side backlog --pairs 5 --json backlog.json
//! side-by-side latency --only isthmus --case "1 KiB,16 partitions"
//! ```
//!
//! Prints a Markdown table; progress goes to standard error. Needs a release build, and for the peer Java 17 and Maven.
//! How it measures is in `docs/benchmarks.md`.

use std::{fs, process::ExitCode};

use clap::Parser;
use integration::side_by_side::{self, Options, place::Places};

fn main() -> ExitCode {
    let options = Options::parse();
    if let Err(reason) = options.check() {
        eprintln!("{reason}");
        return ExitCode::FAILURE;
    }
    if cfg!(debug_assertions) {
        eprintln!("this build is not optimised, and so its figures would mean nothing: use --release");
        return ExitCode::FAILURE;
    }
    let report = side_by_side::run(&options, &Places::here());
    print!("{}", report.markdown());
    if let Some(path) = &options.json {
        let json = serde_json::to_string_pretty(&report.json()).expect("figures are valid JSON");
        if let Err(error) = fs::write(path, json) {
            eprintln!("{} cannot be written: {error}", path.display());
            return ExitCode::FAILURE;
        }
    }
    if report.is_whole() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
