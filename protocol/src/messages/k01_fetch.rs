//! Fetch (key 1).

use bytes::Bytes;
use bytestring::ByteString;
use uuid::Uuid;

use crate::{ErrorCode, codec::message};

message! {
    FetchRequest, key 1, versions 4..=18, flexible 12.. => {
        cluster_id: Option<ByteString> { 12.., tag 0; ignorable },
        replica_id: i32 { 0..=14, default -1 },
        replica_state: FetchRequestReplicaState { 15.., tag 1 },
        max_wait_ms: i32 { 0.. },
        min_bytes: i32 { 0.. },
        max_bytes: i32 { 3.., default i32::MAX; ignorable },
        isolation_level: i8 { 4..; ignorable },
        session_id: i32 { 7..; ignorable },
        session_epoch: i32 { 7.., default -1; ignorable },
        topics: Vec<FetchRequestTopic> { 0.. },
        forgotten_topics_data: Vec<FetchRequestForgottenTopic> { 7.. },
        rack_id: ByteString { 11..; ignorable },
    }

    FetchRequestReplicaState {
        replica_id: i32 { 15.., default -1 },
        replica_epoch: i64 { 15.., default -1 },
    }

    FetchRequestTopic {
        topic: ByteString { 0..=12; ignorable },
        topic_id: Uuid { 13..; ignorable },
        partitions: Vec<FetchRequestPartition> { 0.. },
    }

    FetchRequestPartition {
        partition: i32 { 0.. },
        current_leader_epoch: i32 { 9.., default -1; ignorable },
        fetch_offset: i64 { 0.. },
        last_fetched_epoch: i32 { 12.., default -1 },
        log_start_offset: i64 { 5.., default -1; ignorable },
        partition_max_bytes: i32 { 0.. },
        replica_directory_id: Uuid { 17.., tag 0; ignorable },
        high_watermark: i64 { 18.., default i64::MAX, tag 1; ignorable },
    }

    FetchRequestForgottenTopic {
        topic: ByteString { 7..=12; ignorable },
        topic_id: Uuid { 13..; ignorable },
        partitions: Vec<i32> { 7.. },
    }

    FetchResponse, key 1, versions 4..=18, flexible 12.. => {
        throttle_time_ms: i32 { 1..; ignorable },
        error_code: ErrorCode { 7..; ignorable },
        session_id: i32 { 7.. },
        responses: Vec<FetchResponseTopic> { 0.. },
        node_endpoints: Vec<FetchResponseNodeEndpoint> { 16.., tag 0 },
    }

    FetchResponseTopic {
        topic: ByteString { 0..=12; ignorable },
        topic_id: Uuid { 13..; ignorable },
        partitions: Vec<FetchResponsePartition> { 0.. },
    }

    FetchResponsePartition {
        partition_index: i32 { 0.. },
        error_code: ErrorCode { 0.. },
        high_watermark: i64 { 0.. },
        last_stable_offset: i64 { 4.., default -1; ignorable },
        log_start_offset: i64 { 5.., default -1; ignorable },
        diverging_epoch: FetchResponseEpochEndOffset { 12.., tag 0 },
        current_leader: FetchResponseLeaderIdAndEpoch { 12.., tag 1 },
        snapshot_id: FetchResponseSnapshotId { 12.., tag 2 },
        aborted_transactions: Option<Vec<FetchResponseAbortedTransaction>> { 4.., default Some(Vec::new()); ignorable },
        preferred_read_replica: i32 { 11.., default -1 },
        records: Option<Bytes> { 0.. },
    }

    FetchResponseEpochEndOffset {
        epoch: i32 { 12.., default -1 },
        end_offset: i64 { 12.., default -1 },
    }

    FetchResponseLeaderIdAndEpoch {
        leader_id: i32 { 12.., default -1 },
        leader_epoch: i32 { 12.., default -1 },
    }

    FetchResponseSnapshotId {
        end_offset: i64 { 0.., default -1 },
        epoch: i32 { 0.., default -1 },
    }

    FetchResponseAbortedTransaction {
        producer_id: i64 { 4.. },
        first_offset: i64 { 4.. },
    }

    FetchResponseNodeEndpoint {
        node_id: i32 { 16.. },
        host: ByteString { 16.. },
        port: i32 { 16.. },
        rack: Option<ByteString> { 16.. },
    }
}
