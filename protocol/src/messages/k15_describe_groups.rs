//! DescribeGroups (key 15).

use bytes::Bytes;
use bytestring::ByteString;

use crate::{ErrorCode, codec::message};

message! {
    DescribeGroupsRequest, key 15, versions 0..=6, flexible 5.. => {
        groups: Vec<ByteString> { 0.. },
        include_authorized_operations: bool { 3.. },
    }

    DescribeGroupsResponse, key 15, versions 0..=6, flexible 5.. => {
        throttle_time_ms: i32 { 1..; ignorable },
        groups: Vec<DescribeGroupsResponseGroup> { 0.. },
    }

    DescribeGroupsResponseGroup {
        error_code: ErrorCode { 0.. },
        error_message: Option<ByteString> { 6..; ignorable },
        group_id: ByteString { 0.. },
        group_state: ByteString { 0.. },
        protocol_type: ByteString { 0.. },
        protocol_data: ByteString { 0.. },
        members: Vec<DescribeGroupsResponseGroupMember> { 0.. },
        authorized_operations: i32 { 3.., default i32::MIN },
    }

    DescribeGroupsResponseGroupMember {
        member_id: ByteString { 0.. },
        group_instance_id: Option<ByteString> { 4..; ignorable },
        client_id: ByteString { 0.. },
        client_host: ByteString { 0.. },
        member_metadata: Bytes { 0.. },
        member_assignment: Bytes { 0.. },
    }
}
