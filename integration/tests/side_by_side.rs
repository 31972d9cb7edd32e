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
