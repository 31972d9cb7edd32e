//! Typed reading of the tree. Every step reports what is wrong where it is wrong and goes on, so that one pass finds everything.

use std::collections::HashSet;

use super::tree::{Entry, Kind, Tree};
use crate::located::{Located, Position};
use crate::name::shown;
use crate::problem::Problems;
use crate::schema::Table;
use crate::suggest::nearest;
use crate::value::Value;

/// A map that follows a table of the schema: no unknown key, no key twice, nothing required missing.
pub(crate) struct Fields<'t> {
    table: &'static Table,
    entries: &'t [Entry],
    pub(crate) position: Position,
}

pub(crate) const UNKNOWN_KEY: &str = "unknown-key";
pub(crate) const WRONG_TYPE: &str = "wrong-type";
pub(crate) const MISSING_KEY: &str = "missing-key";
pub(crate) const DUPLICATE_KEY: &str = "duplicate-key";
pub(crate) const INVALID_VALUE: &str = "invalid-value";

impl<'t> Fields<'t> {
    pub(crate) fn new(tree: &'t Tree, table: &'static Table, problems: &mut Problems) -> Option<Self> {
        let entries = entries(tree, table.called, problems)?;
        for entry in entries.iter().filter(|entry| is_word(entry) && table.key(&entry.key).is_none()) {
            let message = format!("{} has no key `{}`", table.called, shown(&entry.key));
            let fix = nearest(&entry.key, table.keys.iter().map(|key| key.name));
            problems.error(UNKNOWN_KEY, entry.position, message, fix);
        }
        let fields = Self { table, entries, position: tree.position };
        for key in table.keys.iter().filter(|key| key.default.is_none()) {
            if fields.get(key.name).is_none() {
                let message = format!("{} needs `{}`", table.called, key.name);
                let fix = format!("add `{}:` ({})", key.name, key.kind);
                problems.error(MISSING_KEY, tree.position, message, fix);
            }
        }
        Some(fields)
    }

    /// What a key holds; an empty one is like one that is not there.
    pub(crate) fn get(&self, key: &str) -> Option<&'t Tree> {
        debug_assert!(self.table.key(key).is_some(), "{key} is in the schema");
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        (!matches!(entry.value.kind, Kind::Null)).then_some(&entry.value)
    }

    pub(crate) fn value<T: Value>(&self, key: &str, problems: &mut Problems) -> Option<Located<T>> {
        value(self.get(key)?, problems)
    }

    /// A value that has a default; what is wrong is reported, and the default goes on in its place.
    pub(crate) fn value_or_default<T: Value + Default>(
        &self,
        key: &str,
        problems: &mut Problems,
    ) -> Located<T> {
        self.value(key, problems).unwrap_or_else(|| Located::new(T::default(), self.position))
    }

    /// The items of a list; none if the key is not there.
    pub(crate) fn list(&self, key: &str, problems: &mut Problems) -> &'t [Tree] {
        match self.get(key) {
            Some(tree) => list(tree, &format!("`{key}`"), problems),
            None => &[],
        }
    }

    pub(crate) fn values<T: Value>(&self, key: &str, problems: &mut Problems) -> Vec<Located<T>> {
        self.list(key, problems).iter().filter_map(|tree| value(tree, problems)).collect()
    }
}

/// The entries of any map; a key that is there twice is reported.
pub(crate) fn entries<'t>(tree: &'t Tree, called: &str, problems: &mut Problems) -> Option<&'t [Entry]> {
    let Kind::Map(entries) = &tree.kind else {
        wrong_type(
            tree,
            &format!("{called} is a map"),
            "write `key: value` lines, or { key: value }",
            problems,
        );
        return None;
    };
    let mut seen = HashSet::new();
    for entry in entries {
        if entry.key == MERGE_KEY {
            problems.error(
                "yaml",
                entry.position,
                "a merge key (`<<`) is not taken here",
                "write the keys out",
            );
        } else if is_word(entry) && !seen.insert(entry.key.as_str()) {
            let message = format!("`{}` is there twice", shown(&entry.key));
            problems.error(DUPLICATE_KEY, entry.position, message, "keep one of the two");
        }
    }
    Some(entries)
}

/// A key that was not reported by the tree and has no meaning of YAML's own.
pub(crate) fn is_word(entry: &Entry) -> bool {
    !entry.key.is_empty() && entry.key != MERGE_KEY
}

const MERGE_KEY: &str = "<<";

pub(crate) fn list<'t>(tree: &'t Tree, called: &str, problems: &mut Problems) -> &'t [Tree] {
    match &tree.kind {
        Kind::List(items) => items,
        _ => {
            wrong_type(
                tree,
                &format!("{called} is a list"),
                "write `- item` lines, or [item, item]",
                problems,
            );
            &[]
        }
    }
}

pub(crate) fn value<T: Value>(tree: &Tree, problems: &mut Problems) -> Option<Located<T>> {
    let Kind::Scalar(text) = &tree.kind else {
        wrong_type(tree, &format!("here stands {}", T::EXPECTED), "write one value", problems);
        return None;
    };
    match T::parse(text) {
        Ok(value) => Some(Located::new(value, tree.position)),
        Err(refusal) => {
            problems.error(INVALID_VALUE, tree.position, refusal.message, refusal.fix);
            None
        }
    }
}

fn wrong_type(tree: &Tree, expected: &str, fix: &str, problems: &mut Problems) {
    let found = match &tree.kind {
        Kind::Null => "nothing",
        Kind::Scalar(_) => "a single value",
        Kind::List(_) => "a list",
        Kind::Map(_) => "a map",
        Kind::Refused => return,
    };
    problems.error(WRONG_TYPE, tree.position, format!("{expected}, and this is {found}"), fix);
}
