//! Whatever the text, reading it ends without a panic, and what is reported is bounded and has a place in the text.

use proptest::prelude::*;

const VALID: &str = include_str!("golden/design.yaml");

/// Pieces that YAML readers have tripped over, and pieces of our own format.
const PIECES: &[&str] = &[
    "- ",
    "? ",
    ": ",
    "{",
    "}",
    "[",
    "]",
    ",",
    "\n",
    "\n  ",
    "\n      ",
    "&a ",
    "*a",
    "*",
    "!!binary ",
    "!<x> ",
    "|",
    ">",
    "|9\n",
    ">-\n",
    "'",
    "\"",
    "\\",
    "\\x",
    "\\uD800",
    "\t",
    "#",
    "---\n",
    "...\n",
    "%YAML 9.9\n",
    "%TAG ! x\n",
    "<<",
    "~",
    "null",
    "\u{0}",
    "\u{feff}",
    "\u{85}",
    "\u{2028}",
    "\r",
    "\r\n",
    "version",
    "1",
    "datacenters",
    "links",
    "failover",
    "topics",
    "match",
    "nodes",
    "orders.*",
    "{ name: a, kafka: \"a:1\" }",
    "0x",
    "1e999",
    "\u{1f600}",
];

fn check(text: &str) {
    let report = match topology::load("hostile", text) {
        Ok(loaded) => loaded.report,
        Err(report) => {
            assert!(report.errors() > 0 || report.more > 0, "a refusal has a reason");
            report
        }
    };
    assert!(report.problems.len() <= topology::limits::PROBLEMS_MAX);
    let lines = text.matches(['\n', '\r']).count() + 2;
    for problem in &report.problems {
        assert!((1..=lines).contains(&problem.position.line), "{problem:?}");
        assert!(problem.position.column >= 1 && !problem.fix.is_empty());
        assert!(problem.message.len() < 4_000, "a message does not repeat the file");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        check(&text);
    }

    #[test]
    fn any_heap_of_yaml_pieces_is_read_or_refused(pieces in prop::collection::vec(0..PIECES.len(), 0..60)) {
        let text: String = pieces.iter().map(|at| PIECES[*at]).collect();
        check(&text);
    }

    #[test]
    fn a_damaged_file_is_read_or_refused(at in 0..VALID.len(), cut in 0..40usize, piece in 0..PIECES.len()) {
        let mut chars: Vec<char> = VALID.chars().collect();
        let at = at.min(chars.len());
        let end = (at + cut).min(chars.len());
        chars.splice(at..end, PIECES[piece].chars());
        check(&chars.iter().collect::<String>());
    }
}

#[test]
fn heavy_files_are_bounded() {
    let long = 1 << 20;
    check(&"a".repeat(long + 1));
    check(&"[".repeat(long));
    check(&"- ".repeat(long / 2));
    check(&"? ".repeat(10_000));
    check(&"{a: ".repeat(10_000));
    check(&"\n".repeat(long));
    check(&"\"".repeat(100_000));
    check(&"a: &a [b]\n".repeat(20_000));
    check(&format!("{}: 1\n", "k".repeat(long / 2)));
    check(&(0..10_000).map(|n| format!("k{n}: 1\n")).collect::<String>());
    let bomb: String = (0..9)
        .map(|n| format!("l{}: &l{} [*l{n}, *l{n}, *l{n}, *l{n}, *l{n}, *l{n}]\n", n + 1, n + 1))
        .collect();
    check(&format!("l0: &l0 [x]\n{bomb}"));
}

/// Every pair of datacenters linked both ways, every link with the same rules: more collisions than a report holds.
#[test]
fn a_full_mesh_of_everything_is_refused_in_bounds() {
    let mut text = String::from("version: 1\nname: mesh\ndatacenters:\n");
    for n in 1..=30 {
        text.push_str(&format!(
            "  d{n}: {{ id: {n}, nodes: [{{ name: n{n}, kafka: \"h{n}:1\", link: \"h{n}:2\" }}] }}\n"
        ));
    }
    text.push_str("links:\n");
    for from in 1..=30 {
        for to in (1..=30).filter(|to| *to != from) {
            text.push_str(&format!(
                "  - {{ from: d{from}, to: d{to}, topics: [{{ match: \"a*\" }}, {{ match: \"*b\" }}] }}\n"
            ));
        }
    }
    let report = topology::load("mesh", &text).expect_err("a ring of everything");
    assert_eq!(report.problems.len(), topology::limits::PROBLEMS_MAX);
    assert!(report.more > 0);
    check(&text);
}
