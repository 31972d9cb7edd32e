//! The mirror of a node: all its links and failover units, behind one handle.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use core_log::{Clock, Storage};
use protocol::{Offset, PartitionId};

use crate::{
    driver::{
        Credentials, Lines, LinkMetrics, LinkSpec, LinkThread, NodeError, NodeParts, Peer, Places, Random,
        Sessions, TargetLinks, TransportSettings, UnitViews, run,
    },
    ownership::Membership,
    ports::Ports,
    position::{SourceOffset, TargetOffset},
    status::{IncomingLink, OutgoingLink, Status, UnitStatus},
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
    /// Digest of the topology file.
    pub topology: String,
    /// Where peers dial; port 0 takes any, where nobody does.
    pub listen: SocketAddr,
    /// Those that begin or end at this node.
    pub links: Vec<LinkSpec>,
    /// Which unit each topic and group is of.
    pub membership: Arc<dyn Membership + Send + Sync>,
    pub credentials: Arc<dyn Credentials>,
    pub ports: Ports,
    pub clock: Arc<dyn Clock>,
    pub random: Random,
    /// Of the translation tables.
    pub storage: Arc<dyn Storage>,
    /// Their directory.
    pub tables: PathBuf,
}

/// A running mirror.
pub struct Mirror {
    thread: LinkThread,
    address: SocketAddr,
    target_links: TargetLinks,
    sessions: Arc<Sessions>,
    units: Arc<UnitViews>,
    metrics: Arc<LinkMetrics>,
    places: Arc<Places>,
}

impl Mirror {
    /// Starts all links. They connect by themselves, now or whenever their peers are there.
    pub async fn start(settings: MirrorSettings, parts: MirrorParts) -> Result<Self, NodeError> {
        let (lines, _heard) = Lines::new();
        let (metrics, sessions) = (Arc::<LinkMetrics>::default(), Arc::<Sessions>::default());
        let places = Arc::<Places>::default();
        let units = Arc::new(UnitViews::new(parts.membership));
        let node = NodeParts {
            here: parts.here,
            topology: parts.topology,
            listen: parts.listen,
            links: parts.links,
            transport: settings.transport,
            credentials: parts.credentials,
            ports: parts.ports,
            units: Arc::clone(&units),
            lines,
            clock: parts.clock,
            random: parts.random,
            storage: parts.storage,
            tables: parts.tables,
            metrics: Arc::clone(&metrics),
            sessions: Arc::clone(&sessions),
            places: Arc::clone(&places),
        };
        let (ready, started) = oneshot::channel();
        let workers = node.transport.worker_threads;
        let thread = LinkThread::start(workers, move |stopping| run(node, ready, stopping))?;
        let running = started.await.map_err(|_| NodeError::Ended)??;
        let (address, target_links) = (running.address, running.target_links);
        Ok(Self { thread, address, target_links, sessions, units, metrics, places })
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

    /// Where an offset of the source is found here. `None`: nothing of the partition was mirrored since this node started, or
    /// ever.
    pub fn translate(&self, link: &str, topic: &str, partition: i32, offset: i64) -> Option<Translation> {
        let place = self.places.find(link, topic, PartitionId(partition))?;
        place.to_target(SourceOffset::new(Offset(offset))).map(Translation::from)
    }

    /// Where an offset of a log here is found at the source.
    pub fn translate_back(
        &self,
        link: &str,
        topic: &str,
        partition: i32,
        offset: i64,
    ) -> Option<Translation> {
        let place = self.places.find(link, topic, PartitionId(partition))?;
        place.to_source(TargetOffset::new(Offset(offset))).map(Translation::from)
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

    /// Ends all connections, tells the peers, and returns once nothing of the mirror runs any more.
    pub async fn shutdown(&self) {
        self.thread.stop().await;
    }
}

/// An offset on the other side, and how exact it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Translation {
    pub offset: i64,
    /// Records up to the asked one that the mirror does not have (yet).
    pub missing: i64,
    /// Records from the asked one on that are no longer there.
    pub skipped: i64,
}

impl<Side> From<Translated<Side>> for Translation {
    fn from(translated: Translated<Side>) -> Self {
        let (missing, skipped) = match &translated {
            Translated::Exact(_) => (0, 0),
            Translated::AheadOfMirror { missing, .. } => (*missing, 0),
            Translated::BelowStart { skipped, .. } => (0, *skipped),
        };
        Self { offset: translated.position().offset().0, missing, skipped }
    }
}
