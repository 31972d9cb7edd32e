//! Every path that code names: in `use` lines, in expressions and types, and in the tokens of macros.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::{
    UseTree,
    spanned::Spanned,
    visit::{self, Visit},
};

use crate::tree::is_test_only;

/// A named path (`std::fs::read`), without generic arguments.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Named {
    pub(crate) path: String,
    pub(crate) line: usize,
    /// Whether it stands in code that is only compiled for tests.
    pub(crate) in_test: bool,
}

/// All paths of a file, in no particular order; `crate`, `self` and `super` are spelled out from `module`.
pub(crate) fn named(file: &syn::File, module: &[String]) -> Vec<Named> {
    let mut collect = Collect { named: Vec::new(), module: module.to_vec(), in_test: false };
    collect.visit_file(file);
    collect.named
}

/// The module of a source file, from its path: `core-log/src/segment/mod.rs` is `crate::segment`.
pub(crate) fn module_of(path: &str) -> Vec<String> {
    let inside = path.split_once("src/").map_or(path, |(_, inside)| inside);
    let inside = inside.strip_suffix(".rs").unwrap_or(inside);
    let parts = inside.split('/').filter(|part| !["mod", "lib", "main"].contains(part));
    std::iter::once("crate").chain(parts).map(str::to_owned).collect()
}

struct Collect {
    named: Vec<Named>,
    module: Vec<String>,
    in_test: bool,
}

impl Collect {
    fn add(&mut self, segments: &[String], line: usize) {
        let path = self.spelled_out(segments).join("::");
        self.named.push(Named { path, line, in_test: self.in_test });
    }

    fn spelled_out(&self, segments: &[String]) -> Vec<String> {
        let above = segments.iter().take_while(|segment| *segment == "super").count();
        match segments.first().map(String::as_str) {
            Some("self") => [&self.module[..], &segments[1..]].concat(),
            Some("super") => {
                let kept = self.module.len().saturating_sub(above).max(1);
                [&self.module[..kept], &segments[above..]].concat()
            }
            _ => segments.to_vec(),
        }
    }

    fn use_tree(&mut self, tree: &UseTree, prefix: &[String]) {
        match tree {
            UseTree::Path(path) => {
                self.use_tree(&path.tree, &[prefix, &[path.ident.to_string()]].concat());
            }
            UseTree::Name(name) => self.add(&[prefix, &[name.ident.to_string()]].concat(), line(&name.ident)),
            UseTree::Rename(rename) => {
                self.add(&[prefix, &[rename.ident.to_string()]].concat(), line(&rename.ident));
            }
            UseTree::Glob(glob) => self.add(prefix, glob.span().start().line),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.use_tree(tree, prefix)),
        }
    }

    /// Macros are not parsed: every run of `a::b::c` in their tokens counts.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut segments: Vec<String> = Vec::new();
        let mut at = 0;
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.add_run(&mut segments, at);
                        at = line(&ident);
                    }
                    segments.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    self.add_run(&mut segments, at);
                    colons = 0;
                    self.tokens(group.stream());
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {
                    self.add_run(&mut segments, at);
                    colons = 0;
                }
            }
        }
        self.add_run(&mut segments, at);
    }

    fn add_run(&mut self, segments: &mut Vec<String>, line: usize) {
        if !segments.is_empty() {
            self.add(segments, line);
            segments.clear();
        }
    }
}

impl<'ast> Visit<'ast> for Collect {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let outer = self.in_test;
        self.in_test |= is_test_only(attributes(item));
        visit::visit_item(self, item);
        self.in_test = outer;
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.use_tree(&item.tree, &[]);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.add(&segments, path.span().start().line);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, invoked: &'ast syn::Macro) {
        self.visit_path(&invoked.path);
        self.tokens(invoked.tokens.clone());
    }
}

fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Const(item) => &item.attrs,
        _ => &[],
    }
}

fn line(ident: &Ident) -> usize {
    ident.span().start().line
}

#[test]
fn paths_in_uses_expressions_and_macros_are_seen() {
    let file = syn::parse_file(
        "use std::{fs as disk, io::*};
         use super::driver;
         fn f() { tokio::spawn(g::<u8>()); assert!(matches!(std::thread::current(), _)); }
         #[cfg(test)] mod tests { use tempfile::tempdir; }",
    )
    .unwrap();
    let found = named(&file, &module_of("broker/src/group/core.rs"));
    let has = |path: &str, in_test| found.iter().any(|named| named.path == path && named.in_test == in_test);
    assert!(has("std::fs", false) && has("std::io", false), "{found:?}");
    assert!(has("crate::group::driver", false), "{found:?}");
    assert!(has("tokio::spawn", false) && has("std::thread::current", false), "{found:?}");
    assert!(has("tempfile::tempdir", true), "{found:?}");
}
