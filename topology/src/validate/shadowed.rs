//! A topic rule that no topic can reach, because the rules above it take them all, is a mistake.

use super::Check;
use crate::pattern::{Verdict, witness};

pub(super) fn check(check: &mut Check<'_>) {
    let topology = check.topology;
    for link in &topology.links {
        for (at, rule) in link.topics.iter().enumerate() {
            let above: Vec<_> = link.topics.iter().take(at).map(|rule| &rule.pattern.value).collect();
            if witness(&[&rule.pattern.value], &above, check.budget) == Verdict::Never {
                let message = format!(
                    "no topic reaches the rule `{}`: the rules above it match them all",
                    rule.pattern
                );
                let fix = "move it up: the first rule that matches a topic decides; or remove it";
                check.error("shadowed-rule", rule.pattern.position, message, fix);
            }
        }
    }
}
