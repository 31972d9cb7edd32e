//! OffsetCommit (key 8).

use bytestring::ByteString;
use uuid::Uuid;

use crate::{ErrorCode, codec::message};

message! {
    OffsetCommitRequest, key 8, versions 2..=10, flexible 8.. => {
        group_id: ByteString { 0.. },
        generation_id_or_member_epoch: i32 { 1.., default -1; ignorable },
        member_id: ByteString { 1..; ignorable },
        group_instance_id: Option<ByteString> { 7.. },
        retention_time_ms: i64 { 2..=4, default -1; ignorable },
        topics: Vec<OffsetCommitRequestTopic> { 0.. },
    }

    OffsetCommitRequestTopic {
        name: ByteString { 0..=9; ignorable },
        topic_id: Uuid { 10..; ignorable },
        partitions: Vec<OffsetCommitRequestPartition> { 0.. },
    }

    OffsetCommitRequestPartition {
        partition_index: i32 { 0.. },
        committed_offset: i64 { 0.. },
        committed_leader_epoch: i32 { 6.., default -1; ignorable },
        committed_metadata: Option<ByteString> { 0.., default Some(ByteString::new()) },
    }

    OffsetCommitResponse, key 8, versions 2..=10, flexible 8.. => {
        throttle_time_ms: i32 { 3..; ignorable },
        topics: Vec<OffsetCommitResponseTopic> { 0.. },
    }

    OffsetCommitResponseTopic {
        name: ByteString { 0..=9; ignorable },
        topic_id: Uuid { 10..; ignorable },
        partitions: Vec<OffsetCommitResponsePartition> { 0.. },
    }

    OffsetCommitResponsePartition {
        partition_index: i32 { 0.. },
        error_code: ErrorCode { 0.. },
    }
}
