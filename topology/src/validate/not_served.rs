//! What the format has a place for, and this version of the daemon does not do, is refused where it would matter. When the daemon
//! learns it, its paragraph goes.

use super::Check;
use crate::located::Located;
use crate::model::Site;
use crate::name::Name;

const RULE: &str = "not-served";

pub(super) fn check(check: &mut Check<'_>) {
    let topology = check.topology;
    for datacenter in &topology.datacenters {
        match &datacenter.site {
            Site::Isthmus { nodes, .. } => {
                if let Some(second) = nodes.get(1) {
                    let message =
                        format!("`{}` has more than one node, which is not served yet", datacenter.name);
                    let fix = "keep one node per datacenter; nodes of one datacenter do not share its partitions yet";
                    check.error(RULE, second.name.position, message, fix);
                }
            }
            Site::KafkaCluster { .. } => {
                let message = format!(
                    "`{}` is a Kafka cluster run by others, which is not served yet",
                    datacenter.name
                );
                check.warning(
                    RULE,
                    datacenter.name.position,
                    message,
                    "it can stay declared; nothing happens with it",
                );
            }
        }
    }
    let links = topology.links.iter().flat_map(|link| [&link.from, &link.to]);
    let units = topology.failover.iter().flat_map(|unit| unit.members());
    for name in links.chain(units) {
        foreign(check, name);
    }
}

fn foreign(check: &mut Check<'_>, name: &Located<Name>) {
    let datacenter = check.topology.datacenter(name.as_str());
    if datacenter.is_some_and(|datacenter| matches!(datacenter.site, Site::KafkaCluster { .. })) {
        let message =
            format!("`{name}` is a Kafka cluster run by others; links and units with one are not served yet");
        check.error(RULE, name.position, message, "name a datacenter with nodes, or remove this entry");
    }
}
