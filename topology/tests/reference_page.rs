//! `docs/topology.md` says what the code does: its tables are the schema's, its examples are valid, its bounds are the code's.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use topology::schema;

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/topology.md");
    fs::read_to_string(path).expect("docs/topology.md")
}

#[test]
fn the_tables_are_the_schema() {
    let reference = schema::reference_markdown();
    let (begin, end) = ("<!-- keys: begin -->\n", "<!-- keys: end -->");
    let page = page();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let (before, rest) = page.split_once(begin).expect("begin mark");
        let (_, after) = rest.split_once(end).expect("end mark");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/topology.md");
        fs::write(path, format!("{before}{begin}\n{reference}{end}{after}")).expect("page written");
        return;
    }
    let found = page.split_once(begin).and_then(|(_, rest)| rest.split_once(end)).map(|(found, _)| found);
    assert_eq!(
        found.expect("the marks are there").trim(),
        reference.trim(),
        "run the tests with UPDATE_GOLDEN=1"
    );
}

#[test]
fn every_example_is_valid() {
    let page = page();
    let examples: Vec<&str> = page
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("```"))
        .map(|(text, _)| text)
        .collect();
    assert!(examples.len() >= 2);
    for example in examples {
        if let Err(report) = topology::load("example", example) {
            panic!("{example}\n{report}");
        }
    }
}

/// A key that the model does not print, or a print that the schema does not know, is drift.
#[test]
fn the_schema_has_the_keys_of_the_model() {
    let text = include_str!("golden/design.yaml");
    let topology = topology::load("design", text).expect("valid").topology;
    let printed = topology::topology_yaml(&topology);
    let names: BTreeSet<&str> =
        topology.datacenters.iter().map(|datacenter| datacenter.name.as_str()).collect();
    let mut found = BTreeSet::new();
    for part in printed.split(['\n', '{', ',']) {
        if let Some((key, _)) = part.trim().trim_start_matches("- ").split_once(':') {
            found.insert(key.trim_matches('"').to_owned());
        }
    }
    let keys: BTreeSet<String> =
        schema::TABLES.iter().flat_map(|table| table.keys).map(|key| key.name.to_owned()).collect();
    let found: BTreeSet<String> = found
        .into_iter()
        .filter(|key| !names.contains(key.as_str()) && !key.starts_with(|c: char| c.is_ascii_digit()))
        .collect();
    assert_eq!(found, keys);
}

#[test]
fn the_bounds_are_the_codes() {
    let page = page();
    let limits = [
        topology::limits::FILE_BYTES_MAX,
        topology::limits::VALUES_MAX,
        topology::limits::DEPTH_MAX,
        topology::limits::PROBLEMS_MAX,
    ];
    for limit in limits {
        assert!(page.contains(&format!("{limit} ")), "the page names {limit}");
    }
}
