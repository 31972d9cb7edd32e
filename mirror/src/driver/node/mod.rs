//! All links of a node: those that it dials as their target, and those that it is dialled for as their source.

mod accept;
mod sessions;

use std::{collections::BTreeMap, io, net::SocketAddr, num::NonZeroU64, path::PathBuf, sync::Arc};

use tokio::{runtime::Handle, sync::oneshot, task::JoinSet};

use core_log::{Clock, Storage};

use self::accept::Acceptor;
pub(crate) use self::sessions::{Sessions, SourceLinkView};
use super::{
    closing::CODE_SHUTDOWN,
    credentials::{Credentials, CredentialsError, Peer},
    dial::Dialler,
    flows::{Flows, LinkRules, UnitViews},
    inquiry::{Inquirer, inquiry},
    kit::Kit,
    limits::SHUTDOWN_WAIT,
    line::Lines,
    metrics::LinkMetrics,
    pool::BufferPool,
    random::Random,
    reset_key::ResetKey,
    settings::TransportSettings,
    source::{Pace, SourceParts},
    target::{
        Applier, Finder, Places, PlacesParts, Resumer, Tables, TargetLink, TargetParts, TargetView, resumer,
    },
    thread::{Stopping, stopped},
    transport::{EndpointError, endpoint, server_config},
    units::{HeardEnds, Tails, Units},
    workers::Workers,
};
use crate::{
    link::{
        block::{CodecChoice, Packer, Unpacker},
        limits::{ReceiverSettings, SenderSettings},
    },
    ownership::Datacenter,
    ports::Ports,
};

/// One link, as the topology declares it.
#[derive(Clone)]
pub struct LinkSpec {
    pub from: Datacenter,
    pub to: Datacenter,
    pub rules: Arc<dyn LinkRules>,
    /// The nodes at the other end: to be dialled at their address (`HOST:PORT`) where this node is the target, else those
    /// that may dial.
    pub peers: BTreeMap<Peer, String>,
    pub compression: CodecChoice,
    /// Bytes of blocks per second that the link sends at most.
    pub rate: Option<NonZeroU64>,
}

impl LinkSpec {
    /// `FROM:TO`.
    pub fn name(&self) -> String {
        format!("{}:{}", self.from, self.to)
    }
}

/// What the links of a node are made of.
#[derive(Clone)]
pub(crate) struct NodeParts {
    pub(crate) here: Peer,
    /// Its name, and a digest of what it says.
    pub(crate) topology: String,
    pub(crate) digest: String,
    pub(crate) listen: SocketAddr,
    pub(crate) links: Vec<LinkSpec>,
    pub(crate) transport: TransportSettings,
    pub(crate) credentials: Arc<dyn Credentials>,
    pub(crate) ports: Ports,
    pub(crate) units: Arc<UnitViews>,
    pub(crate) lines: Lines,
    /// What the state machines know of other datacenters' logs.
    pub(crate) ends: HeardEnds,
    /// Where links leave what the state machines are to know of logs here.
    pub(crate) tails: Tails,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Random,
    pub(crate) reset_key: ResetKey,
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) tables: PathBuf,
    pub(crate) metrics: Arc<LinkMetrics>,
    pub(crate) sessions: Arc<Sessions>,
}

/// Why the links of a node do not run.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    #[error("the links' thread: {0}")]
    Thread(#[from] io::Error),
    #[error("the links' thread ended")]
    Ended,
}

/// The links that this node dials, to be asked how they are.
pub(crate) type TargetLinks = Vec<(String, Peer, Inquirer<TargetView>)>;

/// The same links, to be told to try again.
pub(crate) type Resumers = Vec<(String, Resumer)>;

/// What is known once everything runs.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) target_links: TargetLinks,
    pub(crate) places: Arc<Places>,
    pub(crate) resumers: Resumers,
}

