//! Every rule's message, word for word: `golden/NAME.yaml` is read and the report compared with `golden/NAME.txt`.
//! `UPDATE_GOLDEN=1` writes the reports anew; read the difference before committing it.

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_file_gets_its_report() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for path in yaml_files() {
        let text = fs::read_to_string(&path).expect("golden file");
        let name = path.file_name().expect("name").to_string_lossy().into_owned();
        let report = match topology::load(&name, &text) {
            Ok(loaded) => format!("{}valid\n", loaded.report),
            Err(report) => report.to_string(),
        };
        let expected_path = path.with_extension("txt");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&expected_path, &report).expect("golden report written");
        }
        let expected = fs::read_to_string(&expected_path).unwrap_or_default();
        if report != expected {
            wrong.push(format!("{name}:\n--- expected\n{expected}--- found\n{report}"));
        }
        seen += 1;
    }
    assert!(seen > 20, "the golden files are found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A rule without a file that breaks it could be dead.
#[test]
fn every_rule_is_broken_by_some_file() {
    let all: String = yaml_files()
        .iter()
        .map(|path| fs::read_to_string(path.with_extension("txt")).expect("golden report"))
        .collect();
    let page =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/topology.md")).expect("page");
    let rules: Vec<&str> = page
        .lines()
        .filter_map(|line| {
            line.strip_prefix("| `")?
                .split_once("` | error")
                .or(line.strip_prefix("| `")?.split_once("` | warning"))
        })
        .map(|(rule, _)| rule)
        .collect();
    assert!(rules.len() > 20, "the page lists the rules");
    for rule in &rules {
        assert!(all.contains(&format!("[{rule}]:")), "no golden file breaks `{rule}`");
    }
    for line in all.lines().filter(|line| line.contains("]: ")) {
        let rule = line.split_once('[').and_then(|(_, rest)| rest.split_once("]: ")).map(|(rule, _)| rule);
        assert!(
            rule.is_some_and(|rule| rules.contains(&rule)),
            "docs/topology.md does not list the rule of: {line}"
        );
    }
}

fn yaml_files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("golden folder")
        .map(|entry| entry.expect("entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    files
}
