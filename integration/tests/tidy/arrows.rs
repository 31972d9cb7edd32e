//! The arrow table: which room may depend on which. A new arrow is an architecture change.

use std::path::Path;

use cargo_metadata::{DependencyKind, MetadataCommand};

use crate::tree::Violation;

/// A room and the rooms it may import. Each room's arrows lead only to rooms listed above it, so there is no cycle.
const ARROWS: &[(&str, &[&str])] = &[
    ("protocol", &[]),
    ("topology", &[]),
    ("certs", &[]),
    ("core-log", &["protocol"]),
    ("broker", &["core-log", "protocol"]),
    ("mirror", &["core-log", "protocol"]),
    ("isthmus", &["broker", "certs", "core-log", "mirror", "protocol", "topology"]),
];
/// Looks at all rooms from outside; none of them looks back.
const OUTSIDE: &str = "integration";

/// The packages of a workspace and the workspace members each depends on, for building, testing or running.
pub(crate) struct Graph {
    pub(crate) packages: Vec<Package>,
}

pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) arrows: Vec<Arrow>,
}

pub(crate) struct Arrow {
    pub(crate) to: String,
    pub(crate) kind: DependencyKind,
}

impl Graph {
    pub(crate) fn of_workspace(root: &Path) -> Self {
        let metadata = MetadataCommand::new()
            .manifest_path(root.join("Cargo.toml"))
            .no_deps()
            .other_options(["--offline".to_owned()])
            .exec()
            .expect("cargo metadata reads this workspace");
        let names: Vec<&str> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
        let package = |package: &cargo_metadata::Package| Package {
            name: package.name.to_string(),
            arrows: package
                .dependencies
                .iter()
                .filter(|dependency| names.contains(&dependency.name.as_str()))
                .map(|dependency| Arrow { to: dependency.name.clone(), kind: dependency.kind })
                .collect(),
        };
        Self { packages: metadata.packages.iter().map(package).collect() }
    }
}

/// Compares the graph with the table.
pub(crate) fn check(graph: &Graph) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut report = |package: &str, what: String| {
        violations.push(Violation { path: format!("package {package}"), line: 0, what });
    };
    for package in &graph.packages {
        if package.name == OUTSIDE {
            continue;
        }
        let Some((_, allowed)) = ARROWS.iter().find(|(room, _)| *room == package.name) else {
            report(&package.name, "is not in the arrow table".to_owned());
            continue;
        };
        for arrow in package.arrows.iter().filter(|arrow| !allowed.contains(&arrow.to.as_str())) {
            report(
                &package.name,
                format!("has an arrow to {} ({}) that is not in the table", arrow.to, arrow.kind),
            );
        }
    }
    for (room, _) in ARROWS {
        if !graph.packages.iter().any(|package| package.name == *room) {
            report(room, "is in the arrow table but not in the workspace".to_owned());
        }
    }
    violations
}

/// A graph with every room and no arrows but the given ones.
#[cfg(test)]
fn planted(arrows: &[(&str, &str, DependencyKind)]) -> Graph {
    let rooms = ARROWS.iter().map(|(room, _)| *room).chain([OUTSIDE]);
    let from = |room: &str| {
        let from_room = arrows.iter().filter(|(from, _, _)| *from == room);
        from_room.map(|(_, to, kind)| Arrow { to: (*to).to_owned(), kind: *kind }).collect()
    };
    Graph { packages: rooms.map(|room| Package { name: room.to_owned(), arrows: from(room) }).collect() }
}

#[test]
fn a_room_on_the_same_floor_is_caught() {
    let found = check(&planted(&[("broker", "mirror", DependencyKind::Normal)]));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].to_string().contains("package broker:0: has an arrow to mirror"), "{found:?}");
}

#[test]
fn an_upward_arrow_for_tests_is_caught() {
    let found = check(&planted(&[("protocol", "core-log", DependencyKind::Development)]));
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn a_room_that_looks_at_the_outside_is_caught() {
    assert_eq!(check(&planted(&[("broker", "integration", DependencyKind::Development)])).len(), 1);
}

#[test]
fn an_unlisted_and_a_lost_room_are_caught() {
    let mut graph = planted(&[]);
    graph.packages[0].name = "cellar".to_owned();
    let found: Vec<String> = check(&graph).iter().map(Violation::to_string).collect();
    assert!(found[0].contains("package cellar:0: is not in the arrow table"), "{found:?}");
    assert!(found[1].contains("package protocol:0: is in the arrow table but not"), "{found:?}");
}

#[test]
fn listed_arrows_pass_and_the_table_has_no_cycle() {
    assert!(
        check(&planted(&[
            ("broker", "core-log", DependencyKind::Normal),
            ("integration", "broker", DependencyKind::Development),
        ]))
        .is_empty()
    );
    for (at, (room, allowed)) in ARROWS.iter().enumerate() {
        for to in *allowed {
            let above = ARROWS[..at].iter().any(|(earlier, _)| earlier == to);
            assert!(above, "{room} -> {to} leads to a room that is not listed above it");
        }
    }
}
