//! The mirror of a node: all its links and failover units, behind one handle.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use core_log::{Clock, Storage};
use protocol::{Offset, PartitionId, TopicName};

use crate::{
    driver::{
        Credentials, FailoverError, HeardEnds, Lines, LinkMetrics, LinkSpec, LinkThread, NodeError,
        NodeParts, Operator, Peer, Places, Random, ResetKey, Resumers, Running, Sessions, Tails, TargetLinks,
        TransportSettings, UnitViews, Units, UnitsError, UnitsParts, Which, run,
    },
    ownership::{Datacenter, FailoverReport, Membership, Settings as UnitSettings},
    ports::Ports,
    position::{SourceOffset, TargetOffset},
    status::{IncomingLink, OutgoingLink, Status, StoppedPartition, UnitStatus},
    stop::StopReason,
    translation::Translated,
};

/// What an operator can set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MirrorSettings {
    pub transport: TransportSettings,
}

/// What a mirror is built over.
pub struct MirrorParts {
    pub here: Peer,
    /// Name of the topology; a peer of another one is refused.
    pub topology: String,
    /// Of what the topology file says; a peer with another one is worth a warning, since files are rolled out node by node.
    pub digest: String,
    /// Where peers dial; port 0 takes any, where nobody does.
    pub listen: SocketAddr,
    /// Those that begin or end at this node.
    pub links: Vec<LinkSpec>,
    /// Those that this datacenter is a member of.
    pub units: Vec<UnitSettings>,
    /// Which unit each topic and group is of.
    pub membership: Arc<dyn Membership + Send + Sync>,
    pub credentials: Arc<dyn Credentials>,
    pub ports: Ports,
    pub clock: Arc<dyn Clock>,
    pub random: Random,
    /// The same as before the node's restart, so that peers notice it at once.
    pub reset_key: ResetKey,
    /// Of the translation tables.
    pub storage: Arc<dyn Storage>,
    /// Their directory.
    pub tables: PathBuf,
}

/// A mirror that knows who is home, and has no link yet: what gates are asked by from the first client on.
pub struct OpenedMirror {
    node: NodeParts,
    units: Units,
}

/// A running mirror.
pub struct Mirror {
    thread: LinkThread,
    address: SocketAddr,
    target_links: TargetLinks,
    resumers: Resumers,
    sessions: Arc<Sessions>,
    units: Arc<UnitViews>,
    metrics: Arc<LinkMetrics>,
    places: Arc<Places>,
    operator: Operator,
}

/// How a failover is to be done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FailoverOptions {
    /// Only tell the numbers.
    pub dry_run: bool,
    /// The old home is lost, or is to lose what the new one does not have.
    pub unplanned: bool,
}

impl Mirror {
    /// Reads who is home of each unit, stores it where it is not stored yet, and publishes it.
    pub async fn open(settings: MirrorSettings, parts: MirrorParts) -> Result<OpenedMirror, UnitsError> {
        let (lines, heard) = Lines::new();
        let views = Arc::new(UnitViews::new(parts.membership));
        let (ends, tails) = (HeardEnds::default(), Tails::default());
        let units = Units::open(UnitsParts {
            units: parts.units,
            ports: parts.ports.clone(),
            views: Arc::clone(&views),
            lines: lines.clone(),
            heard,
            ends: ends.clone(),
            tails: tails.clone(),
            clock: Arc::clone(&parts.clock),
            random: parts.random.clone(),
        })
        .await?;
        let node = NodeParts {
            here: parts.here,
            topology: parts.topology,
            digest: parts.digest,
            listen: parts.listen,
            links: parts.links,
            transport: settings.transport,
            credentials: parts.credentials,
            ports: parts.ports,
            units: views,
            lines,
            ends,
            tails,
            clock: parts.clock,
            random: parts.random,
            reset_key: parts.reset_key,
            storage: parts.storage,
            tables: parts.tables,
            metrics: Arc::default(),
            sessions: Arc::default(),
        };
        Ok(OpenedMirror { node, units })
    }

    /// Where peers reach it.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Who may write and commit here.
    pub fn units(&self) -> &Arc<UnitViews> {
        &self.units
    }

    pub fn metrics(&self) -> &Arc<LinkMetrics> {
        &self.metrics
    }

