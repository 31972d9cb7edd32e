//! What a link carries now: what the topology declares, as far as ownership lets it.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::RwLock;
use tokio::sync::watch;

use protocol::{GroupId, TopicName};

use crate::ownership::{
    Datacenter, Gate, HomeGeneration, Membership, UnitView, flows, gate_of_group, gate_of_topic,
};

/// What the topology says of a link.
pub trait LinkRules: Send + Sync + 'static {
    /// Whether and how records of this topic of the source are carried. Internal topics never are.
    fn topic(&self, name: &str) -> Option<TopicRule>;

    fn group(&self, group: &str) -> bool;
}

/// How a topic is carried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicRule {
    pub landing: Landing,
    /// Its share of the link beside others: 1 to 100.
    pub weight: u32,
}

/// Where a topic's records go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Landing {
    /// The same name, id, offsets and bytes.
    Replica,
    /// Into this topic, which other sources and local producers write too.
    Merged { into: TopicName },
}

/// The state of all failover units of this datacenter, as their state machines published it.
pub struct UnitViews {
    membership: Arc<dyn Membership + Send + Sync>,
    views: RwLock<BTreeMap<String, UnitView>>,
    changes: watch::Sender<u64>,
}

impl UnitViews {
    pub(crate) fn new(membership: Arc<dyn Membership + Send + Sync>) -> Self {
        Self { membership, views: RwLock::default(), changes: watch::Sender::new(0) }
    }

    pub(crate) fn publish(&self, view: UnitView) {
        self.views.write().insert(view.unit.clone(), view);
        self.changes.send_modify(|count| *count += 1);
    }

    /// As if it had no view: fenced.
    pub(crate) fn close(&self, unit: &str) {
        self.views.write().remove(unit);
        self.changes.send_modify(|count| *count += 1);
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub fn unit(&self, unit: &str) -> Option<UnitView> {
        self.views.read().get(unit).cloned()
    }

    pub fn all(&self) -> Vec<UnitView> {
        self.views.read().values().cloned().collect()
    }

    /// Who may write a topic here.
    pub fn gate_of_topic(&self, topic: &str) -> Gate {
        gate_of_topic(topic, &Asked(&*self.membership), &*self.views.read())
    }

    /// Whether a group may be used here.
    pub fn gate_of_group(&self, group: &str) -> Gate {
        gate_of_group(group, &Asked(&*self.membership), &*self.views.read())
    }

    pub(crate) fn membership(&self) -> &(dyn Membership + Send + Sync) {
        &*self.membership
    }
}

/// What one link carries now.
#[derive(Clone)]
pub(crate) struct Flows {
    pub(crate) from: Datacenter,
    pub(crate) to: Datacenter,
    pub(crate) rules: Arc<dyn LinkRules>,
    pub(crate) units: Arc<UnitViews>,
}

impl Flows {
    /// How a topic of the source is carried now, and at which home generation.
    pub(crate) fn topic(&self, name: &str) -> Option<(TopicRule, HomeGeneration)> {
        let rule = self.rules.topic(name)?;
        let membership = Asked(self.units.membership());
        let generation = flows(&self.from, &self.to, name, &membership, &*self.units.views.read())?;
        Some((rule, generation))
    }

    /// The home generation at which positions of a group are carried now.
    pub(crate) fn group(&self, group: &GroupId) -> Option<HomeGeneration> {
        if !self.rules.group(group.as_str()) {
            return None;
        }
        match self.units.membership().unit_of_group(group.as_str()) {
            None => Some(HomeGeneration::default()),
            Some(unit) => self.units.views.read().get(unit)?.flow(&self.from, &self.to),
        }
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.units.changes()
    }
}

/// Lends a dynamic membership to the functions that take any.
struct Asked<'a>(&'a (dyn Membership + Send + Sync));

impl Membership for Asked<'_> {
    fn unit_of_topic(&self, topic: &str) -> Option<&str> {
        self.0.unit_of_topic(topic)
    }

    fn unit_of_group(&self, group: &str) -> Option<&str> {
        self.0.unit_of_group(group)
    }
}
