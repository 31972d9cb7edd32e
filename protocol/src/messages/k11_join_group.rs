//! JoinGroup (key 11).

use bytes::Bytes;
use bytestring::ByteString;

use crate::{ErrorCode, codec::message};

message! {
    JoinGroupRequest, key 11, versions 0..=9, flexible 6.. => {
        group_id: ByteString { 0.. },
        session_timeout_ms: i32 { 0.. },
        rebalance_timeout_ms: i32 { 1.., default -1; ignorable },
        member_id: ByteString { 0.. },
        group_instance_id: Option<ByteString> { 5.. },
        protocol_type: ByteString { 0.. },
        protocols: Vec<JoinGroupRequestProtocol> { 0.. },
        reason: Option<ByteString> { 8..; ignorable },
    }

    JoinGroupRequestProtocol {
        name: ByteString { 0.. },
        metadata: Bytes { 0.. },
    }

    JoinGroupResponse, key 11, versions 0..=9, flexible 6.. => {
        throttle_time_ms: i32 { 2..; ignorable },
        error_code: ErrorCode { 0.. },
        generation_id: i32 { 0.., default -1 },
        protocol_type: Option<ByteString> { 7..; ignorable },
        protocol_name: Option<ByteString> { 0.., null 7.., default Some(ByteString::new()) },
        leader: ByteString { 0.. },
        skip_assignment: bool { 9.. },
        member_id: ByteString { 0.. },
        members: Vec<JoinGroupResponseMember> { 0.. },
    }

    JoinGroupResponseMember {
        member_id: ByteString { 0.. },
        group_instance_id: Option<ByteString> { 5..; ignorable },
        metadata: Bytes { 0.. },
    }
}
