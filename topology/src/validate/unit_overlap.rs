//! A topic has one home, so it is in one unit at most. A group moves with one unit, or it would be left half behind.

use super::Check;
use crate::located::Located;
use crate::pattern::{Budget, Globbed, witness};

pub(super) fn check(check: &mut Check<'_>) {
    let topology = check.topology;
    for (at, later) in topology.failover.iter().enumerate() {
        for earlier in topology.failover.iter().take(at) {
            let topics = overlap(&earlier.topics, &later.topics, check.budget);
            let groups = overlap(&earlier.groups, &later.groups, check.budget);
            let line = earlier.name.position.line;
            if let Some((pattern, topic)) = topics {
                let message =
                    format!("topics such as `{topic}` are in the unit `{}` (line {line}) too", earlier.name);
                check.error(
                    "unit-overlap",
                    pattern.position,
                    message,
                    "narrow one of the two, or make one unit of them",
                );
            }
            if let Some((pattern, group)) = groups {
                let message =
                    format!("groups such as `{group}` are in the unit `{}` (line {line}) too", earlier.name);
                check.error(
                    "unit-overlap",
                    pattern.position,
                    message,
                    "narrow one of the two, or make one unit of them",
                );
            }
        }
    }
}

/// The first pattern of `later` that shares a name with one of `earlier`, and the name.
fn overlap<'a, P: Globbed>(
    earlier: &[Located<P>],
    later: &'a [Located<P>],
    budget: &mut Budget,
) -> Option<(&'a Located<P>, String)> {
    later.iter().find_map(|pattern| {
        earlier.iter().find_map(|other| {
            let name = witness(&[&pattern.value, &other.value], &[], budget).name()?;
            Some((pattern, name))
        })
    })
}
