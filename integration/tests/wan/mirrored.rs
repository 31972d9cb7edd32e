//! The bench's scenario `wan` with Isthmus alone and little data: all arrives, once. How fast, is not looked at.

use clap::Parser;
use integration::side_by_side::{self, Options, place::Places};

use super::machine;

#[test]
fn a_short_backlog_crosses_a_long_and_lossy_line_whole_and_once() {
    let Some(_turn) = machine::turn() else { return };
    let case = "200 Mbit,RTT 150 ms,loss 0.1 %,16 partitions,plain events";
    let arguments =
        ["side-by-side", "wan", "--only", "isthmus", "--pairs", "1", "--size-mb", "24", "--case", case];
    let report = side_by_side::run(&Options::parse_from(arguments), &Places::here());
    assert!(report.is_whole(), "{}", report.markdown());
    for figure in ["not arrived in time", "lost", "duplicated"] {
        assert_eq!(report.values(figure), [0.0], "{figure}:\n{}", report.markdown());
    }
}
