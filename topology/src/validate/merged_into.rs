//! A merged topic is nothing else at its target: not a replica from somewhere, and not part of a failover unit there.

use super::Check;
use crate::model::Flow;

pub(super) fn check(check: &mut Check<'_>) {
    let topology = check.topology;
    let flows = check.carried();
    for merged in &flows {
        let Flow::Merged { into } = merged.flow else { continue };
        let replica = topology.links.iter().find(|link| {
            link.to.as_str() == merged.to && matches!(link.flow(into.as_str()), Some(Flow::Replica))
        });
        if let Some(link) = replica {
            let message = format!(
                "`{into}` at `{}` would also be a replica of the topic of that name at `{}` (line {})",
                merged.to, link.from, link.from.position.line
            );
            let fix = "choose another name for `into`, or narrow the replica rule";
            check.error("merged-and-replica", into.position, message, fix);
        }
        let unit = topology.unit_of_topic(into.as_str()).filter(|unit| unit.has_member(merged.to));
        if let Some(unit) = unit {
            let message = format!(
                "`{into}` belongs to the failover unit `{}`, and a merged topic cannot move its home",
                unit.name
            );
            let fix = "choose another name for `into`, or narrow the unit's topics: put the topics it is merged from in a unit";
            check.error("merged-in-unit", into.position, message, fix);
        }
    }
}
