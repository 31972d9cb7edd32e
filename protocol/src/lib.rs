//! The language: ids, record batches and Kafka messages.
//!
//! ```text
//!   socket bytes -> frame -> messages::* (borrowed decode)       batch::* <- records field of Produce and Fetch
//!                             |  codec::{decode,encode,declare}   |
//!                             +---------------- ids --------------+
//! ```
//!
//! Promises:
//! 1. Bytes from outside never panic and never size an allocation unchecked: a count larger than the bytes
//!    that remain is an error before anything is allocated, and one frame's decoded form is held to a budget
//!    derived from the frame's own length ([`codec::Decoder`]).
//! 2. Records are never copied: every `records` field is a slice of the frame it came in, and every answer
//!    hands records on as the slices it was given.
//! 3. Each message is declared once ([`codec::message!`]) and both directions are generated from it.
//!
//! This crate does no I/O, reads no clock and imports nothing of ours. Start with [`messages`] for the wire,
//! with [`batch`] for what is stored.

pub mod batch;
pub mod codec;
pub mod frame;
pub mod framing;
pub mod ids;
pub mod messages;
pub mod versions;

mod error_code;

pub use error_code::ErrorCode;
pub use ids::*;
