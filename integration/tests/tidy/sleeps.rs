//! Tests do not sleep: they await the event, or wait for a condition with a deadline. On a paused clock a runtime's
//! sleep is a statement about time, not a wait, and passes.

use crate::{
    paths::{module_of, named},
    tree::{Tree, Violation, is_test_file},
};

/// By their last name, since the import may be shortened.
const SLEEPS: &[&str] = &["sleep", "sleep_ms", "sleep_until"];
/// The places that may: one polls, because it watches other processes, which cannot wake it; one offers load at a rate; the
/// others let virtual time pass, which takes none. Everything else waits through them.
const WAITS: &[&str] = &[
    "integration/src/wait.rs",
    "integration/src/pace.rs",
    "broker/src/coordinator/group/tests/virtual_time.rs",
    "src/admin/testing.rs",
];

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, file) in tree.rust().filter(|(path, _)| !WAITS.contains(path)) {
        let all = is_test_file(path);
        for named in named(&file.syntax, &module_of(path)) {
            let last = named.path.rsplit("::").next().unwrap_or_default();
            // A bare name is a variable or a test's own word, unless it is imported, which is seen itself.
            let is_sleep = SLEEPS.contains(&last) && named.path.contains("::");
            let on_paused_clock = named.in_paused_test && named.path.contains("time::");
            if is_sleep && (all || named.in_test) && !on_paused_clock {
                let what = format!("a test sleeps ({}): await the event, or integration::wait", named.path);
                violations.push(Violation { path: path.to_owned(), line: named.line, what });
            }
        }
    }
    violations
}

#[test]
fn a_sleep_in_a_test_is_caught_under_any_name() {
    let tree = Tree::of(&[
        ("broker/src/a.rs", "#[cfg(test)] mod tests {\n fn f() { std::thread::sleep(d); } }"),
        ("broker/tests/b.rs", "use tokio::time::{self, sleep as nap};"),
        ("broker/src/c/tests.rs", "async fn f() { tokio::select! { _ = time::sleep(d) => {} } }"),
        ("integration/tests/d.rs", "fn f() { tokio::time::sleep_until(i).await; }"),
    ]);
    let found: Vec<String> = check(&tree).iter().map(|violation| violation.path.clone()).collect();
    assert_eq!(
        found,
        ["broker/src/a.rs", "broker/src/c/tests.rs", "broker/tests/b.rs", "integration/tests/d.rs"]
    );
}

#[test]
fn only_the_runtimes_own_sleep_passes_on_a_paused_clock() {
    let sleeps = "async fn f() { tokio::time::sleep(d).await; std::thread::sleep(d); }";
    let paused = format!("#[tokio::test(start_paused = true)]\n{sleeps}");
    let running = format!("#[tokio::test]\n{sleeps}");
    let tree = Tree::of(&[("broker/tests/a.rs", &paused), ("broker/tests/b.rs", &running)]);
    let found: Vec<String> = check(&tree).iter().map(Violation::to_string).collect();
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].contains("a.rs:2") && found[0].contains("std::thread::sleep"), "{found:?}");
}

#[test]
fn a_driver_may_sleep() {
    let tree = Tree::of(&[("broker/src/a.rs", "async fn f() { tokio::time::sleep(d).await }")]);
    assert_eq!(check(&tree), []);
}
