//! What an operator asks of a node, asked of its mirror.

use std::sync::Arc;

use mirror::{
    driver::{PathView, Which},
    mirror::{FailoverOptions, Mirror, Translation},
    ownership::{FailoverReport, Gate, OrphanedTail, UnitView},
    status::{
        IncomingLink, IncomingPartition, OutgoingLink, OutgoingPartition, State, Status, Stopped,
        StoppedPartition,
    },
};
use topology::{Flow, LinkPlan, NodePlan, Peer, Side};

use super::asked;
use crate::operations::{
    Answering, FailoverRequest, NodeStatus, Operations, Problem, ResumeReport, ResumeRequest,
    ResumedPartition, Telling, TranslateRequest, Translated,
    status::{
        LinkStatus, NodeNames, PartitionStatus, Stop, SubscriptionStatus, TailStatus, TransportStatus,
        UnitStatus,
    },
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
            asked::unit(&self.plan, &request)?;
            let FailoverRequest { unit, to, dry_run, unplanned } = request;
            let mirror = self.mirror.as_ref().ok_or_else(Problem::stands_alone)?;
            let options = FailoverOptions { dry_run, unplanned };
            mirror.failover(&unit, &to, options).await.map_err(|error| asked::failed(&error))
        })
    }

    fn resume(&self, request: ResumeRequest) -> Answering<'_, ResumeReport> {
        Box::pin(async move {
            let link = asked::link(&self.plan, &request.link)?;
            let ResumeRequest { topic, partition, dry_run, .. } = request;
            topic.as_ref().map(|topic| asked::flow(link, topic)).transpose()?;
            let mirror = self.mirror.as_ref().ok_or_else(Problem::stands_alone)?;
            let stopped = mirror.resume(&link.name, Which { topic, partition }, dry_run).await;
            let partitions = stopped.iter().map(resumed).collect();
            Ok(ResumeReport { link: link.name.clone(), dry_run, partitions })
        })
    }

    fn translate(&self, request: TranslateRequest) -> Answering<'_, Translated> {
        Box::pin(async move {
            let Some(mirror) = &self.mirror else {
                return Err(asked::link(&self.plan, &request.link)
                    .err()
                    .unwrap_or_else(Problem::stands_alone));
            };
            let TranslateRequest { link, topic, partition, offset, reverse } = request;
            let found = match reverse {
                false => mirror.translate(&link, &topic, partition, offset).await,
                true => mirror.translate_back(&link, &topic, partition, offset).await,
            };
            let found = found.map_err(|reason| asked::not_translated(&reason))?;
            // What was mirrored once is answered, whatever the topology says of it now.
            let target_topic = match &found {
                Some(found) => found.target_topic.clone(),
                None => match asked::flow(asked::link(&self.plan, &link)?, &topic)? {
                    Flow::Replica => topic.clone(),
                    Flow::Merged { into } => into.to_string(),
                },
            };
            let (translated, how) = (found.as_ref().map(|found| found.offset), how(found.as_ref()));
            Ok(Translated { link, topic, target_topic, partition, offset, reverse, translated, how })
        })
    }
}

fn how(found: Option<&Translation>) -> String {
    match found {
        None => "nothing of this partition was mirrored yet".to_owned(),
        Some(Translation { missing: 0, skipped: 0, .. }) => "exact".to_owned(),
        Some(Translation { missing, skipped: 0, .. }) => {
            format!("{missing} offsets ahead of what was mirrored; this is where the mirror ends")
        }
        Some(Translation { skipped, .. }) => {
            format!("{skipped} offsets before the first one that is still kept; this is that one")
        }
    }
}

fn unit(view: &UnitView) -> UnitStatus {
    UnitStatus {
        name: view.unit.clone(),
        state: view.state.as_str().to_owned(),
        home: view.home.to_string(),
        generation: view.generation.0,
        writable: view.gate == Gate::Open,
        tails: view.tails.iter().map(tail).collect(),
    }
}

