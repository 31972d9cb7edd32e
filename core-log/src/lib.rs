//! The partitioned log: segments, indexes, appender, recovery.

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
mod index;
mod janitor;
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
pub use log::Log;
pub use storage::{File, Storage};
pub use watch::{Waiter, Watch};
