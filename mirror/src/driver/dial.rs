//! Reaching a peer.

use std::{io, net::SocketAddr, sync::Arc};

use quinn::{ConnectError, Connection, ConnectionError, Endpoint, RecvStream, SendStream};

use super::{
    closing::CODE_REFUSED,
    credentials::{Credentials, CredentialsError, Peer},
    limits::HANDSHAKE_TIMEOUT,
    settings::TransportSettings,
    transport::{EndpointError, client_config},
};

/// Whom to dial, and how.
#[derive(Clone)]
pub(crate) struct Dialler {
    pub(crate) endpoint: Endpoint,
    pub(crate) credentials: Arc<dyn Credentials>,
    pub(crate) transport: TransportSettings,
    pub(crate) peer: Peer,
    /// `HOST:PORT`, looked up for every attempt.
    pub(crate) address: String,
}

/// A connection on which the control stream is open.
pub(crate) struct Dialled {
    pub(crate) connection: Connection,
    pub(crate) writer: SendStream,
    pub(crate) reader: RecvStream,
}

/// Why the peer was not reached.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DialError {
    #[error("{address}: {error}")]
    Address { address: String, error: io::Error },
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    #[error(transparent)]
    Settings(#[from] EndpointError),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    #[error("the handshake was not done in time")]
    Handshake,
    #[error("the other side is {found}, not {expected}")]
    OtherPeer { expected: Peer, found: String },
}

impl Dialler {
    pub(crate) async fn dial(&self) -> Result<Dialled, DialError> {
        let address = self.resolve().await?;
        let crypto = self.credentials.dialling(&self.peer)?;
        let config = client_config(crypto, &self.transport, address)?;
        let connecting = self.endpoint.connect_with(config, address, self.credentials.server_name())?;
        let connection =
            tokio::time::timeout(HANDSHAKE_TIMEOUT, connecting).await.map_err(|_| DialError::Handshake)??;
        let found = self.credentials.identify(&connection);
        if found.as_ref() != Some(&self.peer) {
            connection.close(CODE_REFUSED, b"another node was expected here");
            let found = found.map_or_else(|| "nobody".to_owned(), |peer| peer.to_string());
            return Err(DialError::OtherPeer { expected: self.peer.clone(), found });
        }
        let (writer, reader) = connection.open_bi().await?;
        Ok(Dialled { connection, writer, reader })
    }

    /// The first address of the family that our socket speaks.
    async fn resolve(&self) -> Result<SocketAddr, DialError> {
        let failed = |error| DialError::Address { address: self.address.clone(), error };
        let ours = self.endpoint.local_addr().map_err(failed)?;
        let mut found = tokio::net::lookup_host(&self.address).await.map_err(failed)?;
        let suits = |address: &SocketAddr| ours.is_ipv6() || address.is_ipv4();
        found.find(suits).ok_or_else(|| failed(io::Error::other("no address of our family")))
    }
}
