//! The language of the control stream.
//!
//! Messages are declared in `proto/link.proto`. What reaches a core has been checked: ids have their length, offsets are
//! not negative, names are names. Bytes that are something else are a [`WireError`], for which the connection is closed.

mod convert;
mod convert_ownership;
mod convert_stop;
mod framing;
mod message;
mod ownership;

pub use framing::{Control, Decoder, WireError, encode};
pub use message::{
    GroupGone, GroupOffset, Hello, Subscribe, Subscribed, ToSource, ToTarget, Topic, Unsubscribe, VERSION,
    Watermark,
};
pub use ownership::OwnershipMessage;

/// Generated from `proto/link.proto`.
#[allow(unreachable_pub, clippy::all, reason = "generated")]
pub(crate) mod proto {
    include!(concat!(env!("OUT_DIR"), "/isthmus.link.v1.rs"));
}

#[cfg(test)]
mod tests;
