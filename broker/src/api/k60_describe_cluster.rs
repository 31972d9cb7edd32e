//! DescribeCluster (key 60), versions 0-2: this broker, which is also the controller.
//!
//! - 1: the client says what it thinks it talks to; only brokers (1) are here, controllers (2) are a mismatch.
//! - 2: fenced brokers; there are none.

use bytestring::ByteString;
use protocol::{
    ErrorCode,
    messages::k60_describe_cluster::{
        DescribeClusterRequest, DescribeClusterResponse, DescribeClusterResponseBroker,
    },
};

use super::{RequestContext, authorized_operations};
use crate::metadata::{BrokerEndpoint, Metadata};

const BROKERS: i8 = 1;
const CONTROLLERS: i8 = 2;

pub async fn handle(
    metadata: &Metadata,
    broker: &BrokerEndpoint,
    _cx: &RequestContext,
    request: DescribeClusterRequest,
) -> DescribeClusterResponse {
    match request.endpoint_type {
        BROKERS => {}
        CONTROLLERS => {
            return refuse(
                ErrorCode::MISMATCHED_ENDPOINT_TYPE,
                "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER",
            );
        }
        _ => return refuse(ErrorCode::UNSUPPORTED_ENDPOINT_TYPE, "Unsupported endpoint type"),
    }
    DescribeClusterResponse {
        cluster_id: ByteString::from(metadata.image().cluster_id()),
        controller_id: broker.id.0,
        brokers: vec![DescribeClusterResponseBroker {
            broker_id: broker.id.0,
            host: broker.host.clone(),
            port: i32::from(broker.port),
            rack: broker.rack.clone(),
            is_fenced: false,
        }],
        cluster_authorized_operations: authorized_operations::of_cluster(
            request.include_cluster_authorized_operations,
        ),
        ..Default::default()
    }
}

fn refuse(error_code: ErrorCode, message: &'static str) -> DescribeClusterResponse {
    DescribeClusterResponse {
        error_code,
        error_message: Some(ByteString::from_static(message)),
        ..Default::default()
    }
}
