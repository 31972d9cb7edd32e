//! Into a member of a unit its topics come from another member only: from the home. A link from anywhere else would be a second
//! source, or bring old records back after a failover.

use super::Check;
use super::flows::{Names, patterns};

pub(super) fn check(check: &mut Check<'_>) {
    let topology = check.topology;
    let flows = check.carried();
    for unit in &topology.failover {
        let intruding = flows
            .iter()
            .filter(|flow| flow.is_replica() && unit.has_member(flow.to) && !unit.has_member(flow.from));
        for flow in intruding {
            let topic = patterns(unit).find_map(|pattern| {
                flow.names.and(&Names { within: vec![pattern], without: Vec::new() }).example(check.budget)
            });
            let Some(topic) = topic else { continue };
            let message = format!(
                "topics of the unit `{}` such as `{topic}` would come to its member `{}` from `{}`, which is not a member",
                unit.name, flow.to, flow.from
            );
            let fix = format!("narrow this rule, or make `{}` a standby of `{}`", flow.from, unit.name);
            check.error("unit-outsider", flow.position, message, fix);
        }
    }
}
