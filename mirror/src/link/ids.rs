//! What the two ends of a connection call things.

/// A subscription, numbered by the receiver. Never used again within a connection, so that what is still under way for
/// an older subscription to the same partition is not taken for the newer one's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Handle(pub u32);

/// Counts a connection's blocks from 0 in the order in which the sender began them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct BlockNumber(pub u64);

/// A read that the sender asked its driver for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct ReadId(pub u64);

/// An append that the receiver asked its driver for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct ApplyId(pub u64);
