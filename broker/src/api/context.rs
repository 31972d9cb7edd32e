//! What a handler knows about where its request came from.

use std::net::SocketAddr;

use bytestring::ByteString;

#[derive(Debug, Clone)]
pub struct RequestContext {
    /// The request's version, already known to be one we advertise.
    pub version: i16,
    /// What the client calls itself; clients may leave it out.
    pub client_id: Option<ByteString>,
    pub peer: SocketAddr,
}
