//! Why metadata is not read or changed, as the answer says it: the one place that maps refusals to Kafka's codes.

#![deny(clippy::wildcard_enum_match_arm)]

use bytestring::ByteString;
use protocol::ErrorCode;

use crate::{
    metadata::{MetadataError, Refusal},
    record_log::RecordLogError,
};

/// An error code with the text that explains it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub code: ErrorCode,
    pub message: ByteString,
}

impl Failure {
    pub(super) fn new(code: ErrorCode, message: impl Into<ByteString>) -> Self {
        Self { code, message: message.into() }
    }

    pub(super) fn invalid_request(message: impl Into<ByteString>) -> Self {
        Self::new(ErrorCode::INVALID_REQUEST, message)
    }
}

impl From<MetadataError> for Failure {
    fn from(error: MetadataError) -> Self {
        let code = match &error {
            MetadataError::Refused(refusal) => refusal_code(refusal),
            MetadataError::Log(RecordLogError::Unavailable(_) | RecordLogError::Corrupt(_)) => {
                ErrorCode::KAFKA_STORAGE_ERROR
            }
            MetadataError::Log(RecordLogError::TooLarge) => ErrorCode::POLICY_VIOLATION,
            // Clients look for another controller and try again.
            MetadataError::Stopped => ErrorCode::NOT_CONTROLLER,
        };
        Self::new(code, error.to_string())
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        MetadataError::from(refusal).into()
    }
}

fn refusal_code(refusal: &Refusal) -> ErrorCode {
    match refusal {
        Refusal::InvalidName(_) | Refusal::Collides { .. } | Refusal::Internal(_) => {
            ErrorCode::INVALID_TOPIC_EXCEPTION
        }
        Refusal::ClusterMetadata
        | Refusal::CountsAndAssignments(_)
        | Refusal::RepeatedConfigs
        | Refusal::ReservedId(_)
        | Refusal::InvalidOwnership { .. } => ErrorCode::INVALID_REQUEST,
        Refusal::Exists(_) | Refusal::OtherId { .. } | Refusal::IdTaken { .. } => {
            ErrorCode::TOPIC_ALREADY_EXISTS
        }
        Refusal::UnknownTopic(_) => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        Refusal::UnknownTopicId(_) => ErrorCode::UNKNOWN_TOPIC_ID,
        Refusal::FactorNotPositive | Refusal::FactorTooLarge(_) => ErrorCode::INVALID_REPLICATION_FACTOR,
        Refusal::PartitionsNotPositive
        | Refusal::TooManyPartitions { .. }
        | Refusal::ClusterFull { .. }
        | Refusal::PartitionsUnchanged(_)
        | Refusal::PartitionsShrink { .. } => ErrorCode::INVALID_PARTITIONS,
        Refusal::InvalidAssignment(_) => ErrorCode::INVALID_REPLICA_ASSIGNMENT,
        Refusal::NullConfigs(_)
        | Refusal::InvalidConfig(_)
        | Refusal::InternalUnsynced
        | Refusal::ConfigTooLong { .. }
        | Refusal::NotAList { .. } => ErrorCode::INVALID_CONFIG,
        Refusal::TooManyChanges { .. } => ErrorCode::POLICY_VIOLATION,
        Refusal::ProducerIdsExhausted | Refusal::NoFreshId => ErrorCode::UNKNOWN_SERVER_ERROR,
    }
}
