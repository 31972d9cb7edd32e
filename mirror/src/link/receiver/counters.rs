//! What metrics show of a receiver.

/// Since the receiver began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    pub connections: u64,
    pub blocks: u64,
    pub wire_bytes: u64,
    pub unpacked_bytes: u64,
    pub applies: u64,
    pub apply_retries: u64,
    pub stops: u64,
    pub refused: Refused,
}

/// Blocks that were not applied, by why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Refused {
    /// Its number, or its place in the chain, was there before.
    pub repeated: u64,
    pub overlapping: u64,
    /// Its subscription had ended: not the sender's fault.
    pub stale: u64,
    /// Another partition than its subscription's.
    pub foreign: u64,
    pub lower_generation: u64,
    pub broken_chain: u64,
    pub gaps: u64,
    /// Unpacking found that it is not what its header says.
    pub bad: u64,
    pub too_large: u64,
}
