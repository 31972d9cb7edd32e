//! Datacenter ids and the broker ids that follow from them are unique and fit Kafka's int32.

use std::collections::HashMap;

use super::Check;
use crate::limits::NODES_PER_DATACENTER_MAX;
use crate::model::{Datacenter, Site, broker_id};

pub(super) fn check(check: &mut Check<'_>) {
    let mut owners: HashMap<u32, &Datacenter> = HashMap::new();
    let topology = check.topology;
    for datacenter in &topology.datacenters {
        let Site::Isthmus { id, nodes } = &datacenter.site else { continue };
        if let Some(other) = owners.insert(id.value, datacenter) {
            let message = format!(
                "datacenter id {id} is taken by `{}` (line {})",
                other.name, other.name.position.line
            );
            check.error("duplicate-id", id.position, message, "give every datacenter an id of its own");
        }
        let too_many = nodes.iter().enumerate().find(|(at, _)| broker_id(id.value, at + 1).is_none());
        if let Some((_, node)) = too_many {
            let message =
                format!("there is no broker id left for node `{}` of `{}`", node.name, datacenter.name);
            let fix =
                format!("keep a datacenter to {NODES_PER_DATACENTER_MAX} nodes, and its id below 2147483");
            check.error("broker-id", node.name.position, message, fix);
        }
    }
}
