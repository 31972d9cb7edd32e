//! The two messages that carry records, framed by hand so that the records are neither copied nor shared too early.
//!
//! * [`produce`]: a request whose records come out as *unique* slices of the frame, so that the log can write
//!   offsets and epochs into them in place.
//! * [`fetch`]: an answer whose records go in as the many slices a log hands out.
//!
//! Both write and read the same bytes as the declared messages; `tests/framing.rs` holds them against each other.

pub mod fetch;
pub mod produce;
