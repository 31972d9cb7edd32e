//! ListGroups (key 16).

use bytestring::ByteString;

use crate::{ErrorCode, codec::message};

message! {
    ListGroupsRequest, key 16, versions 0..=5, flexible 3.. => {
        states_filter: Vec<ByteString> { 4.. },
        types_filter: Vec<ByteString> { 5.. },
    }

    ListGroupsResponse, key 16, versions 0..=5, flexible 3.. => {
        throttle_time_ms: i32 { 1..; ignorable },
        error_code: ErrorCode { 0.. },
        groups: Vec<ListGroupsResponseGroup> { 0.. },
    }

    ListGroupsResponseGroup {
        group_id: ByteString { 0.. },
        protocol_type: ByteString { 0.. },
        group_state: ByteString { 4..; ignorable },
        group_type: ByteString { 5..; ignorable },
    }
}
