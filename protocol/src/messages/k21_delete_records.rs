//! DeleteRecords (key 21).

use bytestring::ByteString;

use crate::{ErrorCode, codec::message};

message! {
    DeleteRecordsRequest, key 21, versions 0..=2, flexible 2.. => {
        topics: Vec<DeleteRecordsRequestDeleteRecordsTopic> { 0.. },
        timeout_ms: i32 { 0.. },
    }

    DeleteRecordsRequestDeleteRecordsTopic {
        name: ByteString { 0.. },
        partitions: Vec<DeleteRecordsRequestDeleteRecordsPartition> { 0.. },
    }

    DeleteRecordsRequestDeleteRecordsPartition {
        partition_index: i32 { 0.. },
        offset: i64 { 0.. },
    }

    DeleteRecordsResponse, key 21, versions 0..=2, flexible 2.. => {
        throttle_time_ms: i32 { 0.. },
        topics: Vec<DeleteRecordsResponseDeleteRecordsTopicResult> { 0.. },
    }

    DeleteRecordsResponseDeleteRecordsTopicResult {
        name: ByteString { 0.. },
        partitions: Vec<DeleteRecordsResponseDeleteRecordsPartitionResult> { 0.. },
    }

    DeleteRecordsResponseDeleteRecordsPartitionResult {
        partition_index: i32 { 0.. },
        low_watermark: i64 { 0.. },
        error_code: ErrorCode { 0.. },
    }
}