/// Runs all links until it is told to stop.
pub(crate) async fn run(
    parts: NodeParts,
    units: Units,
    ready: oneshot::Sender<Result<Running, NodeError>>,
    mut stopping: Stopping,
) {
    let mut tasks = JoinSet::new();
    let endpoint = match start(parts, &mut tasks, &stopping) {
        Ok((endpoint, running)) => {
            let _ = ready.send(Ok(running));
            endpoint
        }
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    let units = tokio::spawn(units.run());
    stopped(&mut stopping).await;
    units.abort();
    while tasks.join_next().await.is_some() {}
    endpoint.close(CODE_SHUTDOWN, b"shutting down");
    // So that peers hear of it; who does not answer hears nothing.
    let _ = tokio::time::timeout(SHUTDOWN_WAIT, endpoint.wait_idle()).await;
}

fn start(
    parts: NodeParts,
    tasks: &mut JoinSet<()>,
    stopping: &Stopping,
) -> Result<(quinn::Endpoint, Running), NodeError> {
    let workers = Workers::new(Handle::current(), parts.transport.worker_threads);
    let here = Datacenter::from(parts.here.datacenter.as_str());
    let accepting = parts.links.iter().any(|link| link.from == here);
    let server = match accepting {
        true => Some(server_config(parts.credentials.accepting()?, &parts.transport)?),
        false => None,
    };
    let endpoint = endpoint(parts.listen, server.clone(), &parts.transport, &parts.reset_key)?;
    let address = endpoint.local_addr()?;
    let (target_links, resumers, places) = spawn_targets(&parts, &here, &endpoint, &workers, tasks, stopping);
    parts.ends.are_from(target_links.clone());
    if let Some(server) = server {
        let sources = parts
            .links
            .iter()
            .filter(|link| link.from == here)
            .map(|link| (link.name(), (link.clone(), source_parts(&parts, link, &workers))))
            .collect();
        let acceptor = Acceptor::new(endpoint.clone(), server, parts, sources);
        tasks.spawn(acceptor.run(stopping.clone()));
    }
    Ok((endpoint, Running { address, target_links, places, resumers }))
}

fn spawn_targets(
    parts: &NodeParts,
    here: &Datacenter,
    endpoint: &quinn::Endpoint,
    workers: &Workers,
    tasks: &mut JoinSet<()>,
    stopping: &Stopping,
) -> (TargetLinks, Resumers, Arc<Places>) {
    let applier = Applier {
        unpackers: Arc::new(Kit::new(Unpacker::new)),
        workers: workers.clone(),
        metrics: Arc::clone(&parts.metrics),
    };
    let tables = Arc::new(Tables::new(
        parts.tables.clone(),
        Arc::clone(&parts.storage),
        Arc::clone(&parts.ports.sink),
        workers.clone(),
    ));
    let ours = parts.links.iter().filter(|link| link.to == *here);
    let rules = ours.clone().map(|link| (link.name(), Arc::clone(&link.rules))).collect();
    let ports = parts.ports.clone();
    let places = Arc::new(Places::new(PlacesParts { tables: Arc::clone(&tables), ports, rules }));
    let (mut links, mut resumers) = (TargetLinks::new(), Resumers::new());
    for link in ours {
        for (peer, address) in &link.peers {
            let dialler = Dialler {
                endpoint: endpoint.clone(),
                credentials: Arc::clone(&parts.credentials),
                transport: parts.transport.clone(),
                peer: peer.clone(),
                address: address.clone(),
            };
            let target = target_parts(parts, link, dialler, applier.clone(), &tables, &places);
            let (inquirer, inquiries) = inquiry();
            let (resumer, resumes) = resumer();
            tasks.spawn(TargetLink::new(target, inquiries, resumes).run(stopping.clone()));
            links.push((link.name(), peer.clone(), inquirer));
            resumers.push((link.name(), resumer));
        }
    }
    (links, resumers, places)
}

fn target_parts(
    parts: &NodeParts,
    link: &LinkSpec,
    dialler: Dialler,
    applier: Applier,
    tables: &Arc<Tables>,
    places: &Arc<Places>,
) -> TargetParts {
    let credit_window = parts.transport.credit_bytes;
    let (sink, random) = (Arc::clone(&parts.ports.sink), parts.random.clone());
    let finder = Finder { link: link.name(), sink, tables: Arc::clone(tables), random };
    let pooled = usize::try_from(credit_window).unwrap_or(usize::MAX);
    TargetParts {
        link: link.name(),
        dialler,
        node: parts.here.node.clone(),
        topology: parts.topology.clone(),
        digest: parts.digest.clone(),
        ports: parts.ports.clone(),
        finder,
        places: Arc::clone(places),
        flows: flows(parts, link),
        lines: parts.lines.clone(),
        tails: parts.tails.clone(),
        clock: Arc::clone(&parts.clock),
        random: parts.random.clone(),
        applier,
        pool: Arc::new(BufferPool::new(pooled)),
        metrics: Arc::clone(&parts.metrics),
        settings: ReceiverSettings { credit_window, ..ReceiverSettings::default() },
    }
}

fn source_parts(parts: &NodeParts, link: &LinkSpec, workers: &Workers) -> SourceParts {
    let choice = link.compression;
    SourceParts {
        ports: parts.ports.clone(),
        flows: flows(parts, link),
        clock: Arc::clone(&parts.clock),
        random: parts.random.clone(),
        workers: workers.clone(),
        packers: Arc::new(Kit::new(move || Packer::new(choice))),
        metrics: Arc::clone(&parts.metrics),
        settings: SenderSettings::default(),
        // A declared rate says that the line is what is scarce.
        thrifty: choice == CodecChoice::Auto && link.rate.is_none(),
        pace: link.rate.map(|rate| Arc::new(Pace::new(rate))),
    }
}

fn flows(parts: &NodeParts, link: &LinkSpec) -> Flows {
    Flows {
        from: link.from.clone(),
        to: link.to.clone(),
        rules: Arc::clone(&link.rules),
        units: Arc::clone(&parts.units),
    }
}
