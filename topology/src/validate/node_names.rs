//! Node names are unique in the whole file: a name alone chooses what a daemon runs and where its certificate lies.

use std::collections::HashMap;

use super::Check;

pub(super) fn check(check: &mut Check<'_>) {
    let mut lines: HashMap<&str, usize> = HashMap::new();
    let topology = check.topology;
    for node in topology.datacenters.iter().flat_map(|datacenter| datacenter.nodes()) {
        if let Some(line) = lines.insert(node.name.as_str(), node.name.position.line) {
            let message = format!("node name `{}` is taken (line {line})", node.name);
            let fix = "give every node of the file a name of its own, such as DATACENTER-1";
            check.error("duplicate-node", node.name.position, message, fix);
        }
    }
}
