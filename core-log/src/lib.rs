//! The partitioned log: segments, indexes, appender, recovery.

pub mod checkpoint;
pub mod clock;
pub mod epochs;
pub mod partition_metadata;
pub mod producers;
pub mod storage;
pub mod validate;

mod append;
mod batches;
mod config;
mod dir;
mod ends;
mod errors;
mod limits;
mod log;
mod watch;

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
