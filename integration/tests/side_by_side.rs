//! The bench's own promise, with Isthmus alone and little data: what it measures is right. How fast it is, is not looked at.

use clap::Parser;
use integration::side_by_side::{self, Options, place::Places};

#[test]
fn a_short_backlog_arrives_whole_and_once() {
    let arguments = ["side-by-side", "backlog", "--only", "isthmus", "--pairs", "1", "--size-mb", "16"];
    let report = side_by_side::run(&Options::parse_from(arguments), &Places::here());
    assert!(report.is_whole(), "{}", report.markdown());
    assert_eq!(
        report.values("throughput").len(),
        2,
        "with 16 partitions and with one:\n{}",
        report.markdown()
    );
    for figure in ["lost", "duplicated"] {
        assert_eq!(report.values(figure), [0.0, 0.0], "{figure}");
    }
}

#[test]
fn brokers_that_are_killed_lose_nothing_and_double_nothing() {
    let arguments = ["side-by-side", "faults", "--only", "isthmus", "--pairs", "1", "--seconds", "1"];
    let only = ["--case", "broker killed"];
    let options = Options::parse_from(arguments.iter().chain(&only));
    let report = side_by_side::run(&options, &Places::here());
    assert!(report.is_whole(), "{}", report.markdown());
    assert_eq!(
        report.values("recovered after").len(),
        2,
        "the source's and the target's:\n{}",
        report.markdown()
    );
    for figure in ["lost", "duplicated"] {
        assert_eq!(report.values(figure), [0.0, 0.0], "{figure}:\n{}", report.markdown());
    }
}
