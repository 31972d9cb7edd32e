//! DeleteGroups (key 42).

use bytestring::ByteString;

use crate::{ErrorCode, codec::message};

message! {
    DeleteGroupsRequest, key 42, versions 0..=2, flexible 2.. => {
        groups_names: Vec<ByteString> { 0.. },
    }

    DeleteGroupsResponse, key 42, versions 0..=2, flexible 2.. => {
        throttle_time_ms: i32 { 0.. },
        results: Vec<DeleteGroupsResponseGroup> { 0.. },
    }

    DeleteGroupsResponseGroup {
        group_id: ByteString { 0.. },
        error_code: ErrorCode { 0.. },
    }
}
