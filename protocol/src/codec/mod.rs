//! Kafka's wire encoding: bounded decode, encode without copying records, and the declarative form from which
//! both are generated.
//!
//! A message is declared with [`message!`]; its fields are types that implement [`Field`]. [`Decoder`] is the
//! only place where bytes from outside are measured, so it is the place to read when asking what a hostile
//! frame can do.

mod declare;
mod decode;
mod encode;
mod field;
mod schema;

pub use declare::Api;
pub(crate) use declare::message;
pub use decode::{DecodeError, Decoder, Frame};
pub use encode::{Chunks, EncodeError, Encoder};
pub(crate) use field::is_set;
pub use field::{Field, Nullable};
pub use schema::{FieldSchema, Kind, Schema};

/// How one message is laid out: its version, and whether that version is flexible (KIP-482: compact lengths
/// and tagged fields).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    pub version: i16,
    pub flexible: bool,
}
