//! ListOffsets (key 2).

use bytestring::ByteString;

use crate::{ErrorCode, codec::message};

message! {
    ListOffsetsRequest, key 2, versions 1..=10, flexible 6.. => {
        replica_id: i32 { 0.. },
        isolation_level: i8 { 2.. },
        topics: Vec<ListOffsetsRequestTopic> { 0.. },
        timeout_ms: i32 { 10..; ignorable },
    }

    ListOffsetsRequestTopic {
        name: ByteString { 0.. },
        partitions: Vec<ListOffsetsRequestPartition> { 0.. },
    }

    ListOffsetsRequestPartition {
        partition_index: i32 { 0.. },
        current_leader_epoch: i32 { 4.., default -1; ignorable },
        timestamp: i64 { 0.. },
    }

    ListOffsetsResponse, key 2, versions 1..=10, flexible 6.. => {
        throttle_time_ms: i32 { 2..; ignorable },
        topics: Vec<ListOffsetsResponseTopic> { 0.. },
    }

    ListOffsetsResponseTopic {
        name: ByteString { 0.. },
        partitions: Vec<ListOffsetsResponsePartition> { 0.. },
    }

    ListOffsetsResponsePartition {
        partition_index: i32 { 0.. },
        error_code: ErrorCode { 0.. },
        timestamp: i64 { 1.., default -1 },
        offset: i64 { 1.., default -1 },
        leader_epoch: i32 { 4.., default -1 },
    }
}
