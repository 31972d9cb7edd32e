//! What a unit promises is kept ready: every topic of the unit is mirrored as a replica from the home to every standby, and every
//! group's positions with it. Without that a failover would open an empty topic.

use super::Check;
use super::flows::{Names, of_rule};
use crate::located::{Located, Position};
use crate::model::{FailoverUnit, Flow, Link};
use crate::name::Name;
use crate::pattern::{Budget, witness};

/// What a link does not do for a unit.
pub(super) struct Lack {
    pub(super) position: Position,
    pub(super) message: String,
}

pub(super) fn check(check: &mut Check<'_>) {
    let topology = check.topology;
    for unit in &topology.failover {
        for standby in unit.other_members() {
            let lacks = lacking(check, unit, &unit.home, standby);
            for Lack { position, message } in lacks {
                let fix = format!(
                    "give the link from `{}` to `{standby}` `mode: replica` rules and groups that take in all of `{}`",
                    unit.home, unit.name
                );
                check.error("unit-not-mirrored", position, message, fix);
            }
        }
    }
}

/// What is missing for `to` to be able to take over the unit from `from`.
pub(super) fn lacking(
    check: &mut Check<'_>,
    unit: &FailoverUnit,
    from: &Located<Name>,
    to: &Located<Name>,
) -> Vec<Lack> {
    match check.topology.link(from.as_str(), to.as_str()) {
        None => vec![Lack {
            position: to.position,
            message: format!("no link carries `{}` from `{from}` to `{to}`", unit.name),
        }],
        Some(link) => {
            let mut lacks = topics(unit, link, check.budget);
            lacks.extend(groups(unit, link, check.budget));
            lacks
        }
    }
}

fn topics(unit: &FailoverUnit, link: &Link, budget: &mut Budget) -> Vec<Lack> {
    let all: Vec<_> = link.topics.iter().map(|rule| &rule.pattern.value).collect();
    let mut lacks = Vec::new();
    for pattern in &unit.topics {
        if let Some(topic) = witness(&[&pattern.value], &all, budget).name() {
            let message = format!(
                "topics of `{}` such as `{topic}` are not mirrored from `{}` to `{}`",
                unit.name, link.from, link.to
            );
            lacks.push(Lack { position: pattern.position, message });
            continue;
        }
        let merged = (0..link.topics.len())
            .filter_map(|at| of_rule(link, at))
            .filter(|rule| matches!(rule.flow, Flow::Merged { .. }))
            .find_map(|rule| {
                rule.names.and(&Names { within: vec![&pattern.value], without: Vec::new() }).example(budget)
            });
        if let Some(topic) = merged {
            let message = format!(
                "topics of `{}` such as `{topic}` go from `{}` to `{}` by a merged rule",
                unit.name, link.from, link.to
            );
            lacks.push(Lack { position: pattern.position, message });
        }
    }
    lacks
}

fn groups(unit: &FailoverUnit, link: &Link, budget: &mut Budget) -> Vec<Lack> {
    let carried: Vec<_> = link.groups.iter().map(|pattern| &pattern.value).collect();
    let mut lacks = Vec::new();
    for pattern in &unit.groups {
        if let Some(group) = witness(&[&pattern.value], &carried, budget).name() {
            let message = format!(
                "positions of groups of `{}` such as `{group}` do not follow from `{}` to `{}`",
                unit.name, link.from, link.to
            );
            lacks.push(Lack { position: pattern.position, message });
        }
    }
    lacks
}
