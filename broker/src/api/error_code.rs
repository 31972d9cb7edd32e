//! From what goes wrong in the rooms to Kafka's error codes. The only place that knows both; no wildcard arms, so that a
//! new failure has to be given its code.

use core_log::{AppendError, ChangeError, InvalidBatch, ReadError};
use protocol::ErrorCode;

use crate::{metadata::MetadataError, partition::FindError};

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
        AppendError::LowerLeaderEpoch { .. } | AppendError::NotAfterEnd { .. } | AppendError::Closed => {
            ErrorCode::NOT_LEADER_OR_FOLLOWER
        }
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
