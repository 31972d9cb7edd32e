//! The declared world: one YAML file that says which datacenters there are, what is mirrored between them, and what can change its
//! home.
//!
//! ```text
//! text --parse--> model --validate--> Topology --plan--> NodePlan (what one node must run)
//!                                        |
//!                                        +----diff----> changes against another Topology
//! ```
//!
//! 1. Everything here is a pure function of text and names: no files, no network, no clock.
//! 2. Whatever the text holds, reading it ends within bounds (`limits`) and never panics.
//! 3. All problems are reported, each with line, column and a fix (`problem`); one error is enough to refuse the file.
//! 4. A `Topology` from `load` is valid; nothing downstream checks it again.
//! 5. What is printed reads back as the same model (`show::to_yaml`).
//!
//! A leaf: it imports no other room. Not here: which partitions exist, who is home *now*, certificates, the daemon's own settings
//! (paths, ports, limits: the package `isthmus`). Start with `model`, then `validate`.

mod diff;
mod endpoint;
pub mod limits;
mod located;
mod model;
mod name;
mod parse;
mod pattern;
mod plan;
mod problem;
mod rate;
pub mod schema;
mod show;
mod suggest;
mod validate;
mod value;

pub use self::diff::{Change, ChangeKind, changes_json, changes_text, diff};
pub use self::endpoint::{Endpoint, Host};
pub use self::located::{Located, Position};
pub use self::model::{
    Codec, Datacenter, FailoverUnit, Flow, Link, Mode, Node, OnGap, Site, TopicRule, Topology, WhenApart,
    broker_id,
};
pub use self::name::{Name, TopicName};
pub use self::pattern::{GroupPattern, INTERNAL_TOPICS, TopicPattern};
pub use self::plan::{DIALLING, LinkPlan, NodePlan, Peer, Side, UnitPlan, UnitRole, UnknownNode, plan};
pub use self::problem::{Problem, Report, Severity};
pub use self::rate::Rate;
pub use self::show::{digest, node_plan_json, node_plan_text, topology_json, topology_text, topology_yaml};
pub use self::value::{Refusal, Value};

use self::problem::Problems;

/// A valid topology, and what is worth a word all the same.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub topology: Topology,
    /// Warnings only.
    pub report: Report,
}

/// Reads and checks a file; `file` is what messages call it. The error holds every problem that was found, warnings included.
pub fn load(file: &str, text: &str) -> Result<Loaded, Report> {
    let mut problems = Problems::default();
    let draft = parse::parse(text, &mut problems);
    if let Some(draft) = &draft {
        validate::validate(draft, &mut problems);
    }
    let refused = problems.has_errors();
    let report = problems.into_report(file);
    match draft {
        Some(draft) if !refused => Ok(Loaded { topology: draft.topology, report }),
        _ => Err(report),
    }
}
