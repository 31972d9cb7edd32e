//! CreateTopics (key 19).

use bytestring::ByteString;
use uuid::Uuid;

use crate::{ErrorCode, codec::message};

message! {
    CreateTopicsRequest, key 19, versions 2..=7, flexible 5.. => {
        topics: Vec<CreateTopicsRequestTopic> { 0.. },
        timeout_ms: i32 { 0.., default 60000 },
        validate_only: bool { 1.. },
    }

    CreateTopicsRequestTopic {
        name: ByteString { 0.. },
        num_partitions: i32 { 0.. },
        replication_factor: i16 { 0.. },
        assignments: Vec<CreateTopicsRequestReplicaAssignment> { 0.. },
        configs: Vec<CreateTopicsRequestConfig> { 0.. },
    }

    CreateTopicsRequestReplicaAssignment {
        partition_index: i32 { 0.. },
        broker_ids: Vec<i32> { 0.. },
    }

    CreateTopicsRequestConfig {
        name: ByteString { 0.. },
        value: Option<ByteString> { 0.., default Some(ByteString::new()) },
    }

    CreateTopicsResponse, key 19, versions 2..=7, flexible 5.. => {
        throttle_time_ms: i32 { 2..; ignorable },
        topics: Vec<CreateTopicsResponseTopic> { 0.. },
    }

    CreateTopicsResponseTopic {
        name: ByteString { 0.. },
        topic_id: Uuid { 7..; ignorable },
        error_code: ErrorCode { 0.. },
        error_message: Option<ByteString> { 1.., default Some(ByteString::new()); ignorable },
        topic_config_error_code: i16 { 5.., tag 0; ignorable },
        num_partitions: i32 { 5.., default -1; ignorable },
        replication_factor: i16 { 5.., default -1; ignorable },
        configs: Option<Vec<CreateTopicsResponseConfig>> { 5.., default Some(Vec::new()); ignorable },
    }

    CreateTopicsResponseConfig {
        name: ByteString { 5.. },
        value: Option<ByteString> { 5.., default Some(ByteString::new()) },
        read_only: bool { 5.. },
        config_source: i8 { 5.., default -1; ignorable },
        is_sensitive: bool { 5.. },
    }
}
