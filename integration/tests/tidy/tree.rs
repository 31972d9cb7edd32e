//! The files that checks look at: the real ones, or planted ones.

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Component, Path, PathBuf},
};

/// Folders that hold nothing of ours, wherever they lie.
const SKIPPED_FOLDERS: &[&str] =
    &[".git", "target", "node_modules", "__pycache__", "isthmus-data", "corpus", "artifacts"];
/// Names of files that are read; of others only the path is known.
const TEXT_ENDINGS: &[&str] = &[".rs", ".md", ".toml", ".sh", ".py", ".go", ".java", ".js", ".mjs", "/run"];

/// One thing that is wrong, and where.
#[derive(Debug, PartialEq)]
pub(crate) struct Violation {
    pub(crate) path: String,
    pub(crate) line: usize,
    pub(crate) what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// A Rust file, parsed.
pub(crate) struct RustFile {
    pub(crate) text: String,
    pub(crate) syntax: syn::File,
}

/// Files by their path from the workspace's root, with `/` between folders.
#[derive(Default)]
pub(crate) struct Tree {
    files: BTreeMap<String, Option<String>>,
    rust: BTreeMap<String, Result<RustFile, syn::Error>>,
}

impl Tree {
    pub(crate) fn read(root: &Path) -> Self {
        let mut tree = Self::default();
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).expect("a folder of the workspace is readable") {
                let entry = entry.expect("a folder of the workspace is readable");
                let name = entry.file_name().to_string_lossy().into_owned();
                if entry.file_type().expect("a file has a type").is_dir() {
                    if !SKIPPED_FOLDERS.contains(&name.as_str()) {
                        folders.push(entry.path());
                    }
                    continue;
                }
                let path = relative(root, &entry.path());
                let is_text = TEXT_ENDINGS.iter().any(|ending| path.ends_with(ending));
                let text = is_text.then(|| fs::read_to_string(entry.path()).unwrap_or_default());
                tree.add(path, text);
            }
        }
        tree
    }

    /// A tree of planted files.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let mut tree = Self::default();
        for (path, text) in files {
            tree.add((*path).to_owned(), Some((*text).to_owned()));
        }
        tree
    }

    pub(crate) fn contains(&self, path: &str) -> bool {
        let folder = format!("{path}/");
        path.is_empty()
            || self.files.contains_key(path)
            || self.files.keys().any(|file| file.starts_with(&folder))
    }

    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).and_then(|text| text.as_deref())
    }

    /// Every file that was read, with its text.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().filter_map(|(path, text)| Some((path.as_str(), text.as_deref()?)))
    }

    pub(crate) fn rust(&self) -> impl Iterator<Item = (&str, &RustFile)> {
        self.rust.iter().filter_map(|(path, file)| Some((path.as_str(), file.as_ref().ok()?)))
    }

    /// Rust files that do not parse: nothing else could be said about them.
    pub(crate) fn unreadable(&self) -> Vec<Violation> {
        self.rust
            .iter()
            .filter_map(|(path, file)| {
                let error = file.as_ref().err()?;
                let line = error.span().start().line;
                Some(Violation { path: path.clone(), line, what: format!("does not parse: {error}") })
            })
            .collect()
    }

    fn add(&mut self, path: String, text: Option<String>) {
        if let (true, Some(text)) = (path.ends_with(".rs"), &text) {
            let parsed = syn::parse_file(text).map(|syntax| RustFile { text: text.clone(), syntax });
            self.rust.insert(path.clone(), parsed);
        }
        self.files.insert(path, text);
    }
}

/// Whether a path matches a pattern in which `*` stands for anything but `/`, and `**` for anything.
pub(crate) fn matches(pattern: &str, path: &str) -> bool {
    if let Some(rest) = pattern.strip_prefix("**") {
        return (0..=path.len()).any(|at| path.is_char_boundary(at) && matches(rest, &path[at..]));
    }
    if let Some(rest) = pattern.strip_prefix('*') {
        let end = path.find('/').unwrap_or(path.len());
        return (0..=end).any(|at| path.is_char_boundary(at) && matches(rest, &path[at..]));
    }
    match (pattern.chars().next(), path.chars().next()) {
        (None, None) => true,
        (Some(wanted), Some(found)) if wanted == found => {
            matches(&pattern[wanted.len_utf8()..], &path[found.len_utf8()..])
        }
        _ => false,
    }
}

/// Whether the whole file is test code: a file under `tests/`, a `tests.rs`, or this crate, which is nothing else.
pub(crate) fn is_test_file(path: &str) -> bool {
    path.starts_with("integration/") || path.contains("/tests/") || path.ends_with("/tests.rs")
}

/// Whether an item is only compiled for tests.
pub(crate) fn is_test_only(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let path = attribute.path();
        if path.is_ident("cfg") {
            return attribute.parse_args::<syn::Path>().is_ok_and(|what| what.is_ident("test"));
        }
        path.segments.last().is_some_and(|last| last.ident == "test")
    })
}

/// Resolves `.` and `..` in a path below the root; `None` if it leaves the root.
pub(crate) fn normalize(path: &Path) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                parts.pop()?;
            }
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    Some(parts.join("/"))
}

fn relative(root: &Path, path: &Path) -> String {
    let relative: PathBuf = path.strip_prefix(root).expect("the walk stays below the root").into();
    relative.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

#[test]
fn patterns_match_whole_paths() {
    assert!(matches("broker/src/*/core*.rs", "broker/src/group/core_join.rs"));
    assert!(!matches("broker/src/*.rs", "broker/src/group/core.rs"));
    assert!(matches("protocol/src/**", "protocol/src/codec/mod.rs"));
    assert!(!matches("protocol/src/*", "protocol/src"));
}
