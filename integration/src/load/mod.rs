//! A load generator that speaks the plain protocol: encoded batches are replayed, so that the load costs as little as it
//! can beside what it measures, and the same whichever broker it measures.
//!
//! ```text
//! Recipe --> Pool (encoded batches) --> Replay (requests of one connection, records shared)
//!                                          |
//!              produce (as fast as answers come)   across (at a rate, timed)   consume (as fast as it goes)
//!
//! steady: a stream that goes on through faults, of records that are known one by one
//! ```
//!
//! Promises:
//! 1. Nothing is encoded or compressed while something is measured, but for `steady`, which measures no speed.
//! 2. A pool is made from its recipe alone: both sides of a comparison get the same bytes.
//! 3. A delay at a fixed rate counts from when the request was due, not from when there was room for it.

pub mod across;
pub mod connection;
pub mod consume;
pub mod data;
pub mod ends;
pub mod fetch_session;
pub mod measure;
pub mod process;
pub mod produce;
pub mod records;
pub mod replay;
pub mod steady;
pub mod topic;
