//! What a node says about its links, for operators.

use serde::Serialize;

use crate::{
    catalog::TopicRow,
    driver::{PathView, Peer, Resumed, SourceLinkView, TargetView},
    link::{
        receiver::{PartitionState, PartitionView, Stall},
        sender::{Class, SubscriptionView},
    },
    ownership::{OrphanedTail, UnitView},
    stop::StopReason,
};

/// All links of a node.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// Links that this node receives.
    pub incoming: Vec<IncomingLink>,
    /// Links that this node sends, as far as their targets are connected.
    pub outgoing: Vec<OutgoingLink>,
    pub units: Vec<UnitStatus>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IncomingLink {
    /// `FROM:TO`.
    pub link: String,
    pub peer: Peer,
    pub connected: bool,
    /// Why there is no connection, or why the last one ended.
    pub last_error: Option<String>,
    /// The two ends run different topology files.
    pub topology_differs: bool,
    #[serde(skip)]
    pub path: Option<PathView>,
    pub partitions: Vec<IncomingPartition>,
    pub stopped_topics: Vec<StoppedTopic>,
}

/// A topic that should flow and does not, none of its partitions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StoppedTopic {
    pub topic: String,
    pub topic_id: String,
    /// At the source.
    pub partitions: i32,
    pub code: &'static str,
    pub reason: String,
    pub action: &'static str,
}

/// Offsets are offsets of the source's log.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IncomingPartition {
    pub topic: String,
    pub topic_id: String,
    pub partition: i32,
    pub state: State,
    pub stop: Option<Stopped>,
    pub generation: u64,
    /// Durable here up to it.
    pub durable_end: i64,
    /// As last heard.
    pub source_end: i64,
    pub lag_records: u64,
    /// Age of the oldest record at the source that is not durable here.
    pub lag_ms: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Starting,
    Backfilling,
    Live,
    /// Waits for room on the disk, and goes on by itself.
    NoSpace,
    /// Waits for its log to take records of the mirror, and goes on by itself.
    Closed,
    Stopped,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stopped {
    pub code: &'static str,
    pub reason: String,
    pub action: &'static str,
    pub facts: StopReason,
}

/// A partition that was stopped, by its name at the source.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StoppedPartition {
    pub topic: String,
    pub partition: i32,
    pub stop: Stopped,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OutgoingLink {
    pub link: String,
    pub peer: Peer,
    #[serde(skip)]
    pub path: PathView,
    /// The two ends run different topology files.
    pub topology_differs: bool,
    pub partitions: Vec<OutgoingPartition>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OutgoingPartition {
    pub topic_id: String,
    pub partition: i32,
    pub live: bool,
    pub generation: u64,
    pub sent: i64,
    /// Durable at the target up to it.
    pub acked: i64,
    pub end: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UnitStatus {
    pub unit: String,
    pub state: String,
    pub home: String,
    pub generation: u64,
    /// Whether records leave the home for its standbys.
    pub flowing: bool,
    /// Records that are only here, if it is diverged.
    pub tails: Vec<OrphanedTail>,
}

impl IncomingLink {
    pub(crate) fn new(link: String, peer: Peer, view: TargetView) -> Self {
        let TargetView { connected, last_error, path, topology_differs, partitions, stopped_topics } = view;
        let partitions =
            partitions.into_iter().map(|(topic, view)| IncomingPartition::new(topic, view)).collect();
        let stopped_topics = stopped_topics.into_iter().filter_map(StoppedTopic::new).collect();
        Self { link, peer, connected, last_error, topology_differs, path, partitions, stopped_topics }
    }
}

impl StoppedTopic {
    fn new(row: TopicRow) -> Option<Self> {
        let stop = row.stop?;
        Some(Self {
            topic: row.name.to_string(),
            topic_id: row.id.to_string(),
            partitions: i32::try_from(row.partitions).unwrap_or(i32::MAX),
            code: stop.code(),
            reason: stop.to_string(),
            action: stop.action(),
        })
    }
}

impl IncomingPartition {
    fn new(topic: String, view: PartitionView) -> Self {
        let (state, stop) = match view.state {
            PartitionState::Starting => (State::Starting, None),
            PartitionState::Backfilling => (State::Backfilling, None),
            PartitionState::Live => (State::Live, None),
            PartitionState::Stalled(Stall::NoSpace) => (State::NoSpace, None),
            PartitionState::Stalled(Stall::Closed) => (State::Closed, None),
            PartitionState::Stopped(reason) => (State::Stopped, Some(Stopped::new(reason))),
        };
        Self {
            topic,
            topic_id: view.key.topic_id.to_string(),
            partition: view.key.partition.0,
            state,
            stop,
            generation: view.generation.0,
            durable_end: view.durable_end.0,
            source_end: view.source_end.0,
            lag_records: view.lag_records,
            lag_ms: u64::try_from(view.lag.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

impl Stopped {
    fn new(facts: StopReason) -> Self {
        Self { code: facts.code(), reason: facts.to_string(), action: facts.action(), facts }
    }
}

impl From<Resumed> for StoppedPartition {
    fn from(resumed: Resumed) -> Self {
        let Resumed { topic, partition, reason } = resumed;
        Self { topic, partition, stop: Stopped::new(reason) }
    }
}

impl From<SourceLinkView> for OutgoingLink {
    fn from(view: SourceLinkView) -> Self {
        let partitions = view.subscriptions.into_iter().map(OutgoingPartition::from).collect();
        let SourceLinkView { link, peer, path, topology_differs, .. } = view;
        Self { link, peer, path, topology_differs, partitions }
    }
}

impl From<SubscriptionView> for OutgoingPartition {
    fn from(view: SubscriptionView) -> Self {
        Self {
            topic_id: view.topic_id.to_string(),
            partition: view.partition.0,
            live: view.class == Class::Live,
            generation: view.generation.0,
            sent: view.position.0,
            acked: view.acked.0,
            end: view.end.0,
        }
    }
}

impl From<UnitView> for UnitStatus {
    fn from(view: UnitView) -> Self {
        Self {
            unit: view.unit,
            state: format!("{:?}", view.state).to_lowercase(),
            home: view.home.as_str().to_owned(),
            generation: view.generation.0,
            flowing: view.flowing,
            tails: view.tails,
        }
    }
}
