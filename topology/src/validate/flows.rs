//! The rules of all links as one list of flows, each with the set of names that it really carries: what its pattern matches, less
//! what a rule above it takes.

use super::Check;
use crate::located::Position;
use crate::model::{FailoverUnit, Flow, Link, Topology};
use crate::pattern::{Budget, TopicPattern, Verdict, witness};

/// One topic rule of one link.
#[derive(Clone, Debug)]
pub(super) struct Carried<'a> {
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    pub(super) position: Position,
    pub(super) flow: &'a Flow,
    pub(super) names: Names<'a>,
}

/// The names that all patterns of `within` match and none of `without`.
#[derive(Clone, Debug, Default)]
pub(super) struct Names<'a> {
    pub(super) within: Vec<&'a TopicPattern>,
    pub(super) without: Vec<&'a TopicPattern>,
}

impl<'a> Names<'a> {
    pub(super) fn and(&self, other: &Names<'a>) -> Names<'a> {
        let mut both = self.clone();
        both.within.extend(&other.within);
        both.without.extend(&other.without);
        both.within.sort_unstable_by_key(|pattern| pattern.as_str());
        both.within.dedup_by_key(|pattern| pattern.as_str());
        both.without.sort_unstable_by_key(|pattern| pattern.as_str());
        both.without.dedup_by_key(|pattern| pattern.as_str());
        both
    }

    pub(super) fn without(mut self, patterns: impl IntoIterator<Item = &'a TopicPattern>) -> Names<'a> {
        self.without.extend(patterns);
        self
    }

    pub(super) fn example(&self, budget: &mut Budget) -> Option<String> {
        witness(&self.within, &self.without, budget).name()
    }

    /// Proved to hold no name.
    pub(super) fn is_empty(&self, budget: &mut Budget) -> bool {
        witness(&self.within, &self.without, budget) == Verdict::Never
    }
}

impl Carried<'_> {
    pub(super) fn is_replica(&self) -> bool {
        matches!(self.flow, Flow::Replica)
    }
}

pub(super) fn carried<'a>(topology: &'a Topology) -> Vec<Carried<'a>> {
    topology
        .links
        .iter()
        .flat_map(|link| (0..link.topics.len()).filter_map(move |at| of_rule(link, at)))
        .collect()
}

pub(super) fn of_rule<'a>(link: &'a Link, at: usize) -> Option<Carried<'a>> {
    let rule = link.topics.get(at)?;
    let names = Names {
        within: vec![&rule.pattern.value],
        without: link.topics.iter().take(at).map(|above| &above.pattern.value).collect(),
    };
    let (from, to) = (link.from.as_str(), link.to.as_str());
    Some(Carried { from, to, position: rule.pattern.position, flow: &rule.flow, names })
}

/// Patterns of the units that have all these members: for their topics the unit decides who sends, so that only one ever does.
pub(super) fn decided_among<'a>(topology: &'a Topology, members: &[&str]) -> Vec<&'a TopicPattern> {
    let among = |unit: &&FailoverUnit| members.iter().all(|member| unit.has_member(member));
    topology.failover.iter().filter(among).flat_map(patterns).collect()
}

pub(super) fn patterns(unit: &FailoverUnit) -> impl Iterator<Item = &TopicPattern> {
    unit.topics.iter().map(|pattern| &pattern.value)
}

impl<'a> Check<'a> {
    pub(super) fn carried(&self) -> Vec<Carried<'a>> {
        carried(self.topology)
    }
}
