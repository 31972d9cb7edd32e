//! Whether this node is the one to be asked, and whether what is named is there; if not, whom or what to ask for.

use std::collections::BTreeSet;

use mirror::{driver::FailoverError, ownership::FailoverRefusal, stop::StopReason};
use topology::{Flow, LinkPlan, NodePlan, Side, UnitPlan};

use crate::operations::{FailoverRequest, Kind, Problem, TranslateRequest};

/// The unit to be moved, if its new home is here.
pub(super) fn unit<'a>(plan: &'a NodePlan, request: &FailoverRequest) -> Result<&'a UnitPlan, Problem> {
    let FailoverRequest { unit: name, to, .. } = request;
    let names: Vec<&str> = plan.units.iter().map(|unit| unit.name.as_str()).collect();
    let unit = plan.units.iter().find(|unit| unit.name.as_str() == name).ok_or_else(|| {
        let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        Problem::new(
            Kind::NotFound,
            "unknown-unit",
            format!("no failover unit {name:?} here; there are: {known}"),
        )
    })?;
    if !unit.home.as_str().eq(to) && !unit.standby.iter().any(|standby| standby.as_str() == to) {
        let standbys: Vec<&str> = unit.standby.iter().map(|standby| standby.as_str()).collect();
        let members = format!("{}, {}", unit.home, standbys.join(", "));
        let message = format!("{to:?} is no member of {name}; its members are: {members}");
        return Err(Problem::new(Kind::NotFound, "not-a-member", message));
    }
    if plan.datacenter.as_str() != to {
        let nodes: BTreeSet<&str> = plan
            .links()
            .flat_map(|link| &link.peers)
            .filter(|peer| peer.datacenter.as_str() == to)
            .map(|peer| peer.node.as_str())
            .collect();
        let nodes: Vec<&str> = nodes.into_iter().collect();
        let message = format!(
            "this is {} in {}; ask a node of {to}, with --admin: {}",
            plan.node,
            plan.datacenter,
            nodes.join(", ")
        );
        return Err(Problem::new(Kind::Refused, "other-datacenter", message));
    }
    Ok(unit)
}

/// The link that is asked about, if this node is at its target, and what it does with the topic.
pub(super) fn link<'a>(
    plan: &'a NodePlan,
    request: &TranslateRequest,
) -> Result<(&'a LinkPlan, &'a Flow), Problem> {
    let TranslateRequest { link: name, topic, .. } = request;
    let link = plan.links().find(|link| link.name == *name).ok_or_else(|| {
        let names: Vec<&str> = plan.links().map(|link| link.name.as_str()).collect();
        let message = format!("no link {name:?} here; there are: {}", names.join(", "));
        Problem::new(Kind::NotFound, "unknown-link", message)
    })?;
    if link.side != Side::Target {
        let nodes: Vec<&str> = link.peers.iter().map(|peer| peer.node.as_str()).collect();
        let message =
            format!("this node is the source of {name}; ask its target, with --admin: {}", nodes.join(", "));
        return Err(Problem::new(Kind::Refused, "other-end", message));
    }
    let flow = link.flow(topic).ok_or_else(|| {
        let message = format!("{name} does not carry {topic:?}; name the topic as the source does");
        Problem::new(Kind::NotFound, "unknown-topic", message)
    })?;
    Ok((link, flow))
}

/// Why an offset cannot be taken across, though it may have been mirrored.
pub(super) fn not_translated(reason: &StopReason) -> Problem {
    Problem::new(Kind::Unavailable, reason.code(), format!("{reason}; {}", reason.action()))
}

/// Why there is no report. The mirror's own refusals say what to do; codes are for scripts.
pub(super) fn failed(error: &FailoverError) -> Problem {
    match error {
        FailoverError::UnknownUnit(_) => Problem::new(Kind::NotFound, "unknown-unit", error),
        FailoverError::Refused(refusal) => Problem::new(Kind::Refused, code(refusal), refusal),
        FailoverError::Interrupted => Problem::new(Kind::Unavailable, "interrupted", error),
    }
}

fn code(refusal: &FailoverRefusal) -> &'static str {
    match refusal {
        FailoverRefusal::OtherDatacenter { .. } => "other-datacenter",
        FailoverRefusal::NotAMember { .. } => "not-a-member",
        FailoverRefusal::Diverged { .. } => "diverged",
        FailoverRefusal::Restoring { .. } => "restoring",
        FailoverRefusal::FencedFor { .. } => "fenced-for",
        FailoverRefusal::Overruled { .. } => "overruled",
        FailoverRefusal::NotHeardYet { .. } => "not-heard-yet",
        FailoverRefusal::OldHomeUnreachable { .. } => "old-home-unreachable",
        FailoverRefusal::OutOfGenerations => "out-of-generations",
        FailoverRefusal::SurveyFailed { .. } => "survey-failed",
    }
}
