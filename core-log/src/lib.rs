//! The partitioned log: segments, indexes, appender, recovery.

pub mod clock;
pub mod producers;
pub mod storage;

pub use clock::Clock;
pub use storage::{File, Storage};
