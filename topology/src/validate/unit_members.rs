//! Units have names of their own and different members.

use std::collections::{HashMap, HashSet};

use super::Check;

pub(super) fn check(check: &mut Check<'_>) {
    let mut lines: HashMap<&str, usize> = HashMap::new();
    let topology = check.topology;
    for unit in &topology.failover {
        if let Some(line) = lines.insert(unit.name.as_str(), unit.name.position.line) {
            let message = format!("failover unit `{}` is there already (line {line})", unit.name);
            check.error("duplicate-unit", unit.name.position, message, "give every unit a name of its own");
        }
        let mut members = HashSet::from([unit.home.as_str()]);
        for standby in &unit.standby {
            if *standby == unit.home {
                let message =
                    format!("`{standby}` is the home of `{}` and cannot be its standby too", unit.name);
                check.error("unit-member", standby.position, message, "name another datacenter");
            } else if !members.insert(standby.as_str()) {
                let message = format!("`{standby}` is a standby of `{}` already", unit.name);
                check.error("unit-member", standby.position, message, "remove the repetition");
            }
        }
    }
}