fn tail(tail: &OrphanedTail) -> TailStatus {
    let OrphanedTail { topic, partition, common, end } = tail.clone();
    TailStatus { topic, partition, common, end }
}

fn incoming(link: &LinkPlan, peer: &Peer, views: &[IncomingLink]) -> LinkStatus {
    let view = views.iter().find(|view| view.link == link.name && view.peer.node == peer.node.as_str());
    let connected = view.is_some_and(|view| view.connected);
    LinkStatus {
        transport: view.and_then(|view| view.path).map(transport),
        topology_differs: view.is_some_and(|view| view.topology_differs),
        problem: view.filter(|_| !connected).and_then(|view| view.last_error.clone()),
        partitions: view.map_or_else(Vec::new, partitions),
        ..link_end(link, peer, connected)
    }
}

/// Those that are mirrored, and those of topics that cannot be.
fn partitions(view: &IncomingLink) -> Vec<PartitionStatus> {
    let of_topics = view.stopped_topics.iter().flat_map(|topic| {
        (0..topic.partitions).map(|partition| PartitionStatus {
            topic: topic.topic.clone(),
            partition,
            state: "stopped".to_owned(),
            source_end: None,
            position: None,
            lag_records: None,
            lag_seconds: None,
            stop: Some(Stop {
                code: topic.code.to_owned(),
                what: topic.reason.clone(),
                action: topic.action.to_owned(),
            }),
        })
    });
    view.partitions.iter().map(partition).chain(of_topics).collect()
}

fn outgoing(link: &LinkPlan, peer: &Peer, views: &[OutgoingLink]) -> LinkStatus {
    let view = views.iter().find(|view| view.link == link.name && view.peer.node == peer.node.as_str());
    LinkStatus {
        transport: view.map(|view| transport(view.path)),
        topology_differs: view.is_some_and(|view| view.topology_differs),
        subscriptions: view.iter().flat_map(|view| &view.partitions).map(subscription).collect(),
        ..link_end(link, peer, view.is_some())
    }
}

fn stop(stopped: &Stopped) -> Stop {
    let Stopped { code, reason, action, .. } = stopped;
    Stop { code: (*code).to_owned(), what: reason.clone(), action: (*action).to_owned() }
}

fn resumed(stopped: &StoppedPartition) -> ResumedPartition {
    let StoppedPartition { topic, partition, stop: why } = stopped;
    ResumedPartition { topic: topic.clone(), partition: *partition, stop: stop(why) }
}

fn transport(path: PathView) -> TransportStatus {
    TransportStatus {
        rtt_ms: path.rtt.as_secs_f64() * 1_000.0,
        congestion_window_bytes: path.congestion_window_bytes,
        sent_bytes: path.sent_bytes,
        received_bytes: path.received_bytes,
        lost_packets: path.lost_packets,
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
        State::Closed => "closed",
        State::Stopped => "stopped",
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

#[cfg(test)]
mod tests {
    use mirror::{driver, status::StoppedTopic};

    use super::*;

    #[test]
    fn a_topic_that_does_not_flow_is_told_partition_by_partition() {
        let topic = StoppedTopic {
            topic: "orders".to_owned(),
            topic_id: "AAAAAAAAAAAAAAAAAAAABw".to_owned(),
            partitions: 2,
            code: "local-topic-in-the-way",
            reason: "a topic of its own is here".to_owned(),
            action: "delete it",
        };
        let view = IncomingLink {
            link: "us:eu".to_owned(),
            peer: driver::Peer { datacenter: "us".to_owned(), node: "us-1".to_owned() },
            connected: true,
            last_error: None,
            topology_differs: false,
            path: None,
            partitions: Vec::new(),
            stopped_topics: vec![topic],
        };
        let told = partitions(&view);
        let codes = told.iter().map(|partition| partition.stop.as_ref().map(|stop| stop.code.as_str()));
        assert_eq!(codes.collect::<Vec<_>>(), [Some("local-topic-in-the-way"); 2]);
        assert_eq!((told[0].partition, told[1].partition, told[1].state.as_str()), (0, 1, "stopped"));
    }
}
