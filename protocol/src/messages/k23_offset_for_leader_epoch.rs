//! OffsetForLeaderEpoch (key 23).

use bytestring::ByteString;

use crate::{ErrorCode, codec::message};

message! {
    OffsetForLeaderEpochRequest, key 23, versions 2..=4, flexible 4.. => {
        replica_id: i32 { 3.., default -2; ignorable },
        topics: Vec<OffsetForLeaderEpochRequestTopic> { 0.. },
    }

    OffsetForLeaderEpochRequestTopic {
        topic: ByteString { 0.. },
        partitions: Vec<OffsetForLeaderEpochRequestPartition> { 0.. },
    }

    OffsetForLeaderEpochRequestPartition {
        partition: i32 { 0.. },
        current_leader_epoch: i32 { 2.., default -1; ignorable },
        leader_epoch: i32 { 0.. },
    }

    OffsetForLeaderEpochResponse, key 23, versions 2..=4, flexible 4.. => {
        throttle_time_ms: i32 { 2..; ignorable },
        topics: Vec<OffsetForLeaderEpochResponseTopic> { 0.. },
    }

    OffsetForLeaderEpochResponseTopic {
        topic: ByteString { 0.. },
        partitions: Vec<OffsetForLeaderEpochResponseEpochEndOffset> { 0.. },
    }

    OffsetForLeaderEpochResponseEpochEndOffset {
        error_code: ErrorCode { 0.. },
        partition: i32 { 0.. },
        leader_epoch: i32 { 1.., default -1; ignorable },
        end_offset: i64 { 0.., default -1 },
    }
}
