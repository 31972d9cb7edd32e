//! What a file must fulfil beyond its form: one rule per file, each of which sees the whole model.
//!
//! Topics come and go while the daemons run, so no rule looks at topics: the rules compare patterns, exactly (`pattern`). Where two
//! patterns collide the message names a topic for which they do.
//!
//! | Rule | Promises |
//! | --- | --- |
//! | `ids` | datacenter ids and broker ids are unique and fit |
//! | `node_names`, `endpoints` | nodes and addresses are unique |
//! | `references` | every datacenter that is named is declared |
//! | `link_pairs` | one link per direction and pair, none to itself |
//! | `link_endpoints` | a node at a link can be reached |
//! | `not_served` | what the format has a place for and this version does not do is refused, not ignored |
//! | `shadowed` | every topic rule can match something |
//! | `two_sources` | a replica topic has one source |
//! | `cycles` | no record comes back to where it was written |
//! | `merged_into`, `merged_twice` | a merged topic is nothing else, and takes no record twice |
//! | `unit_members`, `unit_overlap` | a unit is well formed; no topic and no group is in two |
//! | `unit_forward`, `unit_outsider` | what a unit promises is mirrored to every standby, from the home only |
//! | `unit_back` | after a failover there is a way back (warning) |

mod cycles;
mod endpoints;
mod flows;
mod ids;
mod link_endpoints;
mod link_pairs;
mod merged_into;
mod merged_twice;
mod node_names;
mod not_served;
mod references;
mod shadowed;
mod two_sources;
mod unit_back;
mod unit_forward;
mod unit_members;
mod unit_outsider;
mod unit_overlap;

use crate::located::Position;
use crate::model::Topology;
use crate::parse::Draft;
use crate::pattern::Budget;
use crate::problem::Problems;

/// What a rule works with.
pub(crate) struct Check<'a> {
    pub(crate) topology: &'a Topology,
    pub(crate) draft: &'a Draft,
    pub(crate) problems: &'a mut Problems,
    pub(crate) budget: &'a mut Budget,
}

type Rule = fn(&mut Check<'_>);

/// Rules about what is there.
const PRESENT: [Rule; 11] = [
    ids::check,
    node_names::check,
    endpoints::check,
    references::check,
    link_pairs::check,
    not_served::check,
    unit_members::check,
    shadowed::check,
    two_sources::check,
    merged_into::check,
    unit_overlap::check,
];

/// Rules that conclude from what is not there, or that need the ones before to hold: a half-read file would mislead them.
const WHOLE: [Rule; 6] = [
    link_endpoints::check,
    unit_forward::check,
    unit_outsider::check,
    unit_back::check,
    cycles::check,
    merged_twice::check,
];

pub(crate) fn validate(draft: &Draft, problems: &mut Problems) {
    let mut budget = Budget::default();
    let mut check = Check { topology: &draft.topology, draft, problems, budget: &mut budget };
    for rule in PRESENT {
        rule(&mut check);
    }
    if draft.complete && !check.references_broken() {
        for rule in WHOLE {
            rule(&mut check);
        }
    }
    if budget.spent() {
        let message = "the patterns of this file are too intricate to compare with each other";
        let fix = "use fewer rules, and fewer `*` in each pattern";
        problems.error("too-intricate", Position { line: 1, column: 1 }, message, fix);
    }
}

impl Check<'_> {
    pub(crate) fn error(
        &mut self,
        rule: &'static str,
        position: Position,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.problems.error(rule, position, message, fix);
    }

    pub(crate) fn warning(
        &mut self,
        rule: &'static str,
        position: Position,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.problems.warning(rule, position, message, fix);
    }

    fn references_broken(&self) -> bool {
        let topology = self.topology;
        let links = topology.links.iter().flat_map(|link| [&link.from, &link.to]);
        let units = topology.failover.iter().flat_map(|unit| unit.members());
        links.chain(units).any(|name| topology.datacenter(name.as_str()).is_none())
    }
}
