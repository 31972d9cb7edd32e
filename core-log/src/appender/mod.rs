//! The one writer of a log directory: a thread that takes what is queued, round after round.
//!
//! ```text
//!   submit -> Command queue (bounded) -> round: offsets, one write per log -> Written tickets
//!                                        sync of each file, or of one block of the journal for all of them
//!                                                                         -> Synced tickets, high watermarks
//!   truncate, advance start, start at, intake, producer barrier, clean, remove, checkpoint, close: between rounds
//! ```
//!
//! While a round syncs, the next one's appends gather in the queue: the slower the disk, the larger the rounds.

mod command;
mod round;
mod thread;

pub(crate) use command::Command;
pub(crate) use thread::{set_aside_dir, spawn};
