//! Who this node is to its peers, and who they are to it.

use std::{fmt, sync::Arc};

use quinn::{Connection, crypto};
use serde::{Deserialize, Serialize};

/// A node of a datacenter, as its certificate names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Peer {
    pub datacenter: String,
    pub node: String,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.datacenter, self.node)
    }
}

/// Why there is no TLS configuration to be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("credentials: {0}")]
pub struct CredentialsError(pub String);

/// The TLS of this node, over whatever certificates it has. Asked anew for every connection that is dialled.
///
/// The configurations prove both sides' identity, accept exactly the peers of this node's links, speak the link's application
/// protocol alone and neither resume sessions nor take early data.
pub trait Credentials: Send + Sync + 'static {
    fn accepting(&self) -> Result<Arc<dyn crypto::ServerConfig>, CredentialsError>;

    /// Accepts this peer and no other.
    fn dialling(&self, peer: &Peer) -> Result<Arc<dyn crypto::ClientConfig>, CredentialsError>;

    /// What a dialler calls its peer; proves nothing.
    fn server_name(&self) -> &str;

    /// Whom the handshake proved the other side to be.
    fn identify(&self, connection: &Connection) -> Option<Peer>;
}
