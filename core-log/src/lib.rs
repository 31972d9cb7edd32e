//! The partitioned log: segments, indexes, appender, recovery.

pub mod checkpoint;
pub mod clock;
pub mod epochs;
pub mod partition_metadata;
pub mod producers;
pub mod storage;
pub mod validate;

pub use clock::Clock;
pub use storage::{File, Storage};
