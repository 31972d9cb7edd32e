//! The target's end of a link: it dials, says where it stands, and puts what comes into its logs.
//!
//! ```text
//!   link      the cores of the link over all connections: facts in      carry     their wishes carried out
//!   live      one connection: control messages and blocks          streams   blocks as they come in
//!   landing   where each partition's records go                   apply     into a replica's log
//!   merged    into a log with other writers                       tables    the translation tables of those logs
//!   shelf     which tables there are                              places    where an offset is on the other side
//!   topics    what the source has, and what follows here          groups    committed positions, translated and applied
//! ```

mod apply;
mod carry;
mod groups;
mod landing;
mod link;
mod live;
mod merged;
mod places;
mod shelf;
mod streams;
mod tables;
mod topics;

pub(crate) use apply::Applier;
pub(crate) use landing::Finder;
pub(crate) use link::{TargetLink, TargetParts, TargetView};
pub(crate) use places::{Places, PlacesParts};
pub(crate) use tables::Tables;
