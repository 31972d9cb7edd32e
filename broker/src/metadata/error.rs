//! Why metadata could not be opened or changed.

use protocol::Offset;

use super::{change::Refusal, record::RecordError, topic_config::InvalidConfig};
use crate::record_log::RecordLogError;

/// Why a change was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// The change was in order, but could not be stored.
    #[error("{0}")]
    Log(#[from] RecordLogError),
    #[error("the broker is shutting down")]
    Stopped,
}

/// Why a broker cannot start from its metadata log.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the metadata log cannot be read or written: {0}")]
    Log(#[from] RecordLogError),
    #[error("the metadata log cannot be used: the record at offset {offset} with key {key}: {error}")]
    Record { offset: Offset, key: String, error: RecordError },
    #[error(
        "the metadata log cannot be used: the record at offset {offset} with key {key} has a setting this version refuses: \
         {error}; start the version that wrote it and change the setting there"
    )]
    Setting { offset: Offset, key: String, error: InvalidConfig },
    #[error("the metadata log has records but no cluster id: its beginning is lost; restore it from a copy")]
    NoClusterId,
    #[error("the id source gives no fresh id")]
    NoFreshId,
    #[error("reading the metadata log was interrupted")]
    Interrupted,
}
