//! What a unit's state means to a client and to a link. Derived, never stored, never branched on by the state machine.

use super::{
    generation::HomeGeneration,
    members::Datacenter,
    record::{OrphanedTail, StateName},
};

/// May a topic be written, a group be used, here and now?
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gate {
    Open,
    /// The home is elsewhere. The mirror alone writes.
    ReadOnly {
        home: Datacenter,
    },
    /// Undecided: clients shall try again. Nobody writes, the mirror neither.
    Fenced,
}

/// A unit as published by its state machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitView {
    pub unit: String,
    pub state: StateName,
    pub generation: HomeGeneration,
    pub home: Datacenter,
    pub gate: Gate,
    /// Whether records still leave the home for this view's standbys.
    pub flowing: bool,
    /// Records that are only here, if it is diverged.
    pub tails: Vec<OrphanedTail>,
}

impl UnitView {
    /// Whether the link `from` -> `to` carries the unit's topics now, and at which generation.
    pub fn flow(&self, from: &Datacenter, to: &Datacenter) -> Option<HomeGeneration> {
        let away = *from == self.home && to != from;
        (away && self.flowing).then_some(self.generation)
    }

    /// Whether every link carries the same in both.
    pub fn flows_like(&self, other: &Self) -> bool {
        let flow = |view: &Self| view.flowing.then(|| (view.home.clone(), view.generation));
        flow(self) == flow(other)
    }
}

/// Which unit a name belongs to: the daemon answers from the topology, with the internal names left out.
pub trait Membership {
    fn unit_of_topic(&self, topic: &str) -> Option<&str>;
    fn unit_of_group(&self, group: &str) -> Option<&str>;
}

/// The views of all units. A unit that is declared and has no view yet is fenced.
pub trait Views {
    fn view(&self, unit: &str) -> Option<&UnitView>;
}

impl Views for std::collections::BTreeMap<String, UnitView> {
    fn view(&self, unit: &str) -> Option<&UnitView> {
        self.get(unit)
    }
}

/// Topics outside of units are open.
pub fn gate_of_topic(topic: &str, members: &impl Membership, views: &impl Views) -> Gate {
    gate_of(members.unit_of_topic(topic), views)
}

/// Groups outside of units are open.
pub fn gate_of_group(group: &str, members: &impl Membership, views: &impl Views) -> Gate {
    gate_of(members.unit_of_group(group), views)
}

/// Whether the link `from` -> `to` carries a topic now. One outside of units is carried, at generation 0, whenever the
/// link's rules say so; they are not asked here.
pub fn flows(
    from: &Datacenter,
    to: &Datacenter,
    topic: &str,
    members: &impl Membership,
    views: &impl Views,
) -> Option<HomeGeneration> {
    match members.unit_of_topic(topic) {
        None => Some(HomeGeneration::default()),
        Some(unit) => views.view(unit)?.flow(from, to),
    }
}

fn gate_of(unit: Option<&str>, views: &impl Views) -> Gate {
    match unit {
        None => Gate::Open,
        Some(unit) => views.view(unit).map_or(Gate::Fenced, |view| view.gate.clone()),
    }
}
