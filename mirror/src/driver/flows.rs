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
///
/// Gates go by a view from the moment it is published, links only once all logs obey the gates: so a position that a link
/// finds in a log is not moved any more by writers who were let in before, and no log is asked to take what it still refuses.
pub struct UnitViews {
    membership: Arc<dyn Membership + Send + Sync>,
    views: RwLock<Views>,
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct Views {
    published: BTreeMap<String, UnitView>,
    /// What links go by. A unit whose logs are on their way from one flow to another has none.
    obeyed: BTreeMap<String, UnitView>,
}

impl UnitViews {
    pub(crate) fn new(membership: Arc<dyn Membership + Send + Sync>) -> Self {
        Self { membership, views: RwLock::default(), changes: watch::Sender::new(0) }
    }

    /// For the gates. Links end what is not to flow any more, and begin nothing yet.
    pub(crate) fn publish(&self, view: UnitView) {
        let mut views = self.views.write();
        if views.obeyed.get(&view.unit).is_some_and(|before| !before.flows_like(&view)) {
            views.obeyed.remove(&view.unit);
        }
        views.published.insert(view.unit.clone(), view);
        drop(views);
        self.changes.send_modify(|count| *count += 1);
    }

    /// The logs do what the view last published says, or refuse everything.
    pub(crate) fn obeyed(&self, unit: &str) {
        let mut views = self.views.write();
        if let Some(view) = views.published.get(unit).cloned() {
            views.obeyed.insert(unit.to_owned(), view);
        }
        drop(views);
        self.changes.send_modify(|count| *count += 1);
    }

    /// As if it had no view: fenced.
    pub(crate) fn close(&self, unit: &str) {
        let mut views = self.views.write();
        views.published.remove(unit);
        views.obeyed.remove(unit);
        drop(views);
        self.changes.send_modify(|count| *count += 1);
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub fn unit(&self, unit: &str) -> Option<UnitView> {
        self.views.read().published.get(unit).cloned()
    }

    pub fn all(&self) -> Vec<UnitView> {
        self.views.read().published.values().cloned().collect()
    }

    /// Who may write a topic here.
    pub fn gate_of_topic(&self, topic: &str) -> Gate {
        gate_of_topic(topic, &Asked(&*self.membership), &self.views.read().published)
    }

    /// Whether a group may be used here.
    pub fn gate_of_group(&self, group: &str) -> Gate {
        gate_of_group(group, &Asked(&*self.membership), &self.views.read().published)
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
        let generation = flows(&self.from, &self.to, name, &membership, &self.units.views.read().obeyed)?;
        Some((rule, generation))
    }

    /// The home generation at which positions of a group are carried now.
    pub(crate) fn group(&self, group: &GroupId) -> Option<HomeGeneration> {
        if !self.rules.group(group.as_str()) {
            return None;
        }
        match self.units.membership().unit_of_group(group.as_str()) {
            None => Some(HomeGeneration::default()),
            Some(unit) => self.units.views.read().obeyed.get(unit)?.flow(&self.from, &self.to),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ownership::StateName;

    /// One unit with every topic and no group.
    struct One;

    impl Membership for One {
        fn unit_of_topic(&self, _topic: &str) -> Option<&str> {
            Some("orders")
        }

        fn unit_of_group(&self, _group: &str) -> Option<&str> {
            None
        }
    }

    impl LinkRules for One {
        fn topic(&self, _name: &str) -> Option<TopicRule> {
            Some(TopicRule { landing: Landing::Replica, weight: 1 })
        }

        fn group(&self, _group: &str) -> bool {
            true
        }
    }

    fn standby(generation: u64, state: StateName) -> UnitView {
        let home = Datacenter::from("east");
        UnitView {
            unit: "orders".to_owned(),
            state,
            generation: HomeGeneration(generation),
            home: home.clone(),
            gate: Gate::ReadOnly { home },
            flowing: true,
            tails: Vec::new(),
        }
    }

    #[test]
    fn a_link_flows_once_the_logs_obey_and_ends_before_they_are_asked() {
        let units = Arc::new(UnitViews::new(Arc::new(One)));
        let (from, to) = (Datacenter::from("east"), Datacenter::from("west"));
        let flows = Flows { from, to, rules: Arc::new(One), units: units.clone() };
        let generation = || flows.topic("a").map(|(_, generation)| generation.0);
        let view = standby(1, StateName::Standby);

        units.publish(view.clone());
        assert_eq!(units.gate_of_topic("a"), view.gate, "gates do not wait");
        assert_eq!(generation(), None, "the logs may still take what others write");
        units.obeyed("orders");
        assert_eq!(generation(), Some(1));

        units.publish(view);
        assert_eq!(generation(), Some(1), "nothing changes for the link");
        units.publish(standby(2, StateName::Standby));
        assert_eq!(generation(), None);
        units.obeyed("orders");
        assert_eq!(generation(), Some(2));
        units.close("orders");
        assert_eq!(generation(), None);
        units.obeyed("orders");
        assert_eq!(generation(), None, "a closed unit has no view to obey");
    }
}
