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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::testing::{context, endpoint, over_the_wire, with_topics};

    async fn ask(version: i16, request: DescribeClusterRequest) -> (DescribeClusterResponse, String) {
        let metadata = with_topics(&[]).await;
        let request = over_the_wire(&request, version);
        let answer = handle(&metadata, &endpoint(), &context(version), request).await;
        (over_the_wire(&answer, version), metadata.image().cluster_id().to_owned())
    }

    #[tokio::test]
    async fn every_version_names_the_broker() {
        for version in 0..=2 {
            let (answer, cluster_id) = ask(version, DescribeClusterRequest::default()).await;
            assert_eq!((answer.error_code, answer.controller_id), (ErrorCode::NONE, 1_001));
            assert_eq!(&*answer.cluster_id, cluster_id);
            assert_eq!(answer.cluster_authorized_operations, i32::MIN);
            let [broker] = &answer.brokers[..] else { panic!("one broker") };
            assert_eq!((broker.broker_id, &*broker.host, broker.port), (1_001, "broker.example", 9_092));
        }
    }

    #[tokio::test]
    async fn authorized_operations_are_told_when_asked_for() {
        let asking =
            DescribeClusterRequest { include_cluster_authorized_operations: true, ..Default::default() };
        assert_eq!(ask(0, asking).await.0.cluster_authorized_operations, 8_096);
    }

    #[tokio::test]
    async fn only_brokers_are_here() {
        for (endpoint_type, expected) in
            [(2, ErrorCode::MISMATCHED_ENDPOINT_TYPE), (7, ErrorCode::UNSUPPORTED_ENDPOINT_TYPE)]
        {
            let request = DescribeClusterRequest { endpoint_type, ..Default::default() };
            let (answer, _) = ask(1, request).await;
            assert_eq!(answer.error_code, expected);
            assert!(answer.error_message.is_some() && answer.brokers.is_empty());
        }
    }
}
