//! Metadata (key 3): brokers, topics and partitions. Version 4 adds `allow_auto_topic_creation`, 7 leader epochs
//! (KIP-320), 10 topic ids, 12 look-up by id alone, 13 a top-level error (KIP-1102).

use bytestring::ByteString;
use uuid::Uuid;

use crate::{ErrorCode, codec::message};

/// Authorised operations that were not asked for.
pub const OPERATIONS_NOT_ASKED: i32 = i32::MIN;

message! {
    MetadataRequest, key 3, versions 0..=13, flexible 9.. => {
        /// Null asks for all topics; in version 0 an empty list does.
        topics: Option<Vec<MetadataRequestTopic>> { 0.., null 1.. },
        allow_auto_topic_creation: bool { 4.., default true; ignorable },
        include_cluster_authorized_operations: bool { 8..=10 },
        include_topic_authorized_operations: bool { 8.. },
    }

    MetadataRequestTopic {
        topic_id: Uuid { 10..; ignorable },
        name: Option<ByteString> { 0.., null 10.. },
    }

    MetadataResponse, key 3, versions 0..=13, flexible 9.. => {
        throttle_time_ms: i32 { 3..; ignorable },
        brokers: Vec<MetadataResponseBroker> { 0.. },
        cluster_id: Option<ByteString> { 2.., null 2..; ignorable },
        controller_id: i32 { 1.., default -1; ignorable },
        topics: Vec<MetadataResponseTopic> { 0.. },
        cluster_authorized_operations: i32 { 8..=10, default OPERATIONS_NOT_ASKED; ignorable },
        error_code: ErrorCode { 13..; ignorable },
    }

    MetadataResponseBroker {
        node_id: i32 { 0.. },
        host: ByteString { 0.. },
        port: i32 { 0.. },
        rack: Option<ByteString> { 1.., null 1..; ignorable },
    }

    MetadataResponseTopic {
        error_code: ErrorCode { 0.. },
        name: Option<ByteString> { 0.., null 12.. },
        topic_id: Uuid { 10..; ignorable },
        is_internal: bool { 1..; ignorable },
        partitions: Vec<MetadataResponsePartition> { 0.. },
        topic_authorized_operations: i32 { 8.., default OPERATIONS_NOT_ASKED; ignorable },
    }

    MetadataResponsePartition {
        error_code: ErrorCode { 0.. },
        partition_index: i32 { 0.. },
        leader_id: i32 { 0.. },
        leader_epoch: i32 { 7.., default -1; ignorable },
        replica_nodes: Vec<i32> { 0.. },
        isr_nodes: Vec<i32> { 0.. },
        offline_replicas: Vec<i32> { 5..; ignorable },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{Api, Encoder};

    #[test]
    fn every_version_reads_what_it_wrote() {
        for version in MetadataRequest::VERSIONS {
            let request = MetadataRequest {
                topics: Some(vec![MetadataRequestTopic { name: Some("t".into()), ..Default::default() }]),
                ..Default::default()
            };
            let mut to = Encoder::new();
            request.write(&mut to, version).unwrap();
            assert_eq!(MetadataRequest::read(to.into_bytes(), version).unwrap(), request);
        }
    }
}
