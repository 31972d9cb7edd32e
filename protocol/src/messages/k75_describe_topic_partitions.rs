//! DescribeTopicPartitions (key 75).

use bytestring::ByteString;
use uuid::Uuid;

use crate::{ErrorCode, codec::message};

message! {
    DescribeTopicPartitionsRequest, key 75, versions 0..=0, flexible 0.. => {
        topics: Vec<DescribeTopicPartitionsRequestTopic> { 0.. },
        response_partition_limit: i32 { 0.., default 2000 },
        cursor: Option<DescribeTopicPartitionsRequestCursor> { 0.. },
    }

    DescribeTopicPartitionsRequestTopic {
        name: ByteString { 0.. },
    }

    DescribeTopicPartitionsRequestCursor {
        topic_name: ByteString { 0.. },
        partition_index: i32 { 0.. },
    }

    DescribeTopicPartitionsResponse, key 75, versions 0..=0, flexible 0.. => {
        throttle_time_ms: i32 { 0..; ignorable },
        topics: Vec<DescribeTopicPartitionsResponseTopic> { 0.. },
        next_cursor: Option<DescribeTopicPartitionsResponseCursor> { 0.. },
    }

    DescribeTopicPartitionsResponseTopic {
        error_code: ErrorCode { 0.. },
        name: Option<ByteString> { 0.., default Some(ByteString::new()) },
        topic_id: Uuid { 0..; ignorable },
        is_internal: bool { 0..; ignorable },
        partitions: Vec<DescribeTopicPartitionsResponsePartition> { 0.. },
        topic_authorized_operations: i32 { 0.., default i32::MIN },
    }

    DescribeTopicPartitionsResponsePartition {
        error_code: ErrorCode { 0.. },
        partition_index: i32 { 0.. },
        leader_id: i32 { 0.. },
        leader_epoch: i32 { 0.., default -1; ignorable },
        replica_nodes: Vec<i32> { 0.. },
        isr_nodes: Vec<i32> { 0.. },
        eligible_leader_replicas: Option<Vec<i32>> { 0.. },
        last_known_elr: Option<Vec<i32>> { 0.. },
        offline_replicas: Vec<i32> { 0..; ignorable },
    }

    DescribeTopicPartitionsResponseCursor {
        topic_name: ByteString { 0.. },
        partition_index: i32 { 0.. },
    }
}
