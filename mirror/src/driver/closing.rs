//! Application error codes of a connection, and why one ended.

use quinn::{Connection, ConnectionError, VarInt};

use crate::link::{block::HeaderError, sender::LinkError, wire::WireError};

/// The node goes down, or the link is not wanted any more.
pub(crate) const CODE_SHUTDOWN: VarInt = VarInt::from_u32(0);
/// The peer broke the protocol.
pub(crate) const CODE_PROTOCOL: VarInt = VarInt::from_u32(1);
/// This peer has no business here.
pub(crate) const CODE_REFUSED: VarInt = VarInt::from_u32(2);
/// Another connection of the same link and peer took over.
pub(crate) const CODE_REPLACED: VarInt = VarInt::from_u32(3);

/// Why a connection is not used any longer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Ended {
    #[error("shutting down")]
    Shutdown,
    #[error("replaced by a newer connection")]
    Replaced,
    /// The peer's fault.
    #[error("the peer broke the protocol: {0}")]
    Link(#[from] LinkError),
    #[error("the peer sent a bad block: {0}")]
    Header(#[from] HeaderError),
    #[error("the peer sent a bad control message: {0}")]
    Wire(#[from] WireError),
    #[error("the peer sent {0}")]
    Stream(&'static str),
    #[error("{0}")]
    Refused(String),
    #[error("the connection ended: {0}")]
    Connection(#[from] ConnectionError),
    #[error("the control stream ended")]
    Control,
}

impl Ended {
    /// Whether the peer did what no peer of ours does.
    pub(crate) fn is_hostile(&self) -> bool {
        match self {
            Self::Link(_) | Self::Header(_) | Self::Wire(_) | Self::Stream(_) => true,
            Self::Shutdown | Self::Replaced | Self::Refused(_) | Self::Connection(_) | Self::Control => false,
        }
    }

    /// Tells the peer.
    pub(crate) fn close(&self, connection: &Connection) {
        let code = match self {
            Self::Link(_) | Self::Header(_) | Self::Wire(_) | Self::Stream(_) | Self::Control => {
                CODE_PROTOCOL
            }
            Self::Refused(_) => CODE_REFUSED,
            Self::Replaced => CODE_REPLACED,
            Self::Shutdown | Self::Connection(_) => CODE_SHUTDOWN,
        };
        connection.close(code, self.to_string().as_bytes());
    }
}
