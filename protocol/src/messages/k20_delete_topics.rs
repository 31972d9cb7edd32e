//! DeleteTopics (key 20).

use bytestring::ByteString;
use uuid::Uuid;

use crate::{ErrorCode, codec::message};

message! {
    DeleteTopicsRequest, key 20, versions 1..=6, flexible 4.. => {
        topics: Vec<DeleteTopicsRequestState> { 6.. },
        topic_names: Vec<ByteString> { 0..=5; ignorable },
        timeout_ms: i32 { 0.. },
    }

    DeleteTopicsRequestState {
        name: Option<ByteString> { 6.. },
        topic_id: Uuid { 6.. },
    }

    DeleteTopicsResponse, key 20, versions 1..=6, flexible 4.. => {
        throttle_time_ms: i32 { 1..; ignorable },
        responses: Vec<DeleteTopicsResponseTopic> { 0.. },
    }

    DeleteTopicsResponseTopic {
        name: Option<ByteString> { 0.., null 6.., default Some(ByteString::new()) },
        topic_id: Uuid { 6..; ignorable },
        error_code: ErrorCode { 0.. },
        error_message: Option<ByteString> { 5..; ignorable },
    }
}
