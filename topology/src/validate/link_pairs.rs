//! One link per direction and pair of datacenters, and none from a datacenter to itself.

use std::collections::HashMap;

use super::Check;
use crate::model::Link;

pub(super) fn check(check: &mut Check<'_>) {
    let mut first: HashMap<(&str, &str), &Link> = HashMap::new();
    let topology = check.topology;
    for link in &topology.links {
        if link.from == link.to {
            let message = format!("this link goes from `{}` to itself", link.from);
            check.error("link-to-itself", link.to.position, message, "name two different datacenters");
        }
        if let Some(earlier) = first.insert((link.from.as_str(), link.to.as_str()), link) {
            let message = format!(
                "the link from `{}` to `{}` is there already (line {})",
                link.from, link.to, earlier.from.position.line
            );
            check.error(
                "duplicate-link",
                link.from.position,
                message,
                "put all its topic rules under one link",
            );
        }
    }
}
