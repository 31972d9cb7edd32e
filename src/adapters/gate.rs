//! Who may write and commit here: what the mirror's units say, and what the topology says of topics outside of units.

use std::{collections::BTreeMap, sync::Arc};

use broker::{Gate, GroupGate, TopicGate};
use mirror::ownership::{self, Membership, UnitView, gate_of_group, gate_of_topic};
use tokio::sync::watch;
use topology::{Flow, NodePlan, Side};

/// The views of all units, as the mirror publishes them.
pub(crate) type UnitViews = watch::Receiver<Arc<BTreeMap<String, UnitView>>>;

pub(crate) struct WriteGate {
    units: Units,
    views: UnitViews,
}

impl WriteGate {
    pub(crate) fn new(plan: Arc<NodePlan>, views: UnitViews) -> Self {
        Self { units: Units(plan), views }
    }
}

/// Which unit a name belongs to, by the topology.
#[derive(Clone)]
pub(crate) struct Units(pub(crate) Arc<NodePlan>);

impl Membership for Units {
    fn unit_of_topic(&self, topic: &str) -> Option<&str> {
        self.0.unit_of_topic(topic).map(|unit| unit.name.as_str())
    }

    fn unit_of_group(&self, group: &str) -> Option<&str> {
        self.0.unit_of_group(group).map(|unit| unit.name.as_str())
    }
}

impl Gate for WriteGate {
    fn topic(&self, name: &str) -> TopicGate {
        if self.units.unit_of_topic(name).is_none()
            && let Some(home) = source_of_replica(&self.units.0, name)
        {
            return TopicGate::ReadOnly { home };
        }
        match gate_of_topic(name, &self.units, &**self.views.borrow()) {
            ownership::Gate::Open => TopicGate::Open,
            ownership::Gate::ReadOnly { home } => TopicGate::ReadOnly { home: home.shared() },
            ownership::Gate::Fenced => TopicGate::Fenced,
        }
    }

    fn group(&self, id: &str) -> GroupGate {
        match gate_of_group(id, &self.units, &**self.views.borrow()) {
            ownership::Gate::Open => GroupGate::Open,
            // What a standby's group commits would be written over by the home's commits, or write over them.
            ownership::Gate::ReadOnly { .. } | ownership::Gate::Fenced => GroupGate::Fenced,
        }
    }
}

/// The datacenter that a topic outside of units is a replica of. The topology allows one.
fn source_of_replica(plan: &NodePlan, topic: &str) -> Option<Arc<str>> {
    let incoming = plan.links().filter(|link| link.side == Side::Target);
    let source = |link: &topology::LinkPlan| match link.flow(topic)? {
        Flow::Replica => link.peers.first().map(|peer| Arc::from(peer.datacenter.as_str())),
        Flow::Merged { .. } => None,
    };
    incoming.into_iter().find_map(source)
}

#[cfg(test)]
mod tests {
    use mirror::ownership::{HomeGeneration, StateName};

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

    fn gate(node: &str, views: BTreeMap<String, UnitView>) -> WriteGate {
        let loaded = topology::load("t.yaml", TOPOLOGY).expect("a valid file");
        let plan = topology::plan(&loaded.topology, node).expect("a node of it");
        WriteGate::new(Arc::new(plan), watch::Sender::new(Arc::new(views)).subscribe())
    }

    fn view(gate: ownership::Gate) -> BTreeMap<String, UnitView> {
        let view = UnitView {
            unit: "orders".to_owned(),
            state: StateName::Standby,
            generation: HomeGeneration(1),
            home: "us".into(),
            gate,
            flowing: true,
        };
        BTreeMap::from([("orders".to_owned(), view)])
    }

    #[test]
    fn a_unit_decides_over_its_topics_and_groups() {
        let read_only = gate("eu-1", view(ownership::Gate::ReadOnly { home: "us".into() }));
        assert_eq!(read_only.topic("orders.eu"), TopicGate::ReadOnly { home: "us".into() });
        assert_eq!(read_only.group("checkout-1"), GroupGate::Fenced);
        let open = gate("eu-1", view(ownership::Gate::Open));
        assert_eq!(open.topic("orders.eu"), TopicGate::Open);
        assert_eq!(open.group("checkout-1"), GroupGate::Open);
        let fenced = gate("us-1", view(ownership::Gate::Fenced));
        assert_eq!(fenced.topic("orders.eu"), TopicGate::Fenced);
        assert_eq!(fenced.group("checkout-1"), GroupGate::Fenced);
    }

    #[test]
    fn a_unit_that_was_not_heard_of_yet_is_fenced() {
        let gate = gate("us-1", BTreeMap::new());
        assert_eq!(gate.topic("orders.eu"), TopicGate::Fenced);
        assert_eq!(gate.group("checkout-1"), GroupGate::Fenced);
    }

    #[test]
    fn a_replica_outside_of_units_is_read_only_at_the_target_alone() {
        let target = gate("eu-1", BTreeMap::new());
        assert_eq!(target.topic("plain.a"), TopicGate::ReadOnly { home: "us".into() });
        assert_eq!(gate("us-1", BTreeMap::new()).topic("plain.a"), TopicGate::Open);
    }

    #[test]
    fn merged_and_other_topics_and_groups_are_open() {
        let target = gate("eu-1", BTreeMap::new());
        for topic in ["all-clicks", "clicks", "local", "__consumer_offsets"] {
            assert_eq!(target.topic(topic), TopicGate::Open, "{topic}");
        }
        assert_eq!(target.group("readers"), GroupGate::Open);
    }
}
