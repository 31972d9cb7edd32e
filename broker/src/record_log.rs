//! A durable log of keyed records that a state machine is folded from: metadata and group offsets both stand on it.
//!
//! One instance is one partition. State changes are records; recovery is replay.

use std::{future::Future, pin::Pin, sync::Arc};

use bytes::Bytes;

use protocol::Offset;

/// One record; no value is a tombstone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyValue {
    pub key: Bytes,
    pub value: Option<Bytes>,
}

/// Why records could not be stored or read back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordLogError {
    /// Not now: the disk is offline, full, or the broker is draining.
    #[error("the log is not available: {0}")]
    Unavailable(Arc<str>),
    /// What is stored cannot be read: an operator has to look.
    #[error("the log is corrupt: {0}")]
    Corrupt(Arc<str>),
    #[error("the records are larger than a batch may be")]
    TooLarge,
}

/// Answers with the offset of the first record once all are on stable storage.
pub type Appending<'a> = Pin<Box<dyn Future<Output = Result<Offset, RecordLogError>> + Send + 'a>>;

pub trait RecordLog: Send + Sync + 'static {
    /// Appends all records as one batch: all of them are kept, or none.
    fn append(&self, records: Vec<KeyValue>) -> Appending<'_>;

    /// Hands over every record from the log's start with its offset and timestamp (ms), in order. Blocking: call it off
    /// the runtime's threads.
    fn replay(&self, each: &mut dyn FnMut(Offset, i64, KeyValue)) -> Result<(), RecordLogError>;
}
