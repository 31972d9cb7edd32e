//! The target's end of a link: it dials, says where it stands, and puts what comes into its logs.
//!
//! ```text
//!   link      the receiver's core over all connections: facts in, its wishes carried out
//!   live      one connection: control messages and blocks          streams   blocks as they come in
//!   landing   where each partition's records go                   apply     into a replica's log
//!   merged    into a log with other writers, with its table       topics    what the source has, and what follows here
//!   groups    committed positions, translated and applied
//! ```

mod apply;
mod landing;
mod link;
mod live;
mod streams;

pub(crate) use apply::Applier;
pub(crate) use link::{TargetLink, TargetParts, TargetView};
