//! A merged topic takes every record once. If two of its sources hold copies of the same records, because one mirrors the other or
//! both mirror a third, each record would arrive twice. Where a failover unit has both as members, only the current home sends.

use super::Check;
use super::flows::{Carried, Names, decided_among};
use crate::model::Flow;

pub(super) fn check(check: &mut Check<'_>) {
    let flows = check.carried();
    let replicas: Vec<_> = flows.iter().filter(|flow| flow.is_replica()).collect();
    for (at, later) in flows.iter().enumerate() {
        let same_topic = |earlier: &&Carried<'_>| match (earlier.flow, later.flow) {
            (Flow::Merged { into: one }, Flow::Merged { into: other }) => {
                one == other && earlier.to == later.to && earlier.from != later.from
            }
            _ => false,
        };
        for earlier in flows.iter().take(at).filter(same_topic) {
            let decided = decided_among(check.topology, &[earlier.from, later.from]);
            let both = earlier.names.and(&later.names).without(decided);
            let Some(topic) = copied(check, &replicas, earlier.from, later.from, &both) else { continue };
            let message = format!(
                "records of topics such as `{topic}` would be merged twice, from `{}` and from `{}` (line {}), which hold copies of \
                 the same records",
                later.from, earlier.from, earlier.position.line
            );
            let fix = "merge them from the datacenter where they are written only";
            check.error("merged-twice", later.position, message, fix);
        }
    }
}

/// A name among `names` whose topics at the two datacenters hold the same records.
fn copied<'a>(
    check: &mut Check<'_>,
    replicas: &[&Carried<'a>],
    one: &'a str,
    other: &'a str,
    names: &Names<'a>,
) -> Option<String> {
    let of_one = ancestry(check, replicas, one, names);
    let of_other = ancestry(check, replicas, other, names);
    of_one.iter().find_map(|(site, names)| {
        of_other
            .iter()
            .filter(|(same, _)| same == site)
            .find_map(|(_, others)| names.and(others).example(check.budget))
    })
}

/// The datacenter itself and all whose records reach it as replicas, each with the names for which that holds.
fn ancestry<'a>(
    check: &mut Check<'_>,
    replicas: &[&Carried<'a>],
    site: &'a str,
    names: &Names<'a>,
) -> Vec<(&'a str, Names<'a>)> {
    let mut found = vec![(site, names.clone())];
    let mut next = 0;
    while let Some((at, names)) = found.get(next).cloned() {
        for replica in replicas.iter().filter(|replica| replica.to == at) {
            let known = found.iter().any(|(site, _)| *site == replica.from);
            let left = names.and(&replica.names);
            if !known && !left.is_empty(check.budget) {
                found.push((replica.from, left));
            }
        }
        next += 1;
    }
    found
}
