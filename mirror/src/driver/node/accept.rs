//! Peers that dial: who they are, which link they are for, and then its session.

use std::{collections::HashMap, sync::Arc};

use quinn::{Connection, ConnectionError, Endpoint, Incoming, ServerConfig};
use tokio::task::JoinSet;

use super::{LinkSpec, NodeParts};
use crate::{
    driver::{
        closing::Ended,
        control::{ControlError, ControlReader},
        credentials::Peer,
        inquiry::inquiry,
        limits::{CONNECTIONS_MAX, HANDSHAKE_TIMEOUT, HELLO_TIMEOUT},
        source::{Greeted, SourceParts, SourceSession},
        thread::{Stopping, stopped},
        transport::transport_config,
    },
    link::wire::{Hello, ToSource, VERSION},
    ownership::Datacenter,
};

pub(super) struct Acceptor {
    endpoint: Endpoint,
    desk: Arc<Desk>,
}

/// What every connection that comes in is held against.
struct Desk {
    /// For a peer whose address is not known yet.
    server: ServerConfig,
    parts: NodeParts,
    sources: HashMap<String, (LinkSpec, SourceParts)>,
}

impl Acceptor {
    pub(super) fn new(
        endpoint: Endpoint,
        server: ServerConfig,
        parts: NodeParts,
        sources: HashMap<String, (LinkSpec, SourceParts)>,
    ) -> Self {
        Self { endpoint, desk: Arc::new(Desk { server, parts, sources }) }
    }

    pub(super) async fn run(self, mut stopping: Stopping) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = stopped(&mut stopping) => break,
                incoming = self.endpoint.accept() => {
                    let Some(incoming) = incoming else { break };
                    if connections.len() < CONNECTIONS_MAX {
                        connections.spawn(Arc::clone(&self.desk).serve(incoming, stopping.clone()));
                    } else {
                        self.desk.parts.metrics.peers_refused.one();
                        incoming.refuse();
                    }
                }
                Some(_) = connections.join_next() => {}
            }
        }
        while connections.join_next().await.is_some() {}
    }
}

impl Desk {
    /// From the first packet to the end of the connection.
    async fn serve(self: Arc<Self>, incoming: Incoming, mut stopping: Stopping) {
        let metrics = Arc::clone(&self.parts.metrics);
        let from = incoming.remote_address();
        let connection = match self.shake_hands(incoming).await {
            Ok(connection) => connection,
            Err(error) => {
                metrics.peers_refused.one();
                tracing::info!(%from, %error, "no handshake");
                return;
            }
        };
        let greeting = tokio::time::timeout(HELLO_TIMEOUT, self.greet(&connection));
        let greeted = tokio::select! {
            greeted = greeting => greeted.unwrap_or(Err(Ended::Stream("no hello in time"))),
            () = stopped(&mut stopping) => Err(Ended::Shutdown),
        };
        let (peer, greeted) = match greeted {
            Ok(greeted) => greeted,
            Err(ended) => {
                metrics.peers_refused.one();
                tracing::info!(%from, reason = %ended, "peer refused");
                return ended.close(&connection);
            }
        };
        metrics.connections_accepted.one();
        let link = greeted.theirs.link.clone();
        tracing::info!(link, %peer, "connected");
        let ended = self.serve_link(&link, &peer, greeted, stopping).await;
        metrics.connections_closed.one();
        if ended.is_hostile() {
            metrics.peers_hostile.one();
        }
        tracing::info!(link, %peer, reason = %ended, "disconnected");
        ended.close(&connection);
    }

    async fn shake_hands(&self, incoming: Incoming) -> Result<Connection, ConnectionError> {
        let mut server = self.server.clone();
        // Fails for settings that the endpoint was not made with either.
        if let Ok(transport) = transport_config(&self.parts.transport, Some(incoming.remote_address())) {
            server.transport_config(Arc::new(transport));
        }
        let connecting = incoming.accept_with(Arc::new(server))?;
        tokio::time::timeout(HANDSHAKE_TIMEOUT, connecting).await.unwrap_or(Err(ConnectionError::TimedOut))
    }

    async fn serve_link(&self, link: &str, peer: &Peer, greeted: Greeted, stopping: Stopping) -> Ended {
        let Some((_, parts)) = self.sources.get(link) else { return Ended::Refused(no_link(link)) };
        let (inquirer, inquiries) = inquiry();
        let differs = greeted.theirs.digest != self.parts.digest;
        if differs {
            tracing::warn!(link, %peer, "the peer's topology file says something else than ours");
        }
        let mut replaced = self.parts.sessions.open(link, peer, inquirer, differs);
        let line = self.parts.lines.open(Datacenter::from(peer.datacenter.as_str()));
        let session = SourceSession::new(parts.clone(), greeted, line, inquiries);
        tokio::select! {
            ended = session.run(stopping) => ended,
            () = stopped(&mut replaced) => Ended::Replaced,
        }
    }

    /// Hears the peer's hello, and finds the link that it is for.
    async fn greet(&self, connection: &Connection) -> Result<(Peer, Greeted), Ended> {
        let refused = |why: &str| Ended::Refused(why.to_owned());
        let peer = self.parts.credentials.identify(connection).ok_or(refused("no identity"))?;
        let (writer, reader) = connection.accept_bi().await?;
        let mut reader = ControlReader::new(reader);
        let theirs = match reader.next().await {
            Ok(ToSource::Hello(hello)) => hello,
            Ok(_) => return Err(Ended::Stream("something before its hello")),
            Err(ControlError::Wire(error)) => return Err(error.into()),
            Err(ControlError::Ended) => return Err(Ended::Control),
        };
        let (spec, parts) = self.sources.get(&theirs.link).ok_or(Ended::Refused(no_link(&theirs.link)))?;
        if spec.to.as_str() != peer.datacenter || !spec.peers.contains_key(&peer) {
            return Err(refused("the link does not lead to this peer"));
        }
        if theirs.topology != self.parts.topology {
            let (theirs, ours) = (&theirs.topology, &self.parts.topology);
            return Err(Ended::Refused(format!("this is a node of topology {ours:?}, not of {theirs:?}")));
        }
        if theirs.node != peer.node {
            return Err(refused("the hello names another node than the certificate"));
        }
        let clock = u64::try_from(parts.clock.monotonic().as_micros()).unwrap_or(u64::MAX);
        let ours = Hello {
            version: VERSION,
            link: theirs.link.clone(),
            node: self.parts.here.node.clone(),
            topology: self.parts.topology.clone(),
            digest: self.parts.digest.clone(),
            clock,
        };
        Ok((peer, Greeted { connection: connection.clone(), writer, reader, theirs, ours }))
    }
}

fn no_link(link: &str) -> String {
    format!("no link {link} here")
}
