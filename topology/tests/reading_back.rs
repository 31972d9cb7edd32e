//! What is printed reads back as the same model, for any valid model.

use std::fmt::Write;

use proptest::prelude::*;

/// The text of a valid file with random datacenters, rules and units. Units name pairs that are linked both ways with all topics;
/// the other links take patterns of their own prefix, so that no rule is broken.
fn file() -> impl Strategy<Value = String> {
    let site = ("[1-9][0-9]{0,3}", any::<bool>());
    let sites = prop::collection::vec(site, 2..5);
    let rule = ("[a-z*.]{0,6}", any::<bool>());
    let rules = prop::collection::vec(rule, 1..4);
    let group = "[ -~\u{a1}-\u{ff}\u{2028}]{1,8}";
    let link =
        (rules, prop::collection::vec(group, 0..3), 0..4usize, prop::option::of(1u32..5000), any::<bool>());
    (sites, prop::collection::vec(link, 4), "[a-z][a-z0-9]{0,10}").prop_map(|(sites, links, name)| {
        let mut text = format!("version: 1\nname: {name}\ndatacenters:\n");
        for (at, (id, by_address)) in sites.iter().enumerate() {
            let host = if *by_address { format!("\"[fd00::{at}]:9092\"") } else { format!("\"n{at}.example:9092\"") };
            let _ = writeln!(text, "  dc-{at}:\n    id: {id}{at}\n    nodes: [{{ name: n-{at}, kafka: {host}, link: {host} }}]");
        }
        text.push_str("links:\n");
        for (at, (rules, groups, codec, rate, unit)) in links.iter().enumerate().take(sites.len() - 1) {
            let mut topics = String::new();
            for (n, (tail, merged)) in rules.iter().enumerate() {
                let mode = if *merged { format!("mode: merged, into: all-{at}-{n}") } else { "mode: replica".to_owned() };
                let _ = write!(topics, "{{ match: \"t{at}-{n}-{tail}\", {mode} }}, ");
            }
            let groups: Vec<String> = groups.iter().map(|group| serde_json::to_string(group).expect("a string")).collect();
            let codec = ["auto", "zstd", "lz4", "off"].get(*codec).expect("one of four");
            let rate = rate.map(|rate| format!("limits: {{ rate: {rate}.5 Mbit/s }}, ")).unwrap_or_default();
            let groups = groups.join(", ");
            let to = at + 1;
            let _ = writeln!(
                text,
                "  - {{ from: dc-{at}, to: dc-{to}, topics: [{topics} {{ match: \"u{at}.*\" }}], groups: {{ match: [{groups}] }}, \
                 {rate}compression: {{ codec: {codec} }} }}\n  - {{ from: dc-{to}, to: dc-{at}, topics: [{{ match: \"u{at}.*\" }}] }}"
            );
            if !unit {
                text = text.replace(&format!("  - {{ from: dc-{to}, to: dc-{at}, topics: [{{ match: \"u{at}.*\" }}] }}"), "");
            }
        }
        let units: Vec<usize> = (0..sites.len() - 1).filter(|at| links.get(*at).is_some_and(|link| link.4)).collect();
        if !units.is_empty() {
            text.push_str("failover:\n");
        }
        for at in units {
            let to = at + 1;
            let _ = writeln!(text, "  - {{ name: unit-{at}, topics: [\"u{at}.*\"], home: dc-{at}, standby: [dc-{to}] }}");
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn a_printed_model_reads_back_equal(text in file()) {
        let first = topology::load("first", &text);
        prop_assert!(first.is_ok(), "{}\n{}", text, first.unwrap_err());
        let first = first.expect("just checked");
        let printed = topology::topology_yaml(&first.topology);
        let second = topology::load("second", &printed);
        prop_assert!(second.is_ok(), "{}\n{}", printed, second.unwrap_err());
        let second = second.expect("just checked");
        prop_assert_eq!(&first.topology, &second.topology);
        prop_assert_eq!(topology::diff(&first.topology, &second.topology), vec![]);
        prop_assert_eq!(topology::topology_yaml(&second.topology), printed);
    }
}
