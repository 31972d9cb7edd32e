//! Between datacenters: what one daemon gives to another, so that a region can be lost, or left, and come back.
//!
//! ```text
//!      source datacenter                                     target datacenter
//!   log -> watch -> link sender  ==== QUIC, one connection ====>  link receiver -> chain and CRC checked -> log
//!   group commits  ------------  control: catalog, acks, groups  ------------>  translated, clamped, applied
//!   ownership      <-----------  fence, drain, promote, generation ----------->  ownership
//! ```
//!
//! What this room promises:
//! 1. No silent gap. A partition whose continuity cannot be proven stops and says why, and what to do.
//! 2. Bytes are sacred. A mirrored batch is the one the producer sent; records are never decoded on the way.
//! 3. One writer for each topic and home generation. An append that carries a lower generation is refused.
//! 4. Translation is exact, total and monotone: for a committed offset, the target offset of the first mirrored record whose
//!    source offset is not below it; the same answer tomorrow.
//! 5. Every verb that changes the world can be dry-run with numbers, is idempotent, and resumes where it was cut off.
//! 6. Nothing is polled, and memory on both sides is bounded by credit.
//!
//! Cores (`link`, `ownership`, `catalog`, `groups`, `translation`, `congestion`) are events in, commands out; `driver` does the
//! sockets, streams and timers around them, over `ports` (a source of batches, a sink for batches, a group store, a topic catalog,
//! an ownership store). The package `isthmus` implements the ports over the broker; this crate and the broker never import each
//! other. Start with [`mirror::Mirror`] for the whole, with [`link`] for the protocol.
//!
//! Not here yet: failback of a diverged datacenter, a ledger of gaps that can be queried, foreign Kafka ends.

pub mod catalog;
pub mod congestion;
pub mod driver;
pub mod groups;
pub mod link;
pub mod mirror;
pub mod ownership;
pub mod ports;
pub mod position;
pub mod status;
pub mod stop;
pub mod translation;
