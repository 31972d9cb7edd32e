//! The source's end of a connection: logs are read, packed, and written to streams as the sender's core wants.
//!
//! ```text
//!   session     waits for the next fact, feeds the core, carries out what it wants
//!   partitions  opened logs and their watches          reads    whole batches, checked
//!   blocks      packed, one stream each                catalog  topics and group offsets to tell
//!   pace        no faster than was declared        thrift   whether to compress
//! ```

mod blocks;
mod catalog;
mod pace;
mod partitions;
mod reads;
mod session;
mod thrift;

pub(crate) use pace::Pace;
pub(crate) use session::{Greeted, SessionView, SourceParts, SourceSession};
