//! How a call to a broker can fail.

use std::{io, net::SocketAddr, time::Duration};

use protocol::ErrorCode;

#[derive(Debug, thiserror::Error)]
pub(in crate::demo) enum ClientError {
    #[error("cannot connect to {address}: {source}")]
    Connect { address: SocketAddr, source: io::Error },
    #[error("the connection to {address} broke: {source}")]
    Broken { address: SocketAddr, source: io::Error },
    #[error("{address} did not answer within {within:?}")]
    Silent { address: SocketAddr, within: Duration },
    #[error("{address} answered what is not an answer: {why}")]
    Malformed { address: SocketAddr, why: String },
    #[error("a request cannot be written: {0}")]
    Unwritable(String),
    #[error("{address} refused {what}: {code}{text}")]
    Refused { address: SocketAddr, what: &'static str, code: ErrorCode, text: String },
}

impl ClientError {
    /// Whether it is a refusal that passes by itself and left everything as it was.
    pub(in crate::demo) fn is_passing(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if passes(*code))
    }

    /// Whether it is a refusal because something may not be written there.
    pub(in crate::demo) fn is_policy(&self) -> bool {
        matches!(self, Self::Refused { code: ErrorCode::POLICY_VIOLATION, .. })
    }
}

/// Codes of a broker that does not serve this now, and has done nothing.
pub(super) fn passes(code: ErrorCode) -> bool {
    [
        ErrorCode::NOT_LEADER_OR_FOLLOWER,
        ErrorCode::LEADER_NOT_AVAILABLE,
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        ErrorCode::UNKNOWN_TOPIC_ID,
        ErrorCode::NOT_COORDINATOR,
        ErrorCode::COORDINATOR_NOT_AVAILABLE,
        ErrorCode::COORDINATOR_LOAD_IN_PROGRESS,
        ErrorCode::OFFSET_NOT_AVAILABLE,
    ]
    .contains(&code)
}
