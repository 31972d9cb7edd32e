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
    files: &'static [&'static str],
    except: &'static [&'static str],
    never: &'static [&'static str],
    because: &'static str,
}

/// What does input, output or waiting, or reads a clock.
const OUTSIDE_WORLD: &[&str] = &[
    "axum",
    "parking_lot",
    "rustix",
    "socket2",
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::sync::Condvar",
    "std::sync::Mutex",
    "std::sync::mpsc",
    "std::thread",
    "std::time::Instant::now",
    "std::time::SystemTime",
    "tokio",
];
/// What drives the broker's cores, and what they therefore do not know.
const BROKER_DRIVERS: &[&str] = &[
    "crate::broker",
    "crate::coordinator::group::actor",
    "crate::coordinator::group::groups",
    "crate::coordinator::group::partitions",
    "crate::coordinator::group::registry",
    "crate::metadata::handle",
    "crate::metadata::proposer",
    "crate::metrics",
    "crate::node",
    "crate::router",
    "crate::serve",
];

const BROKER_CORES: &[&str] = &[
    "broker/src/coordinator/group/core/**",
    "broker/src/coordinator/group/records/**",
    "broker/src/metadata/change.rs",
    "broker/src/metadata/image.rs",
    "broker/src/metadata/plan/**",
    "broker/src/metadata/record.rs",
    "broker/src/metadata/topic_config/**",
];

const MIRROR_CORES: &[&str] = &[
    "mirror/src/catalog/**",
    "mirror/src/congestion/**",
    "mirror/src/groups/**",
    "mirror/src/link/**",
    "mirror/src/ownership/**",
    "mirror/src/position.rs",
    "mirror/src/stop.rs",
    "mirror/src/translation/**",
];

const RULES: &[Rule] = &[
    Rule {
        files: &["protocol/src/**"],
        except: &[],
        never: OUTSIDE_WORLD,
        because: "the language does no I/O",
    },
    Rule {
        files: &["topology/src/**"],
        except: &[],
        never: OUTSIDE_WORLD,
        because: "the declared world is text in, model out",
    },
    Rule {
        files: &[
            "core-log/src/epochs.rs",
            "core-log/src/index/by_*.rs",
            "core-log/src/producers/**",
            "core-log/src/recovery/**",
            "core-log/src/retention.rs",
            "core-log/src/validate.rs",
        ],
        except: &[],
        never: OUTSIDE_WORLD,
        because: "what to keep and what to believe are decisions, not deeds",
    },
    Rule {
        files: &["core-log/src/**"],
        except: &["core-log/src/storage/disk.rs"],
        never: &["rustix::fs", "rustix::mm", "rustix::process", "std::fs", "std::net"],
        because: "the disk is behind the Storage seam",
    },
    Rule {
        files: &["core-log/src/**"],
        except: &[],
        never: &["tokio::fs", "tokio::net", "tokio::runtime", "tokio::spawn", "tokio::task", "tokio::time"],
        because: "a log needs no runtime, only its channels",
    },
    Rule {
        files: BROKER_CORES,
        except: &[],
        never: OUTSIDE_WORLD,
        because: "cores are events in, commands out",
    },
    Rule {
        files: BROKER_CORES,
        except: &[],
        never: BROKER_DRIVERS,
        because: "cores do not know their drivers",
    },
    Rule {
        files: MIRROR_CORES,
        except: &["mirror/src/translation/file/**"],
        never: OUTSIDE_WORLD,
        because: "cores are events in, commands out",
    },
    Rule {
        files: MIRROR_CORES,
        except: &[],
        never: &["crate::driver", "crate::mirror", "crate::ports", "quinn"],
        because: "cores do not know their drivers",
    },
    Rule {
        files: &["broker/src/**"],
        except: &[],
        never: &["rustix", "std::fs", "tokio::fs"],
        because: "files are core-log's",
    },
];

impl Rule {
    fn applies_to(&self, path: &str) -> bool {
        let any = |patterns: &[&str]| patterns.iter().any(|pattern| matches(pattern, path));
        any(self.files) && !any(self.except)
    }
}

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    check_rules(tree, RULES)
}

/// A rule that no file falls under protects nothing: the files moved and the table did not.
pub(crate) fn check_table(tree: &Tree) -> Vec<Violation> {
    let patterns = RULES.iter().flat_map(|rule| rule.files.iter().chain(rule.except));
    let unused = patterns.filter(|pattern| !tree.rust().any(|(path, _)| matches(pattern, path)));
    unused
        .map(|pattern| Violation {
            path: "integration/tests/tidy/imports.rs".to_owned(),
            line: 0,
            what: format!("no file falls under {pattern}: it moved, and its rule did not"),
        })
        .collect()
}

fn check_rules(tree: &Tree, rules: &[Rule]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, file) in tree.rust().filter(|(path, _)| !is_test_file(path)) {
        let rules: Vec<&Rule> = rules.iter().filter(|rule| rule.applies_to(path)).collect();
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
    files: &["r/src/*/core*"],
    except: &["r/src/*/core_disk.rs"],
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
        ("r/src/g/core_disk.rs", "use std::fs;"),
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
fn a_broker_core_may_not_know_its_driver() {
    let core = "broker/src/coordinator/group/core/join.rs";
    let tree = Tree::of(&[(core, "use super::super::actor::Actor;\nuse tokio::time::Instant;")]);
    assert_eq!(check(&tree).len(), 2);
}

#[test]
fn a_rule_for_files_that_moved_is_caught() {
    let patterns: usize = RULES.iter().map(|rule| rule.files.len() + rule.except.len()).sum();
    assert_eq!(check_table(&Tree::of(&[("elsewhere/src/lib.rs", "")])).len(), patterns);
}
