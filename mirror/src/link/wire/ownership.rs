//! What the two ends say about who may write a failover unit. The cores of the link only pass it on.

use bytes::Bytes;

/// A piece of a message between the state machines of a unit. A message tells every partition and group of the unit, so it may
/// be larger than one control message; and what is in it is theirs alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnershipMessage {
    pub unit: String,
    /// Counts the speaker's messages.
    pub number: u64,
    /// From 0, in order.
    pub piece: u32,
    /// At least 1.
    pub pieces: u32,
    pub body: Bytes,
}
