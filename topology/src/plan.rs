//! From the declared world to one node's part in it: what it listens on, whom it dials, whom it expects, what flows, and which units it
//! is home or standby of.
//!
//! A plan is a value: the daemon compares the one it runs with the one a new file gives, and nothing here knows what runs.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use crate::endpoint::Endpoint;
use crate::model::{
    Codec, Datacenter, FailoverUnit, Flow, Link, Node, OnGap, TopicRule, Topology, WhenApart, broker_id,
};
use crate::name::Name;
use crate::pattern::{GroupPattern, TopicPattern};
use crate::rate::Rate;
use crate::suggest::nearest;

/// The end of a link that opens the connection. The target does: its log is the only truth about what arrived, so it is the one that
/// knows when to come back and where to resume; and a source that is in trouble is not kept busy by dialling.
pub const DIALLING: Side = Side::Target;

/// What one node must run.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NodePlan {
    pub topology: Name,
    pub datacenter: Name,
    pub datacenter_id: u32,
    pub node: Name,
    pub broker_id: i32,
    pub kafka: Endpoint,
    /// Present when a link touches the datacenter.
    pub link: Option<Endpoint>,
    /// Links whose connections this node opens.
    pub dial: Vec<LinkPlan>,
    /// Links whose connections the peers open.
    pub accept: Vec<LinkPlan>,
    /// Units with this datacenter as a member.
    pub units: Vec<UnitPlan>,
}

/// This node's end of a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LinkPlan {
    /// `FROM:TO`.
    pub name: String,
    pub side: Side,
    /// The nodes at the other end: exactly those may be talked to about this link.
    pub peers: Vec<Peer>,
    pub topics: Vec<TopicRule>,
    pub groups: Vec<GroupPattern>,
    pub codec: Codec,
    pub rate: Option<Rate>,
    pub on_gap: OnGap,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    Source,
    Target,
}

/// A node at the other end: the two names of its certificate identity, and where it is reached.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Peer {
    pub datacenter: Name,
    pub node: Name,
    pub endpoint: Endpoint,
}

/// This datacenter's part in a failover unit, as declared: who is home now is kept by the daemons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnitPlan {
    pub name: Name,
    pub role: UnitRole,
    pub topics: Vec<TopicPattern>,
    pub groups: Vec<GroupPattern>,
    pub home: Name,
    pub standby: Vec<Name>,
    pub when_apart: WhenApart,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum UnitRole {
    Home,
    Standby,
}

/// `--node` names no node of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownNode {
    pub node: String,
    pub fix: String,
}

pub fn plan(topology: &Topology, node: &str) -> Result<NodePlan, UnknownNode> {
    let unknown = || {
        let nodes = topology.datacenters.iter().flat_map(|datacenter| datacenter.nodes());
        let fix = nearest(node, nodes.map(|node| node.name.as_str()));
        UnknownNode { node: crate::name::shown(node), fix }
    };
    let (datacenter, number, node) = topology.node(node).ok_or_else(unknown)?;
    let datacenter_id = datacenter.id().ok_or_else(unknown)?;
    let broker_id = broker_id(datacenter_id, number).ok_or_else(unknown)?;
    let ends: Vec<LinkPlan> =
        topology.links.iter().filter_map(|link| end(topology, link, datacenter)).collect();
    let (dial, accept) = ends.into_iter().partition(|end| end.side == DIALLING);
    Ok(NodePlan {
        topology: topology.name.value.clone(),
        datacenter: datacenter.name.value.clone(),
        datacenter_id,
        node: node.name.value.clone(),
        broker_id,
        kafka: node.kafka.value.clone(),
        link: node.link.as_ref().map(|endpoint| endpoint.value.clone()),
        dial,
        accept,
        units: topology.failover.iter().filter_map(|unit| part(unit, datacenter)).collect(),
    })
}

impl NodePlan {
    pub fn links(&self) -> impl Iterator<Item = &LinkPlan> {
        self.dial.iter().chain(&self.accept)
    }

    /// Everybody this node may open a connection to, once.
    pub fn peers_to_dial(&self) -> BTreeSet<&Peer> {
        self.dial.iter().flat_map(|link| &link.peers).collect()
    }

    /// Everybody whose connection this node accepts, once.
    pub fn peers_to_accept(&self) -> BTreeSet<&Peer> {
        self.accept.iter().flat_map(|link| &link.peers).collect()
    }

    pub fn unit_of_topic(&self, topic: &str) -> Option<&UnitPlan> {
        self.units.iter().find(|unit| unit.topics.iter().any(|pattern| pattern.matches(topic)))
    }

    pub fn unit_of_group(&self, group: &str) -> Option<&UnitPlan> {
        self.units.iter().find(|unit| unit.groups.iter().any(|pattern| pattern.matches(group)))
    }
}

impl LinkPlan {
    /// What the link does with a topic of its source; the first rule that matches decides. Whether it does so now may further depend
    /// on who is the home of the topic's unit.
    pub fn flow(&self, topic: &str) -> Option<&Flow> {
        self.topics.iter().find(|rule| rule.pattern.matches(topic)).map(|rule| &rule.flow)
    }

    pub fn carries_group(&self, group: &str) -> bool {
        self.groups.iter().any(|pattern| pattern.matches(group))
    }
}

/// The end of the link that lies in the datacenter, if one does.
fn end(topology: &Topology, link: &Link, datacenter: &Datacenter) -> Option<LinkPlan> {
    let (side, other) = match () {
        () if link.from == datacenter.name => (Side::Source, &link.to),
        () if link.to == datacenter.name => (Side::Target, &link.from),
        () => return None,
    };
    let other = topology.datacenter(other.as_str())?;
    Some(LinkPlan {
        name: link.name(),
        side,
        peers: other.nodes().iter().filter_map(|node| peer(other, node)).collect(),
        topics: link.topics.clone(),
        groups: link.groups.iter().map(|pattern| pattern.value.clone()).collect(),
        codec: link.codec.value,
        rate: link.rate.map(|rate| rate.value),
        on_gap: link.on_gap.value,
    })
}

fn peer(datacenter: &Datacenter, node: &Node) -> Option<Peer> {
    Some(Peer {
        datacenter: datacenter.name.value.clone(),
        node: node.name.value.clone(),
        endpoint: node.link.as_ref()?.value.clone(),
    })
}

fn part(unit: &FailoverUnit, datacenter: &Datacenter) -> Option<UnitPlan> {
    let role = match () {
        () if unit.home == datacenter.name => UnitRole::Home,
        () if unit.standby.contains(&datacenter.name) => UnitRole::Standby,
        () => return None,
    };
    Some(UnitPlan {
        name: unit.name.value.clone(),
        role,
        topics: unit.topics.iter().map(|pattern| pattern.value.clone()).collect(),
        groups: unit.groups.iter().map(|pattern| pattern.value.clone()).collect(),
        home: unit.home.value.clone(),
        standby: unit.standby.iter().map(|name| name.value.clone()).collect(),
        when_apart: unit.when_apart.value,
    })
}

impl fmt::Display for UnknownNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the topology has no node `{}`; {}", self.node, self.fix)
    }
}

impl std::error::Error for UnknownNode {}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Target => "target",
        })
    }
}

impl fmt::Display for UnitRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Home => "home",
            Self::Standby => "standby",
        })
    }
}
