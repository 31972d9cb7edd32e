//! A small Kafka client, enough for the demo to be an honest user of the daemons: it speaks to them through the protocol
//! and knows nothing else of them.
//!
//! ```text
//!   topics, produce, fetch, offsets (one call each)  ->  connection (frames, in order, bounded)  ->  socket
//!                           records  <- the batches of a fetch
//! ```
//!
//! 1. A connection's answers come in the order of its requests, are bounded in size, and are awaited for a bounded time.
//! 2. What is received can be dropped and received again; nothing that was read is lost.
//! 3. A refusal keeps Kafka's code; [`ClientError::is_passing`] says whether the same request may be sent again, which is
//!    so only where the code means that nothing was done.
//!
//! Every datacenter of the demo has one node, so that node leads every partition; only a group's coordinator is asked for.
//! Positions are slices with one offset per partition, in order.

mod connection;
mod error;
mod fetch;
mod offsets;
mod produce;
mod records;
mod topics;

use std::net::SocketAddr;

use protocol::ErrorCode;

use self::connection::Connection;
pub(super) use self::{
    error::ClientError,
    fetch::Fetched,
    produce::{Batch, Produced},
    topics::Topic,
};

/// How long a broker may take over a request that changes something.
const TIMEOUT_MS: i32 = 20_000;

/// A connection with the calls on it.
#[derive(Debug)]
pub(super) struct Client {
    connection: Connection,
}

impl Client {
    pub(super) async fn open(address: SocketAddr) -> Result<Self, ClientError> {
        Connection::open(address).await.map(|connection| Self { connection })
    }

    /// Requests that were sent and not answered yet.
    pub(super) fn in_flight(&self) -> usize {
        self.connection.in_flight()
    }

    fn taken(&self, what: &'static str, code: ErrorCode, text: Option<&str>) -> Result<(), ClientError> {
        if !code.is_error() {
            return Ok(());
        }
        let text = text.filter(|text| !text.is_empty()).map(|text| format!(": {text}")).unwrap_or_default();
        Err(ClientError::Refused { address: self.connection.address(), what, code, text })
    }
}

/// Positions with their partitions.
fn by_partition(positions: &[i64]) -> impl Iterator<Item = (i32, i64)> {
    (0..).zip(positions.iter().copied())
}
