//! Errors of the broker and its logs in the words of the ports: what can be done about them.

use std::sync::Arc;

use broker::{
    FindError,
    metadata::{MetadataError, Refusal},
    record_log::RecordLogError,
};
use mirror::ports::PortError;
use protocol::ErrorCode;

pub(super) fn find(error: &FindError) -> PortError {
    match error {
        FindError::Unknown => PortError::NotFound("this topic or partition does not exist".into()),
        FindError::Storage(why) => PortError::Offline(why.clone()),
    }
}

pub(super) fn metadata(error: &MetadataError) -> PortError {
    match error {
        MetadataError::Refused(refusal @ (Refusal::UnknownTopic(_) | Refusal::UnknownTopicId(_))) => {
            PortError::NotFound(text(refusal))
        }
        MetadataError::Refused(refusal) => PortError::Refused(text(refusal)),
        MetadataError::Log(RecordLogError::Unavailable(why)) => PortError::Unavailable(why.clone()),
        MetadataError::Log(RecordLogError::Corrupt(why)) => PortError::Offline(why.clone()),
        MetadataError::Log(error @ RecordLogError::TooLarge) => PortError::Refused(text(error)),
        MetadataError::Stopped => PortError::Closed,
    }
}

/// Groups answer in Kafka's codes.
pub(super) fn group(code: ErrorCode) -> PortError {
    let why: Arc<str> = format!("the group coordinator answers {code:?}").into();
    match code {
        ErrorCode::COORDINATOR_LOAD_IN_PROGRESS
        | ErrorCode::COORDINATOR_NOT_AVAILABLE
        | ErrorCode::NOT_COORDINATOR
        | ErrorCode::REQUEST_TIMED_OUT => PortError::Unavailable(why),
        ErrorCode::GROUP_ID_NOT_FOUND => PortError::NotFound(why),
        ErrorCode::KAFKA_STORAGE_ERROR => PortError::Offline(why),
        _ => PortError::Refused(why),
    }
}

fn text(error: &impl ToString) -> Arc<str> {
    error.to_string().into()
}
