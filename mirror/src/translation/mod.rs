//! Which offset of the target answers to which of the source, exactly, on a topic that has several writers.
//!
//! ```text
//!   source log   0 1 2 3 . . 6 7 8        runs  (source 0, target 2, length 4)
//!                | | | |    / / /               (source 6, target 7, length 3)
//!   target log  x x 0 1 2 3 x 6 7 8 x x         x: records of other writers
//! ```
//!
//! Promises:
//! 1. For a committed offset (the next to read) the answer is the target offset of the first mirrored record whose source
//!    offset is not below it; past the last one, the end of the last run. The same the other way round.
//! 2. Total and monotone: there is an answer for every offset once something is mirrored, and it says when a commit is ahead
//!    of the mirror or below what is still there ([`Translated`]). Trimming changes no answer.
//! 3. A gap-free stream is one run for life; a run costs about three bytes on disk and four in memory.
//! 4. The target log is the truth. Every relayed batch says where it came from ([`provenance`]), so after a crash, whatever
//!    table or log have lost, the two agree again ([`reconcile()`]); also if the table's file is damaged
//!    ([`TableFile::heal`]).
//!
//! ```text
//!   run      one stretch, one for one         coding   runs as bytes           blocks   coded runs, searched
//!   table    one partition: both directions   answer   what a look-up says     file     the table on disk
//!   provenance   a batch's origin, in the batch        reconcile   table and log after a crash
//! ```
//!
//! On a replica topic offsets are the same at both ends ([`identity`]). Not here: choosing what to mirror, and committing
//! translated offsets. Start with [`Table`], then [`TableFile`].

pub mod provenance;

mod answer;
mod blocks;
mod coding;
mod file;
mod reconcile;
mod run;
mod table;

#[cfg(test)]
mod reconcile_model_test;
#[cfg(test)]
mod table_model_test;

pub use answer::{TargetLog, Translated, identity};
pub use file::{FILE_EXTENSION, Healed, TableError, TableFile, TableKey, TableLabel};
pub use reconcile::{ReconcileError, Reconciled, reconcile};
pub use run::{Run, RunError};
pub use table::Table;
