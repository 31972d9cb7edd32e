//! The tree to a model, as far as it goes. What is missing or misspelt is reported and left out; what was left out is remembered,
//! so that the rules do not complain about its absence a second time.

mod fields;
mod link;
mod site;
mod tree;
mod unit;

use std::collections::BTreeSet;

use self::fields::{Fields, INVALID_VALUE, entries, is_word, value};
use self::tree::{Kind, Tree};
use crate::located::{Located, Position};
use crate::model::Topology;
use crate::name::{Name, shown};
use crate::problem::Problems;
use crate::schema;
use crate::value::{Refusal, Value};

/// What could be read of a file.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) topology: Topology,
    /// Every datacenter that the file names, those too whose declaration is broken.
    pub(crate) named: BTreeSet<String>,
    /// Nothing was left out: rules may conclude from what is not there.
    pub(crate) complete: bool,
}

pub(crate) fn parse(text: &str, problems: &mut Problems) -> Option<Draft> {
    let tree = tree::read(text, problems)?;
    let fields = Fields::new(&tree, &schema::FILE, problems)?;
    if let Some(version) = fields.value::<Number>("version", problems) {
        check_version(&version, problems);
    }
    let name = fields.value::<Name>("name", problems);
    let mut named = BTreeSet::new();
    let mut datacenters = Vec::new();
    if let Some(tree) = fields.get("datacenters") {
        for (name, tree) in datacenter_entries(tree, &mut named, problems) {
            datacenters.extend(site::parse(name, tree, problems));
        }
    }
    let links = collect(fields.list("links", problems), problems, link::parse);
    let failover = collect(fields.list("failover", problems), problems, unit::parse);
    let complete = !problems.has_errors();
    let name = name.or_else(|| {
        // The rules never look at the topology's own name; a file without one is refused anyway.
        Name::parse("unnamed").ok().map(|name| Located::new(name, fields.position))
    })?;
    Some(Draft { topology: Topology { name, datacenters, links, failover }, named, complete })
}

fn collect<T>(
    trees: &[Tree],
    problems: &mut Problems,
    parse: fn(&Tree, &mut Problems) -> Option<T>,
) -> Vec<T> {
    trees.iter().filter_map(|tree| parse(tree, problems)).collect()
}

fn check_version(version: &Located<Number>, problems: &mut Problems) {
    if version.value.0 != 1 {
        let message = format!("version {} of the format is not known", version.value.0);
        let fix = "write `version: 1`; a file for a later version needs a later isthmus";
        problems.error("version", version.position, message, fix);
    }
}

fn datacenter_entries<'t>(
    tree: &'t Tree,
    named: &mut BTreeSet<String>,
    problems: &mut Problems,
) -> Vec<(Located<Name>, &'t Tree)> {
    let mut found = Vec::new();
    let entries = entries(tree, "`datacenters`", problems).unwrap_or_default();
    for entry in entries.iter().filter(|entry| is_word(entry)) {
        named.insert(entry.key.clone());
        match Name::parse(&entry.key) {
            Ok(name) => found.push((Located::new(name, entry.position), &entry.value)),
            Err(refusal) => {
                problems.error(INVALID_VALUE, entry.position, refusal.message, refusal.fix);
            }
        }
    }
    if entries.is_empty() && matches!(tree.kind, Kind::Map(_)) {
        problems.error("missing-key", tree.position, "no datacenter is declared", "declare at least one");
    }
    found
}

/// A whole number as the file writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Number(pub(crate) u32);

impl Value for Number {
    const EXPECTED: &'static str = "a whole number";

    fn parse(text: &str) -> Result<Self, Refusal> {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        match text.parse() {
            Ok(number) if digits => Ok(Self(number)),
            _ => Err(Refusal::new(
                format!("`{}` is not a whole number", shown(text)),
                "write digits only, such as `1`",
            )),
        }
    }
}

/// One of a map's pattern keys: a single pattern or a list of them.
pub(crate) fn one_or_many<T: Value>(tree: &Tree, problems: &mut Problems) -> Vec<Located<T>> {
    match &tree.kind {
        Kind::List(items) => items.iter().filter_map(|item| value(item, problems)).collect(),
        _ => value(tree, problems).into_iter().collect(),
    }
}

/// A list that must not be empty.
pub(crate) fn not_empty<T>(items: &[T], what: &str, fields: &Fields<'_>, key: &str, problems: &mut Problems) {
    let written_empty =
        fields.get(key).is_some_and(|tree| matches!(&tree.kind, Kind::List(list) if list.is_empty()));
    if items.is_empty() && written_empty {
        let position = fields.get(key).map_or(Position::default(), |tree| tree.position);
        problems.error("missing-key", position, format!("{what} is empty"), "name at least one");
    }
}
