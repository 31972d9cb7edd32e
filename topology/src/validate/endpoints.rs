//! No two listeners share an address. Kafka listens on TCP and links on UDP, so the two never clash with each other.

use std::collections::HashMap;

use super::Check;
use crate::endpoint::Endpoint;
use crate::located::Located;
use crate::model::Node;

pub(super) fn check(check: &mut Check<'_>) {
    unique(check, "kafka", |node| Some(&node.kafka));
    unique(check, "link", |node| node.link.as_ref());
}

fn unique(check: &mut Check<'_>, key: &str, endpoint: fn(&Node) -> Option<&Located<Endpoint>>) {
    let mut owners: HashMap<&Endpoint, &Node> = HashMap::new();
    let topology = check.topology;
    for node in topology.datacenters.iter().flat_map(|datacenter| datacenter.nodes()) {
        let Some(endpoint) = endpoint(node) else { continue };
        if let Some(other) = owners.insert(&endpoint.value, node) {
            let message = format!(
                "`{key}: {endpoint}` is taken by node `{}` (line {})",
                other.name, other.name.position.line
            );
            check.error(
                "duplicate-endpoint",
                endpoint.position,
                message,
                "give every listener an address of its own",
            );
        }
    }
}
