//! Accepts connections until the drain, then waits for those that are there to finish.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::timeout,
};

use super::{admission::Admission, connection, drain::Drain};
use crate::node::Node;

/// After accepting failed (no file descriptors, say) it is tried again after this long, or when a connection ends.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(crate) struct Listener {
    socket: TcpListener,
    admission: Arc<Admission>,
}

impl Listener {
    pub(crate) async fn bind(listen: &str, admission: Arc<Admission>) -> io::Result<Self> {
        Ok(Self { socket: TcpListener::bind(listen).await?, admission })
    }

    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Serves until the drain has started and every connection has ended.
    pub(crate) async fn run(self, node: Arc<Node>, drain: Drain) {
        let mut connections = JoinSet::new();
        let mut draining = drain.clone();
        loop {
            tokio::select! {
                biased;
                () = draining.started() => break,
                Some(ended) = connections.join_next(), if !connections.is_empty() => Self::ended(&node, ended),
                accepted = self.socket.accept() => match accepted {
                    Ok((socket, peer)) => self.admit(socket, peer, &node, &drain, &mut connections),
                    Err(error) => {
                        tracing::warn!(%error, "accepting a connection failed");
                        let _ = timeout(ACCEPT_RETRY, connections.join_next()).await;
                    }
                },
            }
        }
        drop(self.socket);
        while let Some(ended) = connections.join_next().await {
            Self::ended(&node, ended);
        }
    }

    fn admit(
        &self,
        socket: TcpStream,
        peer: SocketAddr,
        node: &Arc<Node>,
        drain: &Drain,
        connections: &mut JoinSet<()>,
    ) {
        let admitted = match self.admission.admit(peer.ip()) {
            Ok(admitted) => admitted,
            Err(refused) => {
                node.metrics.refused(refused);
                tracing::debug!(%peer, ?refused, "connection refused");
                return;
            }
        };
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%peer, %error, "setting TCP_NODELAY failed");
        }
        node.metrics.connections.inc();
        connections.spawn(connection::serve(socket, peer, node.clone(), admitted, drain.clone()));
    }

    fn ended(node: &Node, ended: Result<(), tokio::task::JoinError>) {
        node.metrics.connections.dec();
        if let Err(error) = ended {
            // A panic is a bug of ours; it has cost this one connection.
            tracing::error!(%error, "a connection's task failed");
        }
    }
}
