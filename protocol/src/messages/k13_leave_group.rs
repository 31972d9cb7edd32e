//! LeaveGroup (key 13).

use bytestring::ByteString;

use crate::{ErrorCode, codec::message};

message! {
    LeaveGroupRequest, key 13, versions 0..=5, flexible 4.. => {
        group_id: ByteString { 0.. },
        member_id: ByteString { 0..=2 },
        members: Vec<LeaveGroupRequestMemberIdentity> { 3.. },
    }

    LeaveGroupRequestMemberIdentity {
        member_id: ByteString { 3.. },
        group_instance_id: Option<ByteString> { 3.. },
        reason: Option<ByteString> { 5..; ignorable },
    }

    LeaveGroupResponse, key 13, versions 0..=5, flexible 4.. => {
        throttle_time_ms: i32 { 1..; ignorable },
        error_code: ErrorCode { 0.. },
        members: Vec<LeaveGroupResponseMember> { 3.. },
    }

    LeaveGroupResponseMember {
        member_id: ByteString { 3.. },
        group_instance_id: Option<ByteString> { 3.., default Some(ByteString::new()) },
        error_code: ErrorCode { 3.. },
    }
}
