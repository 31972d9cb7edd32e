//! The repository's own style test: what `DESIGN` and the contributing guide demand, as checks that fail the build.
//!
//! Each check is a function from the files (or the dependency graph) to a list of violations, so that it runs the
//! same on the real tree and on the planted violations that show it can fail. The demands are data: the arrow table
//! in `tidy/arrows.rs`, the imports that pure cores are denied in `tidy/imports.rs`, the limits in `tidy/lengths.rs`.

#[path = "tidy/arrows.rs"]
mod arrows;
#[path = "tidy/imports.rs"]
mod imports;
#[path = "tidy/lengths.rs"]
mod lengths;
#[path = "tidy/links.rs"]
mod links;
#[path = "tidy/paths.rs"]
mod paths;
#[path = "tidy/sleeps.rs"]
mod sleeps;
#[path = "tidy/tree.rs"]
mod tree;
#[path = "tidy/words.rs"]
mod words;

use std::path::Path;

use tree::{Tree, Violation};

/// Every check of files. The dependency graph is checked beside them.
const CHECKS: &[fn(&Tree) -> Vec<Violation>] =
    &[imports::check, lengths::check, links::check, sleeps::check, words::check];

#[test]
fn the_tree_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate lies in the workspace");
    let tree = Tree::read(root);
    let mut violations = tree.unreadable();
    violations.extend(CHECKS.iter().flat_map(|check| check(&tree)));
    violations.extend(imports::check_table(&tree));
    violations.extend(arrows::check(&arrows::Graph::of_workspace(root)));
    let list: Vec<String> = violations.iter().map(Violation::to_string).collect();
    assert!(list.is_empty(), "{} violations:\n{}", list.len(), list.join("\n"));
}
