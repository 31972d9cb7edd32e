//! Who may write and commit here: what the mirror's units say, and what the topology says of topics outside of units.

use std::sync::Arc;

use broker::{Gate, GroupGate, TopicGate};
use mirror::{
    driver::UnitViews,
    ownership::{self, Membership},
};
use topology::{Flow, LinkPlan, NodePlan, Side};

/// What the failover units say. Names that belong to none are open.
pub(crate) trait UnitGates: Send + Sync + 'static {
    fn topic(&self, name: &str) -> ownership::Gate;
    fn group(&self, id: &str) -> ownership::Gate;
}

impl UnitGates for UnitViews {
    fn topic(&self, name: &str) -> ownership::Gate {
        self.gate_of_topic(name)
    }

    fn group(&self, id: &str) -> ownership::Gate {
        self.gate_of_group(id)
    }
}

/// Which unit a name belongs to, by the topology.
pub(crate) struct Units(pub(crate) Arc<NodePlan>);

impl Membership for Units {
    fn unit_of_topic(&self, topic: &str) -> Option<&str> {
        self.0.unit_of_topic(topic).map(|unit| unit.name.as_str())
    }

    fn unit_of_group(&self, group: &str) -> Option<&str> {
        self.0.unit_of_group(group).map(|unit| unit.name.as_str())
    }
}

pub(crate) struct WriteGate<G> {
    plan: Arc<NodePlan>,
    units: Arc<G>,
}

impl<G: UnitGates> WriteGate<G> {
    pub(crate) fn new(plan: Arc<NodePlan>, units: Arc<G>) -> Self {
        Self { plan, units }
    }
}

impl<G: UnitGates> Gate for WriteGate<G> {
    fn topic(&self, name: &str) -> TopicGate {
        if self.plan.unit_of_topic(name).is_none()
            && let Some(home) = source_of_replica(&self.plan, name)
        {
            return TopicGate::ReadOnly { home };
        }
        match self.units.topic(name) {
            ownership::Gate::Open => TopicGate::Open,
            ownership::Gate::ReadOnly { home } => TopicGate::ReadOnly { home: home.shared() },
            ownership::Gate::Fenced => TopicGate::Fenced,
        }
    }

    fn group(&self, id: &str) -> GroupGate {
        match self.units.group(id) {
            ownership::Gate::Open => GroupGate::Open,
            // What a group commits at a standby would be written over by the home's commits, or write over them.
            ownership::Gate::ReadOnly { .. } | ownership::Gate::Fenced => GroupGate::Fenced,
        }
    }
}

/// The datacenter that a topic outside of units is a replica of. The topology allows one.
fn source_of_replica(plan: &NodePlan, topic: &str) -> Option<Arc<str>> {
    let source = |link: &LinkPlan| match link.flow(topic)? {
        Flow::Replica => link.peers.first().map(|peer| Arc::from(peer.datacenter.as_str())),
        Flow::Merged { .. } => None,
    };
    plan.links().filter(|link| link.side == Side::Target).find_map(source)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPOLOGY: &str = r#"
version: 1
name: shop
datacenters:
  us: { id: 1, nodes: [{ name: us-1, kafka: "127.0.0.1:1", link: "127.0.0.1:2" }] }
  eu: { id: 2, nodes: [{ name: eu-1, kafka: "127.0.0.1:3", link: "127.0.0.1:4" }] }
links:
  - from: us
    to: eu
    topics: [{ match: "clicks", into: "all-clicks", mode: merged }, { match: "orders.*" }, { match: "plain.*" }]
    groups: { match: "*" }
  - { from: eu, to: us, topics: [{ match: "orders.*" }], groups: { match: "*" } }
failover:
  - { name: orders, topics: ["orders.*"], groups: ["checkout-*"], home: us, standby: [eu] }
"#;

    /// Every unit says the same.
    struct Say(Units, ownership::Gate);

    impl UnitGates for Say {
        fn topic(&self, name: &str) -> ownership::Gate {
            self.0.unit_of_topic(name).map_or(ownership::Gate::Open, |_| self.1.clone())
        }

        fn group(&self, id: &str) -> ownership::Gate {
            self.0.unit_of_group(id).map_or(ownership::Gate::Open, |_| self.1.clone())
        }
    }

    fn gate(node: &str, say: ownership::Gate) -> WriteGate<Say> {
        let loaded = topology::load("t.yaml", TOPOLOGY).expect("a valid file");
        let plan = Arc::new(topology::plan(&loaded.topology, node).expect("a node of it"));
        WriteGate::new(plan.clone(), Arc::new(Say(Units(plan), say)))
    }

    #[test]
    fn a_unit_decides_over_its_topics_and_groups() {
        let read_only = gate("eu-1", ownership::Gate::ReadOnly { home: "us".into() });
        assert_eq!(read_only.topic("orders.eu"), TopicGate::ReadOnly { home: "us".into() });
        assert_eq!(read_only.group("checkout-1"), GroupGate::Fenced);
        let open = gate("eu-1", ownership::Gate::Open);
        assert_eq!(open.topic("orders.eu"), TopicGate::Open);
        assert_eq!(open.group("checkout-1"), GroupGate::Open);
        let fenced = gate("us-1", ownership::Gate::Fenced);
        assert_eq!(fenced.topic("orders.eu"), TopicGate::Fenced);
        assert_eq!(fenced.group("checkout-1"), GroupGate::Fenced);
    }

    #[test]
    fn a_replica_outside_of_units_is_read_only_at_the_target_alone() {
        let target = gate("eu-1", ownership::Gate::Fenced);
        assert_eq!(target.topic("plain.a"), TopicGate::ReadOnly { home: "us".into() });
        assert_eq!(gate("us-1", ownership::Gate::Fenced).topic("plain.a"), TopicGate::Open);
    }

    #[test]
    fn merged_and_other_topics_and_groups_are_open() {
        let target = gate("eu-1", ownership::Gate::Fenced);
        for topic in ["all-clicks", "clicks", "local", "__consumer_offsets"] {
            assert_eq!(target.topic(topic), TopicGate::Open, "{topic}");
        }
        assert_eq!(target.group("readers"), GroupGate::Open);
    }
}
