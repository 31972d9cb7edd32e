//! After a failover the old home, and the other standbys, follow the new one: that needs links from every standby. A unit without
//! them can fail over, so this is a warning; but it could not come back without a change of this file in the middle of an incident.

use super::Check;
use super::unit_forward::{Lack, lacking};

pub(super) fn check(check: &mut Check<'_>) {
    let topology = check.topology;
    for unit in &topology.failover {
        for from in unit.other_members() {
            let others = std::iter::once(&unit.home).chain(unit.other_members()).filter(|to| *to != from);
            for to in others {
                // One sentence per pair is enough: the first lack shows what the link must do.
                let Some(Lack { message, .. }) = lacking(check, unit, from, to).into_iter().next() else {
                    continue;
                };
                let fix = format!(
                    "add a link from `{from}` to `{to}` with `mode: replica` rules and groups for `{}`; it rests until `{from}` is home",
                    unit.name
                );
                let message = format!(
                    "after a failover of `{}` to `{from}`, `{to}` could not follow: {message}",
                    unit.name
                );
                check.warning("unit-no-way-back", from.position, message, fix);
            }
        }
    }
}
