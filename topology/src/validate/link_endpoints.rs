//! Every node of a datacenter that a link touches can be reached by the other side: after a failover either end may have to be.

use super::Check;

pub(super) fn check(check: &mut Check<'_>) {
    let topology = check.topology;
    for datacenter in &topology.datacenters {
        let touched =
            topology.links.iter().any(|link| link.from == datacenter.name || link.to == datacenter.name);
        for node in datacenter.nodes().iter().filter(|node| touched && node.link.is_none()) {
            let message =
                format!("node `{}` has no `link`, but a link touches `{}`", node.name, datacenter.name);
            check.error(
                "no-link-endpoint",
                node.name.position,
                message,
                "add `link: host:port` (UDP) to the node",
            );
        }
    }
}
