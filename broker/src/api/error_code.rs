//! From what goes wrong with partitions and their logs to Kafka's error codes; metadata's failures are in `failure.rs`.
//! No wildcard arms: a new failure has to be given its code.

#![deny(clippy::wildcard_enum_match_arm)]

use core_log::{AppendError, ChangeError, ReadError, validate::InvalidBatch};
use protocol::ErrorCode;

use crate::partition::FindError;

pub(crate) fn of_find(error: &FindError) -> ErrorCode {
    match error {
        FindError::Unknown => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        FindError::Storage(_) => ErrorCode::KAFKA_STORAGE_ERROR,
    }
}

pub(crate) fn of_append(error: &AppendError) -> ErrorCode {
    match error {
        AppendError::OutOfOrderSequence { .. } => ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER,
        AppendError::StaleProducerEpoch { .. } => ErrorCode::INVALID_PRODUCER_EPOCH,
        // Somebody else leads, or the batch was meant for another place: the client looks again.
        AppendError::LowerLeaderEpoch { .. }
        | AppendError::NotAfterEnd { .. }
        | AppendError::NotTaken { .. }
        | AppendError::Closed => ErrorCode::NOT_LEADER_OR_FOLLOWER,
        AppendError::OpenTransaction { .. } => ErrorCode::INVALID_TXN_STATE,
        AppendError::LargerThanSegment { .. } => ErrorCode::RECORD_LIST_TOO_LARGE,
        AppendError::InvalidBatch(_) => ErrorCode::CORRUPT_MESSAGE,
        AppendError::Offline(_) | AppendError::NoSpace => ErrorCode::KAFKA_STORAGE_ERROR,
    }
}

pub(crate) fn of_change(error: &ChangeError) -> ErrorCode {
    match error {
        ChangeError::OutOfRange { .. } => ErrorCode::OFFSET_OUT_OF_RANGE,
        ChangeError::Io(_) | ChangeError::Offline(_) => ErrorCode::KAFKA_STORAGE_ERROR,
        ChangeError::Closed => ErrorCode::NOT_LEADER_OR_FOLLOWER,
    }
}

pub(crate) fn of_read(error: &ReadError) -> ErrorCode {
    match error {
        ReadError::OutOfRange { .. } => ErrorCode::OFFSET_OUT_OF_RANGE,
        ReadError::Corrupt(_) | ReadError::Io(_) | ReadError::Offline(_) => ErrorCode::KAFKA_STORAGE_ERROR,
        ReadError::Records { .. } => ErrorCode::CORRUPT_MESSAGE,
    }
}

/// Each variant of [`InvalidBatch`] says which code it is, and why.
pub(crate) fn of_batch(invalid: &InvalidBatch) -> ErrorCode {
    match invalid {
        InvalidBatch::Corrupt(_) => ErrorCode::CORRUPT_MESSAGE,
        InvalidBatch::TooLarge { .. } => ErrorCode::MESSAGE_TOO_LARGE,
        InvalidBatch::Transactional => ErrorCode::UNSUPPORTED_FOR_MESSAGE_FORMAT,
        InvalidBatch::UnknownCompression(_) | InvalidBatch::ZstdTooEarly => {
            ErrorCode::UNSUPPORTED_COMPRESSION_TYPE
        }
        InvalidBatch::Timestamp { .. } | InvalidBatch::AppendTime => ErrorCode::INVALID_TIMESTAMP,
        InvalidBatch::Truncated { .. }
        | InvalidBatch::Magic(_)
        | InvalidBatch::SeveralBatches(_)
        | InvalidBatch::Count { .. }
        | InvalidBatch::Control
        | InvalidBatch::DeleteHorizon
        | InvalidBatch::Producer { .. }
        | InvalidBatch::TransactionalWithoutProducer
        | InvalidBatch::Records(_)
        | InvalidBatch::RecordsWithoutKey(_) => ErrorCode::INVALID_RECORD,
    }
}
