//! Every datacenter that a link or a unit names is declared.

use super::Check;
use crate::located::Located;
use crate::name::Name;
use crate::suggest::nearest;

pub(super) fn check(check: &mut Check<'_>) {
    let topology = check.topology;
    for link in &topology.links {
        resolve(check, &link.from);
        resolve(check, &link.to);
    }
    for unit in &topology.failover {
        for member in unit.members() {
            resolve(check, member);
        }
    }
}

fn resolve(check: &mut Check<'_>, name: &Located<Name>) {
    let named = &check.draft.named;
    if !named.contains(name.as_str()) {
        let fix = nearest(name.as_str(), named.iter().map(String::as_str));
        check.error("unknown-datacenter", name.position, format!("there is no datacenter `{name}`"), fix);
    }
}
