//! Heartbeat (key 12).

use bytestring::ByteString;

use crate::{ErrorCode, codec::message};

message! {
    HeartbeatRequest, key 12, versions 0..=4, flexible 4.. => {
        group_id: ByteString { 0.. },
        generation_id: i32 { 0.. },
        member_id: ByteString { 0.. },
        group_instance_id: Option<ByteString> { 3.. },
    }

    HeartbeatResponse, key 12, versions 0..=4, flexible 4.. => {
        throttle_time_ms: i32 { 1..; ignorable },
        error_code: ErrorCode { 0.. },
    }
}
