//! The partitioned log: segments, indexes, appender, recovery.

pub mod checkpoint;
pub mod clock;
pub mod epochs;
pub mod partition_metadata;
pub mod producers;
pub mod storage;

pub use clock::Clock;
pub use storage::{File, Storage};
