//! Words that mark unfinished work, and names that say nothing.

use crate::tree::{Tree, Violation};

/// Written in halves, so that this file may hold them.
const UNFINISHED: &[&str] = &[
    concat!("to", "do!"),
    concat!("unimple", "mented!"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("TO", "DO"),
    concat!("for ", "now"),
];
const EMPTY_NAMES: &[&str] = &["utils", "util", "helpers", "helper", "common", "misc", "manager", "types"];
/// Endings of files that are not sources.
const NOT_SOURCES: &[&str] = &[".md"];

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, text) in tree.texts() {
        if !NOT_SOURCES.iter().any(|ending| path.ends_with(ending)) {
            unfinished(path, text, &mut violations);
        }
        empty_name(path, &mut violations);
    }
    for (path, file) in tree.rust() {
        for item in &file.syntax.items {
            if let syn::Item::Mod(module) = item
                && EMPTY_NAMES.contains(&module.ident.to_string().as_str())
            {
                let line = module.ident.span().start().line;
                let what = format!("a module called {} says nothing", module.ident);
                violations.push(Violation { path: path.to_owned(), line, what });
            }
        }
    }
    violations
}

fn unfinished(path: &str, text: &str, violations: &mut Vec<Violation>) {
    for (at, line) in text.lines().enumerate() {
        if let Some(word) = UNFINISHED.iter().find(|word| holds_word(line, word)) {
            let what = format!("'{word}': finish it or file it");
            violations.push(Violation { path: path.to_owned(), line: at + 1, what });
        }
    }
}

fn empty_name(path: &str, violations: &mut Vec<Violation>) {
    let names = path.split('/').map(|part| part.split('.').next().unwrap_or(part));
    if let Some(name) = names.into_iter().find(|name| EMPTY_NAMES.contains(name)) {
        let what = format!("a file or folder called {name} says nothing");
        violations.push(Violation { path: path.to_owned(), line: 0, what });
    }
}

/// Whether the word stands in the line with nothing grown to its sides.
fn holds_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let grown = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !(grown(before) || grown(after) && word.ends_with(char::is_alphanumeric))
    })
}

#[test]
fn each_word_is_caught() {
    for word in UNFINISHED {
        let text = format!("fn f() {{}}\n// {word}\n");
        let found = check(&Tree::of(&[("broker/src/a.rs", &text)]));
        assert_eq!(found.len(), 1, "{word}");
        assert_eq!(found[0].line, 2, "{word}");
    }
}

#[test]
fn words_inside_others_pass() {
    let text = format!("// {}here {}Y a{}", UNFINISHED[5], UNFINISHED[3], UNFINISHED[2]);
    assert_eq!(check(&Tree::of(&[("broker/src/a.rs", &text)])), []);
}

#[test]
fn each_empty_name_is_caught() {
    for name in EMPTY_NAMES {
        assert_eq!(check(&Tree::of(&[(&format!("broker/src/{name}.rs"), "")])).len(), 1, "{name}");
        assert_eq!(check(&Tree::of(&[(&format!("broker/src/{name}/mod.rs"), "")])).len(), 1, "{name}");
        assert_eq!(check(&Tree::of(&[("broker/src/a.rs", &format!("mod {name} {{}}"))])).len(), 1, "{name}");
    }
}
