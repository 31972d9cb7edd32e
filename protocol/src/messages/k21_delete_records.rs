//! DeleteRecords (key 21).

use bytestring::ByteString;

use crate::{ErrorCode, codec::message};

message! {
    DeleteRecordsRequest, key 21, versions 0..=2, flexible 2.. => {
        topics: Vec<DeleteRecordsRequestTopic> { 0.. },
        timeout_ms: i32 { 0.. },
    }

    DeleteRecordsRequestTopic {
        name: ByteString { 0.. },
        partitions: Vec<DeleteRecordsRequestPartition> { 0.. },
    }

    DeleteRecordsRequestPartition {
        partition_index: i32 { 0.. },
        offset: i64 { 0.. },
    }

    DeleteRecordsResponse, key 21, versions 0..=2, flexible 2.. => {
        throttle_time_ms: i32 { 0.. },
        topics: Vec<DeleteRecordsResponseTopic> { 0.. },
    }

    DeleteRecordsResponseTopic {
        name: ByteString { 0.. },
        partitions: Vec<DeleteRecordsResponsePartition> { 0.. },
    }

    DeleteRecordsResponsePartition {
        partition_index: i32 { 0.. },
        low_watermark: i64 { 0.. },
        error_code: ErrorCode { 0.. },
    }
}
