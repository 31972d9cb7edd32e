//! The write-ahead journal of a log directory: one file that is synced in place of many.
//!
//! A round of the appender that touched several logs would sync one file after the other. Instead their batches are written once
//! more, into one block of the journal, and one sync makes all of them durable. The segments' own files follow later, many
//! batches at a time, by the flusher.
//!
//! ```text
//!   round -> block in journal.0 | journal.1 -> acked        a full file: the logs in it are flushed, then it is used again
//!   open after a crash -> redo: every batch in the blocks is written to its segment at its position -> recovery as ever
//! ```
//!
//! Promises:
//! 1. A file is overwritten or removed only after all batches in it are durable in their segments. When one of its logs cannot be
//!    synced it is kept for redo, and nothing is written to the journal any more.
//! 2. Before a log is truncated or removed, no block that names it is left: redo brings nothing back that went.
//! 3. Where the journal fails, logs are synced one by one, as if there were none.
//! 4. A clean shutdown leaves no journal.

mod block;
mod redo;
mod writer;

pub(crate) use block::Piece;
pub(crate) use redo::redo;
pub(crate) use writer::{Entry, Journal};

use std::path::{Path, PathBuf};

const FILES: usize = 2;

/// Not a name that could be a log's directory.
fn path(root: &Path, file: usize) -> PathBuf {
    root.join(format!("journal.{file}"))
}
