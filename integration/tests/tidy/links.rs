//! Relative links in the documentation lead somewhere: the file is there, and so is the heading.

use std::path::Path;

use crate::tree::{Tree, Violation, normalize};

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, text) in tree.texts().filter(|(path, _)| path.ends_with(".md")) {
        for (line, target) in links(text) {
            if let Some(what) = broken(tree, path, text, &target) {
                violations.push(Violation { path: path.to_owned(), line, what });
            }
        }
    }
    violations
}

fn broken(tree: &Tree, from: &str, text: &str, target: &str) -> Option<String> {
    let is_outside = target.contains("://") || target.starts_with("mailto:");
    if is_outside {
        return None;
    }
    let (file, anchor) = target.split_once('#').map_or((target, None), |(file, anchor)| (file, Some(anchor)));
    let folder = Path::new(from).parent().unwrap_or(Path::new(""));
    let Some(path) = (if file.is_empty() { Some(from.to_owned()) } else { normalize(&folder.join(file)) })
    else {
        return Some(format!("the link {target} leaves the repository"));
    };
    if !tree.contains(&path) {
        return Some(format!("the link {target} leads to {path}, which is not there"));
    }
    let anchor = anchor?;
    let linked = if file.is_empty() { Some(text) } else { tree.text(&path) };
    let found = linked.is_some_and(|linked| anchors(linked).iter().any(|heading| heading == anchor));
    (!found).then(|| format!("the link {target} leads to a heading that is not there"))
}

/// Targets of `[text](target)` and `[name]: target`, with their lines, outside of code.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    for (line, prose) in prose(text) {
        let mut rest = prose.as_str();
        while let Some(at) = rest.find("](") {
            rest = &rest[at + 2..];
            let target = rest.split([')', ' ']).next().unwrap_or_default();
            links.push((line, target.trim_matches(['<', '>']).to_owned()));
        }
        if let Some((name, target)) = prose.split_once("]: ")
            && name.starts_with('[')
            && !name.starts_with("[^")
        {
            links.push((line, target.split_whitespace().next().unwrap_or_default().to_owned()));
        }
    }
    links
}

/// Lines outside of fenced code, with code spans blanked.
fn prose(text: &str) -> Vec<(usize, String)> {
    let mut fenced = false;
    let mut lines = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            let outside = line.split('`').enumerate().filter(|(part, _)| part % 2 == 0);
            lines.push((at + 1, outside.map(|(_, part)| part).collect::<Vec<_>>().join("``")));
        }
    }
    lines
}

/// The anchors of a page's headings, as web views make them.
fn anchors(text: &str) -> Vec<String> {
    let mut anchors: Vec<String> = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        fenced ^= line.trim_start().starts_with("```");
        let heading = line.trim_start_matches('#');
        if fenced || heading.len() == line.len() || !heading.starts_with(' ') {
            continue;
        }
        let slug = slug(heading.trim());
        let earlier = anchors.iter().filter(|anchor| **anchor == slug).count();
        anchors.push(if earlier == 0 { slug } else { format!("{slug}-{earlier}") });
    }
    anchors
}

fn slug(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect::<String>().to_lowercase()
}

#[test]
fn a_link_to_a_missing_file_or_heading_is_caught() {
    let tree = Tree::of(&[
        (
            "README.md",
            "[a](docs/lost.md)\n[b](docs/page.md#two)\n[c](#none)\n[d](../out.md)\n\n[e]: lost.md\n",
        ),
        ("docs/page.md", "# One\n"),
    ]);
    let found: Vec<usize> = check(&tree).iter().map(|violation| violation.line).collect();
    assert_eq!(found, [1, 2, 3, 4, 6]);
}

#[test]
fn links_that_lead_somewhere_pass() {
    let tree = Tree::of(&[
        (
            "README.md",
            "# Top, `code` & all\n[a](docs/page.md#one-1)[b](#top-code--all)[c](docs)[d](https://x.y/z)\n\
             ```\n[no](link.md)\n```\n`[no](link.md)`\n",
        ),
        ("docs/page.md", "# One\n## One\n[up](../README.md)\n"),
    ]);
    assert_eq!(check(&tree), []);
}
