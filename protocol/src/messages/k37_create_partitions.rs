//! CreatePartitions (key 37).

use bytestring::ByteString;

use crate::{ErrorCode, codec::message};

message! {
    CreatePartitionsRequest, key 37, versions 0..=3, flexible 2.. => {
        topics: Vec<CreatePartitionsRequestTopic> { 0.. },
        timeout_ms: i32 { 0.. },
        validate_only: bool { 0.. },
    }

    CreatePartitionsRequestTopic {
        name: ByteString { 0.. },
        count: i32 { 0.. },
        assignments: Option<Vec<CreatePartitionsRequestAssignment>> { 0.., default Some(Vec::new()) },
    }

    CreatePartitionsRequestAssignment {
        broker_ids: Vec<i32> { 0.. },
    }

    CreatePartitionsResponse, key 37, versions 0..=3, flexible 2.. => {
        throttle_time_ms: i32 { 0.. },
        results: Vec<CreatePartitionsResponseTopic> { 0.. },
    }

    CreatePartitionsResponseTopic {
        name: ByteString { 0.. },
        error_code: ErrorCode { 0.. },
        error_message: Option<ByteString> { 0.. },
    }
}