    /// Where an offset of the source is found here, also while the source is away. `None`: nothing of the partition was
    /// ever mirrored. An error says why it is not known.
    pub async fn translate(
        &self,
        link: &str,
        topic: &str,
        partition: i32,
        offset: i64,
    ) -> Result<Option<Translation>, StopReason> {
        let Some(found) = self.places.find(link, topic, PartitionId(partition)).await? else {
            return Ok(None);
        };
        let translated = found.place.to_target(SourceOffset::new(Offset(offset)));
        Ok(translated.map(|translated| Translation::new(translated, &found.target)))
    }

    /// Where an offset of a log here is found at the source. `topic` is the source's name.
    pub async fn translate_back(
        &self,
        link: &str,
        topic: &str,
        partition: i32,
        offset: i64,
    ) -> Result<Option<Translation>, StopReason> {
        let Some(found) = self.places.find(link, topic, PartitionId(partition)).await? else {
            return Ok(None);
        };
        let translated = found.place.to_source(TargetOffset::new(Offset(offset)));
        Ok(translated.map(|translated| Translation::new(translated, &found.target)))
    }

    pub async fn status(&self) -> Status {
        let mut incoming = Vec::new();
        for (link, peer, inquirer) in &self.target_links {
            if let Some(view) = inquirer.ask().await {
                incoming.push(IncomingLink::new(link.clone(), peer.clone(), view));
            }
        }
        let outgoing = self.sessions.views().await.into_iter().map(OutgoingLink::from).collect();
        let units = self.units.all().into_iter().map(UnitStatus::from).collect();
        Status { incoming, outgoing, units }
    }

    /// Tries stopped partitions of a link again; answers which were stopped, and why. A dry run only answers.
    pub async fn resume(&self, link: &str, which: Which, dry_run: bool) -> Vec<StoppedPartition> {
        let mut stopped = Vec::new();
        for (_, resumer) in self.resumers.iter().filter(|(name, _)| name == link) {
            let resumed = resumer.resume(which.clone(), dry_run).await;
            stopped.extend(resumed.into_iter().map(StoppedPartition::from));
        }
        stopped
    }

    /// Moves a unit's home here; returns when it has moved, or when it is known why it does not. Repeating it is safe.
    pub async fn failover(
        &self,
        unit: &str,
        to: &str,
        options: FailoverOptions,
    ) -> Result<FailoverReport, FailoverError> {
        let FailoverOptions { dry_run, unplanned } = options;
        self.operator.failover(unit, Datacenter::from(to), dry_run, unplanned).await
    }

    /// Ends all connections, tells the peers, and returns once nothing of the mirror runs any more.
    pub async fn shutdown(&self) {
        self.thread.stop().await;
    }
}

impl OpenedMirror {
    /// Who may write and commit here.
    pub fn units(&self) -> &Arc<UnitViews> {
        &self.node.units
    }

    /// Starts all links and units. They connect by themselves, now or whenever their peers are there.
    pub async fn start(self) -> Result<Mirror, NodeError> {
        let Self { node, units } = self;
        let (metrics, sessions) = (Arc::clone(&node.metrics), Arc::clone(&node.sessions));
        let (views, operator) = (Arc::clone(&node.units), units.operator());
        let (ready, started) = oneshot::channel();
        let workers = node.transport.worker_threads;
        let thread = LinkThread::start(workers, move |stopping| run(node, units, ready, stopping))?;
        let running = started.await.map_err(|_| NodeError::Ended)??;
        let Running { address, target_links, places, resumers } = running;
        Ok(Mirror {
            thread,
            address,
            target_links,
            resumers,
            sessions,
            units: views,
            metrics,
            places,
            operator,
        })
    }
}

/// An offset on the other side, and how exact it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Translation {
    /// What the topic is called at the target.
    pub target_topic: String,
    pub offset: i64,
    /// Records up to the asked one that the mirror does not have (yet).
    pub missing: i64,
    /// Records from the asked one on that are no longer there.
    pub skipped: i64,
}

impl Translation {
    fn new<Side>(translated: Translated<Side>, target: &TopicName) -> Self {
        let (missing, skipped) = match &translated {
            Translated::Exact(_) => (0, 0),
            Translated::AheadOfMirror { missing, .. } => (*missing, 0),
            Translated::BelowStart { skipped, .. } => (0, *skipped),
        };
        let Offset(offset) = translated.position().offset();
        Self { target_topic: target.to_string(), offset, missing, skipped }
    }
}
