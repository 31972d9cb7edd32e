//! No record comes back to a topic where it has been: it would travel for ever. (reference case: a ring of same-name topics.)
//!
//! Names of a failover unit flow from the current home only, so among its members a ring is what makes failback possible. All other
//! names must not find a way round, neither as replicas (decided on patterns, walking from target to source) nor through a merged
//! topic (decided on its name, which is known).

use std::collections::BTreeSet;

use super::Check;
use super::flows::{Carried, Names, decided_among};
use crate::limits::PROBLEMS_MAX;
use crate::located::Position;
use crate::model::Flow;

const RULE: &str = "cycle";

pub(super) fn check(check: &mut Check<'_>) {
    replica_rings(check);
    merged_rings(check);
}

fn replica_rings(check: &mut Check<'_>) {
    let topology = check.topology;
    let flows: Vec<Carried<'_>> = check
        .carried()
        .into_iter()
        .filter(|flow| flow.is_replica() && flow.from != flow.to)
        .map(|flow| {
            let decided = decided_among(topology, &[flow.from, flow.to]);
            Carried { names: flow.names.clone().without(decided), ..flow }
        })
        .collect();
    let mut reported = BTreeSet::new();
    for closing in &flows {
        let mut path = vec![closing];
        walk(check, &flows, &mut path, &closing.names, &mut reported);
    }
}

/// Walks against the flow, from the source of the last step to the links that fill it, as long as a name is left.
fn walk<'a>(
    check: &mut Check<'_>,
    flows: &'a [Carried<'a>],
    path: &mut Vec<&'a Carried<'a>>,
    names: &Names<'a>,
    reported: &mut BTreeSet<Vec<Position>>,
) {
    let (Some(closing), Some(last)) = (path.first().copied(), path.last().copied()) else { return };
    if last.from == closing.to {
        return report(check, path, names, reported);
    }
    for before in flows.iter().filter(|before| before.to == last.from) {
        let seen = path.iter().any(|step| step.from == before.from);
        if seen || check.budget.spent() || reported.len() >= PROBLEMS_MAX {
            continue;
        }
        let left = names.and(&before.names);
        if !left.is_empty(check.budget) {
            path.push(before);
            walk(check, flows, path, &left, reported);
            path.pop();
        }
    }
}

fn report(
    check: &mut Check<'_>,
    path: &[&Carried<'_>],
    names: &Names<'_>,
    reported: &mut BTreeSet<Vec<Position>>,
) {
    let mut key: Vec<Position> = path.iter().map(|step| step.position).collect();
    key.sort_unstable();
    let Some(last) = key.last().copied() else { return };
    if !reported.insert(key) {
        return;
    }
    let Some(topic) = names.example(check.budget) else { return };
    let mut way: Vec<&str> = path.iter().rev().map(|step| step.from).collect();
    way.extend(path.first().map(|closing| closing.to));
    let message = format!("replica topics such as `{topic}` would go round: {}", way.join(" -> "));
    let fix = "remove one of these rules, or put the topics in a failover unit with all these datacenters, so that one is their home";
    check.error(RULE, last, message, fix);
}

/// A merged topic that is fed from a topic that itself feeds.
fn merged_rings(check: &mut Check<'_>) {
    let flows = check.carried();
    for merged in &flows {
        let Flow::Merged { into } = merged.flow else { continue };
        if comes_back(check, merged, into.as_str()) {
            let message = format!("records of `{into}` at `{}` would come back to it", merged.to);
            let fix = "choose another name for `into`, or narrow the rules so that they do not match it";
            check.error(RULE, into.position, message, fix);
        }
    }
}

/// Follows the topic `into` at the target of `merged` over all links.
fn comes_back(check: &Check<'_>, merged: &Carried<'_>, into: &str) -> bool {
    let start = (merged.to.to_owned(), into.to_owned());
    let mut open = vec![start.clone()];
    let mut seen = BTreeSet::new();
    while let Some((at, topic)) = open.pop() {
        for link in check.topology.links.iter().filter(|link| link.from.as_str() == at) {
            let name = match link.flow(&topic) {
                Some(Flow::Replica) => topic.clone(),
                Some(Flow::Merged { into }) => into.as_str().to_owned(),
                None => continue,
            };
            let next = (link.to.as_str().to_owned(), name);
            if next == start {
                return true;
            }
            if seen.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    false
}
