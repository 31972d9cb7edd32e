//! OffsetFetch (key 9).

use bytestring::ByteString;
use uuid::Uuid;

use crate::{ErrorCode, codec::message};

message! {
    OffsetFetchRequest, key 9, versions 1..=10, flexible 6.. => {
        group_id: ByteString { 0..=7 },
        topics: Option<Vec<OffsetFetchRequestTopic>> { 0..=7, null 2..=7, default Some(Vec::new()) },
        groups: Vec<OffsetFetchRequestGroup> { 8.. },
        require_stable: bool { 7.. },
    }

    OffsetFetchRequestTopic {
        name: ByteString { 0..=7 },
        partition_indexes: Vec<i32> { 0..=7 },
    }

    OffsetFetchRequestGroup {
        group_id: ByteString { 8.. },
        member_id: Option<ByteString> { 9..; ignorable },
        member_epoch: i32 { 9.., default -1; ignorable },
        topics: Option<Vec<OffsetFetchRequestGroupTopic>> { 8.., default Some(Vec::new()) },
    }

    OffsetFetchRequestGroupTopic {
        name: ByteString { 8..=9; ignorable },
        topic_id: Uuid { 10..; ignorable },
        partition_indexes: Vec<i32> { 8.. },
    }

    OffsetFetchResponse, key 9, versions 1..=10, flexible 6.. => {
        throttle_time_ms: i32 { 3..; ignorable },
        topics: Vec<OffsetFetchResponseTopic> { 0..=7 },
        error_code: ErrorCode { 2..=7; ignorable },
        groups: Vec<OffsetFetchResponseGroup> { 8.. },
    }

    OffsetFetchResponseTopic {
        name: ByteString { 0..=7 },
        partitions: Vec<OffsetFetchResponsePartition> { 0..=7 },
    }

    OffsetFetchResponsePartition {
        partition_index: i32 { 0..=7 },
        committed_offset: i64 { 0..=7 },
        committed_leader_epoch: i32 { 5..=7, default -1; ignorable },
        metadata: Option<ByteString> { 0..=7, default Some(ByteString::new()) },
        error_code: ErrorCode { 0..=7 },
    }

    OffsetFetchResponseGroup {
        group_id: ByteString { 8.. },
        topics: Vec<OffsetFetchResponseGroupTopic> { 8.. },
        error_code: ErrorCode { 8.. },
    }

    OffsetFetchResponseGroupTopic {
        name: ByteString { 8..=9; ignorable },
        topic_id: Uuid { 10..; ignorable },
        partitions: Vec<OffsetFetchResponseGroupPartition> { 8.. },
    }

    OffsetFetchResponseGroupPartition {
        partition_index: i32 { 8.. },
        committed_offset: i64 { 8.. },
        committed_leader_epoch: i32 { 8.., default -1; ignorable },
        metadata: Option<ByteString> { 8.., default Some(ByteString::new()) },
        error_code: ErrorCode { 8.. },
    }
}
