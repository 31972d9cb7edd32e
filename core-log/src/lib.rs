//! The partitioned log: segments, indexes, appender, recovery.
//!
//! ```text
//!   LogDir  one disk: checkpoints, open files, recent batches          Log  one partition: ends, reads, searches
//!     submit -> appender thread -> writer: append, roll, sync            read_recent <- recent batches, in memory
//!               journal: one sync for many logs, flusher: theirs later
//!     clean, remove, checkpoint, close       truncate, trim              read        <- segment files, through indexes
//!     log    -> recovery: what is on disk                                watch       <- whenever the ends change
//!                                                                        set_intake  -> who may append
//! ```
//!
//! Promises:
//! 1. One writer: the appender thread alone changes logs. Readers never wait for it; they see whole batches.
//! 2. A `Synced` ack, and the high watermark of a log that syncs, stand for bytes that survive a power cut.
//! 3. The first sync error is the last: the log is offline until it is opened anew.
//! 4. Damage below the durable mark quarantines the log and changes nothing; damage above it is a torn tail, cut off.
//! 5. A batch is stored and read as it was sent; only base offset and leader epoch, and for append time the timestamp, are
//!    set. The buffer it came in is the buffer that is written and that recent reads return.
//! 6. On disk it is Kafka's layout, and whatever stands beside the `.log` files can be had from them again.
//! 7. An idle log has no open file, no task and no timer.
//!
//! Not here: replication, transactions' coordination, compaction. Start with [`LogDir`], then [`Log`].

pub mod checkpoint;
pub mod clock;
pub mod epochs;
pub mod partition_metadata;
pub mod producers;
pub mod storage;
pub mod validate;

mod append;
mod appender;
mod batches;
mod config;
mod dir;
mod ends;
mod errors;
mod files;
mod flush;
mod index;
mod intake;
mod janitor;
mod journal;
mod limits;
mod log;
mod marks;
mod names;
mod read;
mod recent;
mod recovery;
mod retention;
mod search;
mod segment;
mod shared;
mod strays;
mod watch;
mod writer;

pub use append::{Ack, Append, AppendError, Appended, Place, Ticket};
pub use batches::{Batches, ReadError, ReadLimit, TimestampOffset};
pub use clock::Clock;
pub use config::{LogConfig, LogDirSettings};
pub use dir::{CleanReport, LogDir};
pub use ends::LogEnds;
pub use errors::{ChangeError, Corruption, OfflineReason, OpenError};
pub use intake::Intake;
pub use log::Log;
pub use storage::{File, Storage};
pub use validate::{BatchRules, InvalidBatch, validate};
pub use watch::{Waiter, Watch};
