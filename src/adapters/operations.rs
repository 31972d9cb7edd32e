//! What an operator asks of a node, asked of its mirror.

use std::{collections::BTreeSet, sync::Arc};

use mirror::{
    driver::FailoverError,
    mirror::{FailoverOptions, Mirror},
    ownership::{FailoverReport, Gate, UnitView},
    status::{IncomingLink, IncomingPartition, OutgoingLink, OutgoingPartition, State, Status, Stopped},
};
use topology::{Flow, LinkPlan, NodePlan, Peer, Side, UnitPlan};

use crate::operations::{
    Answering, FailoverRequest, Kind, NodeStatus, Operations, Problem, Telling, TranslateRequest, Translated,
    status::{LinkStatus, NodeNames, PartitionStatus, Stop, SubscriptionStatus, UnitStatus},
};

/// A node of a topology; one without links has no mirror.
pub(crate) struct NodeOperations {
    plan: Arc<NodePlan>,
    mirror: Option<Arc<Mirror>>,
}

impl NodeOperations {
    pub(crate) fn new(plan: Arc<NodePlan>, mirror: Option<Arc<Mirror>>) -> Self {
        Self { plan, mirror }
    }

    fn names(&self) -> NodeNames {
        NodeNames {
            topology: self.plan.topology.to_string(),
            datacenter: self.plan.datacenter.to_string(),
            node: self.plan.node.to_string(),
            broker_id: self.plan.broker_id,
        }
    }

    /// Links that are declared, each with what the mirror says of it.
    fn links(&self, status: &Status) -> Vec<LinkStatus> {
        let ends = self.plan.links().flat_map(|link| link.peers.iter().map(move |peer| (link, peer)));
        ends.map(|(link, peer)| match link.side {
            Side::Target => incoming(link, peer, &status.incoming),
            Side::Source => outgoing(link, peer, &status.outgoing),
        })
        .collect()
    }
}

impl Operations for NodeOperations {
    fn status(&self) -> Telling<'_, NodeStatus> {
        Box::pin(async move {
            let status = match &self.mirror {
                Some(mirror) => mirror.status().await,
                None => Status { incoming: Vec::new(), outgoing: Vec::new(), units: Vec::new() },
            };
            let units = self.mirror.iter().flat_map(|mirror| mirror.units().all());
            NodeStatus {
                node: Some(self.names()),
                links: self.links(&status),
                units: units.map(|view| unit(&view)).collect(),
                ..NodeStatus::default()
            }
        })
    }

    fn failover(&self, request: FailoverRequest) -> Answering<'_, FailoverReport> {
        Box::pin(async move {
            let unit = unit_here(&self.plan, &request)?;
            let Some(mirror) = &self.mirror else { return Err(Problem::starting()) };
            let FailoverRequest { to, dry_run, unplanned, .. } = &request;
            let options = FailoverOptions { dry_run: *dry_run, unplanned: *unplanned };
            mirror.failover(unit.name.as_str(), to, options).await.map_err(|error| failover_problem(&error))
        })
    }

    fn translate(&self, request: TranslateRequest) -> Answering<'_, Translated> {
        Box::pin(async move {
            let (link, _) = translated_link(&self.plan, &request)?;
            Err(not_built("translate", &link.name))
        })
    }
}

/// The unit to be moved, if its new home is here.
fn unit_here<'a>(plan: &'a NodePlan, request: &FailoverRequest) -> Result<&'a UnitPlan, Problem> {
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
fn translated_link<'a>(
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

fn failover_problem(error: &FailoverError) -> Problem {
    let (kind, code) = match error {
        FailoverError::UnknownUnit(_) => (Kind::NotFound, "unknown-unit"),
        FailoverError::Refused(_) => (Kind::Refused, "failover-refused"),
        FailoverError::Interrupted => (Kind::Unavailable, "interrupted"),
    };
    Problem::new(kind, code, error)
}

fn not_built(verb: &str, of: &str) -> Problem {
    Problem::new(Kind::Unavailable, "not-yet", format!("{verb} of {of} is not there yet"))
}

fn unit(view: &UnitView) -> UnitStatus {
    UnitStatus {
        name: view.unit.clone(),
        state: view.state.as_str().to_owned(),
        home: view.home.to_string(),
        generation: view.generation.0,
        writable: view.gate == Gate::Open,
    }
}

fn incoming(link: &LinkPlan, peer: &Peer, views: &[IncomingLink]) -> LinkStatus {
    let view = views.iter().find(|view| view.link == link.name && view.peer.node == peer.node.as_str());
    let connected = view.is_some_and(|view| view.connected);
    LinkStatus {
        problem: view.filter(|_| !connected).and_then(|view| view.last_error.clone()),
        partitions: view.iter().flat_map(|view| &view.partitions).map(partition).collect(),
        ..link_end(link, peer, connected)
    }
}

fn outgoing(link: &LinkPlan, peer: &Peer, views: &[OutgoingLink]) -> LinkStatus {
    let view = views.iter().find(|view| view.link == link.name && view.peer.node == peer.node.as_str());
    LinkStatus {
        subscriptions: view.iter().flat_map(|view| &view.partitions).map(subscription).collect(),
        ..link_end(link, peer, view.is_some())
    }
}

fn link_end(link: &LinkPlan, peer: &Peer, connected: bool) -> LinkStatus {
    LinkStatus {
        name: link.name.clone(),
        side: link.side.to_string(),
        peer: peer.node.to_string(),
        state: if connected { "connected" } else { "disconnected" }.to_owned(),
        ..LinkStatus::default()
    }
}

fn partition(view: &IncomingPartition) -> PartitionStatus {
    let state = match view.state {
        State::Starting => "starting",
        State::Backfilling => "catching-up",
        State::Live => "live",
        State::NoSpace => "no-space",
        State::Stopped => "stopped",
    };
    let stop = |Stopped { code, reason, action, .. }: &Stopped| Stop {
        code: (*code).to_owned(),
        what: reason.clone(),
        action: (*action).to_owned(),
    };
    PartitionStatus {
        topic: view.topic.clone(),
        partition: view.partition,
        state: state.to_owned(),
        source_end: Some(view.source_end),
        position: Some(view.durable_end),
        lag_records: Some(view.lag_records),
        lag_seconds: Some(view.lag_ms as f64 / 1_000.0),
        stop: view.stop.as_ref().map(stop),
    }
}

fn subscription(view: &OutgoingPartition) -> SubscriptionStatus {
    SubscriptionStatus {
        topic_id: view.topic_id.clone(),
        partition: view.partition,
        live: view.live,
        sent: view.sent,
        acked: view.acked,
        source_end: view.end,
    }
}
