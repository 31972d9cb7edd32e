//! `docs/configuration.md` says of every setting what the code says of it.

use super::{rules, schema::Schema};

const PAGE: &str = include_str!("../../docs/configuration.md");

/// Name, default and values of each row of the page's tables.
fn rows() -> Vec<(String, String, String)> {
    let cell = |text: &str| text.trim().trim_matches('`').to_owned();
    let row = |line: &str| {
        let mut cells = line.strip_prefix("| `")?.split('|').map(cell);
        Some((cells.next()?, cells.next()?, cells.next()?))
    };
    let mut rows: Vec<_> = PAGE.lines().filter_map(row).collect();
    rows.sort();
    rows
}

#[test]
fn the_page_lists_every_setting_with_its_default_and_values() {
    let expected: Vec<_> = Schema::of_settings()
        .defaults()
        .into_iter()
        .map(|given| (given.name.clone(), given.value.to_string(), rules::of(&given.name).words()))
        .collect();
    assert_eq!(rows(), expected);
}

#[test]
fn every_setting_of_the_page_has_an_effect() {
    for line in PAGE.lines().filter(|line| line.starts_with("| `")) {
        let effect = line.split('|').nth(4).unwrap_or_default().trim();
        assert!(effect.len() > 20 && effect.ends_with(['.', ')']), "{line}");
    }
}

#[test]
fn the_example_file_loads() {
    let example =
        PAGE.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    let (given, refusals) = super::file::read(std::path::Path::new("example.toml"), example);
    assert_eq!(refusals, []);
    assert!(given.len() > 5);
    for given in given {
        assert_eq!(Schema::of_settings().check(&given).and_then(|()| rules::check(&given)), Ok(()));
    }
}
