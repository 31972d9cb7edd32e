//! The target's end of a link: it dials, says where it stands, and puts what comes into its logs.
//!
//! ```text
//!   link      the cores of the link over all connections: facts in      carry     their wishes carried out
//!   live      one connection: control messages and blocks          streams   blocks as they come in
//!   landing   where each partition's records go                   apply     into a replica's log
//!   merged    into a log with other writers, with its table       topics    what the source has, and what follows here
//!   groups    committed positions, translated and applied         resume    what stopped, tried again
//! ```

mod apply;
mod carry;
mod groups;
mod landing;
mod link;
mod live;
mod merged;
mod resume;
mod streams;
mod topics;

pub(crate) use apply::Applier;
pub(crate) use landing::{Finder, Places};
pub(crate) use link::{TargetLink, TargetParts, TargetView};
pub(crate) use merged::Tables;
pub use resume::Which;
pub(crate) use resume::{Resumed, Resumer, resumer};
