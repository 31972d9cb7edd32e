//! Produce (key 0).

use bytes::Bytes;
use bytestring::ByteString;
use uuid::Uuid;

use crate::{ErrorCode, codec::message};

message! {
    ProduceRequest, key 0, versions 3..=13, flexible 9.. => {
        transactional_id: Option<ByteString> { 3.. },
        acks: i16 { 0.. },
        timeout_ms: i32 { 0.. },
        topic_data: Vec<ProduceRequestTopicData> { 0.. },
    }

    ProduceRequestTopicData {
        name: ByteString { 0..=12; ignorable },
        topic_id: Uuid { 13..; ignorable },
        partition_data: Vec<ProduceRequestPartitionData> { 0.. },
    }

    ProduceRequestPartitionData {
        index: i32 { 0.. },
        records: Option<Bytes> { 0.. },
    }

    ProduceResponse, key 0, versions 3..=13, flexible 9.. => {
        responses: Vec<ProduceResponseTopic> { 0.. },
        throttle_time_ms: i32 { 1..; ignorable },
        node_endpoints: Vec<ProduceResponseNodeEndpoint> { 10.., tag 0 },
    }

    ProduceResponseTopic {
        name: ByteString { 0..=12; ignorable },
        topic_id: Uuid { 13..; ignorable },
        partition_responses: Vec<ProduceResponsePartition> { 0.. },
    }

    ProduceResponsePartition {
        index: i32 { 0.. },
        error_code: ErrorCode { 0.. },
        base_offset: i64 { 0.. },
        log_append_time_ms: i64 { 2.., default -1; ignorable },
        log_start_offset: i64 { 5.., default -1; ignorable },
        record_errors: Vec<ProduceResponseBatchIndexAndErrorMessage> { 8..; ignorable },
        error_message: Option<ByteString> { 8..; ignorable },
        current_leader: ProduceResponseLeaderIdAndEpoch { 10.., tag 0 },
    }

    ProduceResponseBatchIndexAndErrorMessage {
        batch_index: i32 { 8.. },
        batch_index_error_message: Option<ByteString> { 8.. },
    }

    ProduceResponseLeaderIdAndEpoch {
        leader_id: i32 { 10.., default -1 },
        leader_epoch: i32 { 10.., default -1 },
    }

    ProduceResponseNodeEndpoint {
        node_id: i32 { 10.. },
        host: ByteString { 10.. },
        port: i32 { 10.. },
        rack: Option<ByteString> { 10.. },
    }
}
