//! DescribeCluster (key 60).

use bytestring::ByteString;

use crate::{ErrorCode, codec::message};

message! {
    DescribeClusterRequest, key 60, versions 0..=2, flexible 0.. => {
        include_cluster_authorized_operations: bool { 0.. },
        endpoint_type: i8 { 1.., default 1 },
        include_fenced_brokers: bool { 2.. },
    }

    DescribeClusterResponse, key 60, versions 0..=2, flexible 0.. => {
        throttle_time_ms: i32 { 0.. },
        error_code: ErrorCode { 0.. },
        error_message: Option<ByteString> { 0.. },
        endpoint_type: i8 { 1.., default 1 },
        cluster_id: ByteString { 0.. },
        controller_id: i32 { 0.., default -1 },
        brokers: Vec<DescribeClusterResponseBroker> { 0.. },
        cluster_authorized_operations: i32 { 0.., default i32::MIN },
    }

    DescribeClusterResponseBroker {
        broker_id: i32 { 0.. },
        host: ByteString { 0.. },
        port: i32 { 0.. },
        rack: Option<ByteString> { 0.. },
        is_fenced: bool { 2.. },
    }
}
