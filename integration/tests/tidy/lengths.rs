//! How long files and functions may be.

use syn::{
    spanned::Spanned,
    visit::{self, Visit},
};

use crate::tree::{RustFile, Tree, Violation, is_test_file, is_test_only};

/// Lines of a file, without the items that are only compiled for tests.
const FILE_LINES_MAX: usize = 600;
/// Lines of a function, from its name to its closing brace.
const FUNCTION_LINES_MAX: usize = 70;

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, file) in tree.rust() {
        let lines = production_lines(file);
        if lines > FILE_LINES_MAX && (!is_test_file(path) || path.starts_with("integration/src/")) {
            let what = format!("{lines} lines, more than {FILE_LINES_MAX}: split it at a seam");
            violations.push(Violation { path: path.to_owned(), line: lines, what });
        }
        let mut functions = Functions { path, violations: &mut violations };
        functions.visit_file(&file.syntax);
    }
    violations
}

fn production_lines(file: &RustFile) -> usize {
    let for_tests = file.syntax.items.iter().filter(|item| match item {
        syn::Item::Mod(item) => is_test_only(&item.attrs),
        syn::Item::Fn(item) => is_test_only(&item.attrs),
        syn::Item::Impl(item) => is_test_only(&item.attrs),
        _ => false,
    });
    let test_lines: usize = for_tests.map(|item| lines_of(item.span())).sum();
    file.text.lines().count().saturating_sub(test_lines)
}

struct Functions<'a> {
    path: &'a str,
    violations: &'a mut Vec<Violation>,
}

impl Functions<'_> {
    fn measure(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let (from, to) = (signature.fn_token.span().start().line, block.brace_token.span.close().end().line);
        let lines = to - from + 1;
        if lines > FUNCTION_LINES_MAX {
            let what = format!("{} has {lines} lines, more than {FUNCTION_LINES_MAX}", signature.ident);
            self.violations.push(Violation { path: self.path.to_owned(), line: from, what });
        }
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.measure(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.measure(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.measure(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }
}

fn lines_of(span: proc_macro2::Span) -> usize {
    span.end().line - span.start().line + 1
}

#[test]
fn a_long_file_is_caught() {
    let long = "const _: () = ();\n".repeat(FILE_LINES_MAX + 1);
    let found = check(&Tree::of(&[("broker/src/router.rs", &long)]));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].what.contains("601 lines"), "{found:?}");
}

#[test]
fn tests_do_not_count_towards_the_length_of_their_file() {
    let body = "    const _: () = ();\n".repeat(FILE_LINES_MAX);
    let text = format!("const _: () = ();\n#[cfg(test)]\nmod tests {{\n{body}}}\n");
    assert_eq!(check(&Tree::of(&[("broker/src/router.rs", &text)])), []);
}

#[test]
fn a_long_function_is_caught_wherever_it_stands() {
    let body = "    ();\n".repeat(FUNCTION_LINES_MAX - 1);
    let long = format!("fn long() {{\n{body}}}\n");
    let fits = format!("fn fits() {{\n{}}}\n", "    ();\n".repeat(FUNCTION_LINES_MAX - 2));
    let text = format!("{fits}{long}impl X {{ {long} }}\ntrait Y {{ {long} }}\nmod tests {{ {long} }}\n");
    let found = check(&Tree::of(&[("broker/src/router.rs", &text)]));
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found[0].what.contains("long has 71 lines"), "{found:?}");
}
