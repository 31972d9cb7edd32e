//! The mirror of a node: all its links and failover units, behind one handle.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use core_log::{Clock, Storage};

use crate::{
    driver::{
        Credentials, Lines, LinkMetrics, LinkSpec, LinkThread, NodeError, NodeParts, Peer, Random, Sessions,
        TargetLinks, TransportSettings, UnitViews, run,
    },
    ownership::Membership,
    ports::Ports,
    status::{IncomingLink, OutgoingLink, Status, UnitStatus},
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
}

impl Mirror {
    /// Starts all links. They connect by themselves, now or whenever their peers are there.
    pub async fn start(settings: MirrorSettings, parts: MirrorParts) -> Result<Self, NodeError> {
        let (lines, _heard) = Lines::new();
        let (metrics, sessions) = (Arc::<LinkMetrics>::default(), Arc::<Sessions>::default());
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
        };
        let (ready, started) = oneshot::channel();
        let workers = node.transport.worker_threads;
        let thread = LinkThread::start(workers, move |stopping| run(node, ready, stopping))?;
        let running = started.await.map_err(|_| NodeError::Ended)??;
        let (address, target_links) = (running.address, running.target_links);
        Ok(Self { thread, address, target_links, sessions, units, metrics })
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
