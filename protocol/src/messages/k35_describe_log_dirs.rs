//! DescribeLogDirs (key 35).

use bytestring::ByteString;

use crate::{ErrorCode, codec::message};

message! {
    DescribeLogDirsRequest, key 35, versions 1..=4, flexible 2.. => {
        topics: Option<Vec<DescribeLogDirsRequestTopic>> { 0.., default Some(Vec::new()) },
    }

    DescribeLogDirsRequestTopic {
        topic: ByteString { 0.. },
        partitions: Vec<i32> { 0.. },
    }

    DescribeLogDirsResponse, key 35, versions 1..=4, flexible 2.. => {
        throttle_time_ms: i32 { 0.. },
        error_code: ErrorCode { 3..; ignorable },
        results: Vec<DescribeLogDirsResponseResult> { 0.. },
    }

    DescribeLogDirsResponseResult {
        error_code: ErrorCode { 0.. },
        log_dir: ByteString { 0.. },
        topics: Vec<DescribeLogDirsResponseTopic> { 0.. },
        total_bytes: i64 { 4.., default -1; ignorable },
        usable_bytes: i64 { 4.., default -1; ignorable },
    }

    DescribeLogDirsResponseTopic {
        name: ByteString { 0.. },
        partitions: Vec<DescribeLogDirsResponsePartition> { 0.. },
    }

    DescribeLogDirsResponsePartition {
        partition_index: i32 { 0.. },
        partition_size: i64 { 0.. },
        offset_lag: i64 { 0.. },
        is_future_key: bool { 0.. },
    }
}
