//! Who may write a failover unit, and since which generation.

mod generation;

pub use generation::HomeGeneration;
