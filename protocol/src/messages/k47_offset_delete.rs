//! OffsetDelete (key 47).

use bytestring::ByteString;

use crate::{ErrorCode, codec::message};

message! {
    OffsetDeleteRequest, key 47, versions 0..=0, flexible i16::MAX.. => {
        group_id: ByteString { 0.. },
        topics: Vec<OffsetDeleteRequestTopic> { 0.. },
    }

    OffsetDeleteRequestTopic {
        name: ByteString { 0.. },
        partitions: Vec<OffsetDeleteRequestPartition> { 0.. },
    }

    OffsetDeleteRequestPartition {
        partition_index: i32 { 0.. },
    }

    OffsetDeleteResponse, key 47, versions 0..=0, flexible i16::MAX.. => {
        error_code: ErrorCode { 0.. },
        throttle_time_ms: i32 { 0..; ignorable },
        topics: Vec<OffsetDeleteResponseTopic> { 0.. },
    }

    OffsetDeleteResponseTopic {
        name: ByteString { 0.. },
        partitions: Vec<OffsetDeleteResponsePartition> { 0.. },
    }

    OffsetDeleteResponsePartition {
        partition_index: i32 { 0.. },
        error_code: ErrorCode { 0.. },
    }
}
