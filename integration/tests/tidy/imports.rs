//! Which files are pure, and what they may therefore not name.
//!
//! Cores take time, randomness and input as arguments and give wishes back; a path that reaches for a socket, a file,
//! a thread or a runtime has no place in them. Their tests may.

use crate::{
    paths::{module_of, named},
    tree::{Tree, Violation, is_test_file, matches},
};

/// Files that are denied some paths, by prefix.
struct Rule {
    files: &'static str,
    never: &'static [&'static str],
    because: &'static str,
}

/// What does input, output or waiting, or reads a clock.
const OUTSIDE_WORLD: &[&str] = &[
    "tokio",
    "axum",
    "rustix",
    "socket2",
    "parking_lot",
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::sync::mpsc",
    "std::thread",
    "std::time::Instant::now",
    "std::time::SystemTime",
];

const RULES: &[Rule] = &[
    Rule { files: "protocol/src/**", never: OUTSIDE_WORLD, because: "the language does no I/O" },
    Rule {
        files: "topology/src/**",
        never: OUTSIDE_WORLD,
        because: "the declared world is text in, model out",
    },
];

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    check_rules(tree, RULES)
}

/// A rule that no file falls under protects nothing: the files moved and the table did not.
pub(crate) fn check_table(tree: &Tree) -> Vec<Violation> {
    let unused = RULES.iter().filter(|rule| !tree.rust().any(|(path, _)| matches(rule.files, path)));
    unused
        .map(|rule| Violation {
            path: "integration/tests/tidy/imports.rs".to_owned(),
            line: 0,
            what: format!("no file falls under the rule for {}", rule.files),
        })
        .collect()
}

fn check_rules(tree: &Tree, rules: &[Rule]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, file) in tree.rust().filter(|(path, _)| !is_test_file(path)) {
        let rules: Vec<&Rule> = rules.iter().filter(|rule| matches(rule.files, path)).collect();
        if rules.is_empty() {
            continue;
        }
        for named in named(&file.syntax, &module_of(path)).iter().filter(|named| !named.in_test) {
            for rule in &rules {
                if rule.never.iter().any(|never| is_at_or_below(&named.path, never)) {
                    let what = format!("names {}, but {}", named.path, rule.because);
                    violations.push(Violation { path: path.to_owned(), line: named.line, what });
                }
            }
        }
    }
    violations
}

fn is_at_or_below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[cfg(test)]
const PLANTED: &[Rule] = &[Rule {
    files: "r/src/*/core*",
    never: &["std::fs", "tokio", "crate::g::driver"],
    because: "cores are pure",
}];

#[test]
fn a_core_that_names_a_driver_is_caught() {
    let tree = Tree::of(&[(
        "r/src/g/core.rs",
        "use std::{fmt, fs::File};\nuse super::driver::Handle;\nfn f() { tokio::spawn(async {}); }\n",
    )]);
    let found: Vec<String> = check_rules(&tree, PLANTED).iter().map(Violation::to_string).collect();
    assert_eq!(
        found,
        [
            "r/src/g/core.rs:1: names std::fs::File, but cores are pure",
            "r/src/g/core.rs:2: names crate::g::driver::Handle, but cores are pure",
            "r/src/g/core.rs:3: names tokio::spawn, but cores are pure",
        ]
    );
}

#[test]
fn drivers_and_tests_of_cores_may() {
    let tree = Tree::of(&[
        ("r/src/g/driver.rs", "use tokio::net::TcpStream;"),
        ("r/src/g/core_join.rs", "use std::fmt; #[cfg(test)] mod tests { use std::fs; }"),
    ]);
    assert_eq!(check_rules(&tree, PLANTED), []);
}

#[test]
fn the_language_may_not_open_a_file() {
    let tree = Tree::of(&[("protocol/src/frame.rs", "fn f() { let _ = std::fs::read(\"x\"); }")]);
    assert_eq!(check(&tree).len(), 1);
}

#[test]
fn a_rule_for_files_that_moved_is_caught() {
    assert_eq!(check_table(&Tree::of(&[("elsewhere/src/lib.rs", "")])).len(), RULES.len());
}
