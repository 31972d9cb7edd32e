//! FindCoordinator (key 10), versions 0 to 6: which broker to ask about a group. Always this one.
//!
//! Transactions and share groups are not served: asking for their coordinator is INVALID_REQUEST, with a message, so
//! that clients fail at once instead of looking for it forever.
//!
//! * 1: kinds of keys. 4: several keys at once, each with its own error.

use bytestring::ByteString;

use protocol::{
    ErrorCode,
    messages::k10_find_coordinator::{
        FindCoordinatorRequest, FindCoordinatorResponse, FindCoordinatorResponseCoordinator,
    },
};

use super::RequestContext;
use crate::metadata::BrokerEndpoint;

const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;

pub fn handle(
    here: &BrokerEndpoint,
    cx: &RequestContext,
    request: FindCoordinatorRequest,
) -> FindCoordinatorResponse {
    if cx.version >= 4 {
        let keys = request.coordinator_keys.into_iter();
        let coordinators = keys.map(|key| find(here, request.key_type, key)).collect();
        return FindCoordinatorResponse { coordinators, ..Default::default() };
    }
    let found = find(here, request.key_type, request.key);
    FindCoordinatorResponse {
        error_code: found.error_code,
        error_message: found.error_message,
        node_id: found.node_id,
        host: found.host,
        port: found.port,
        ..Default::default()
    }
}

fn find(here: &BrokerEndpoint, key_type: i8, key: ByteString) -> FindCoordinatorResponseCoordinator {
    let refusal = match key_type {
        GROUP if key.is_empty() => Some((ErrorCode::INVALID_GROUP_ID, "the group id is empty")),
        GROUP => None,
        TRANSACTION => Some((ErrorCode::INVALID_REQUEST, "this broker does not serve transactions")),
        _ => Some((ErrorCode::INVALID_REQUEST, "this broker has no coordinator for this kind of key")),
    };
    match refusal {
        Some((error_code, message)) => FindCoordinatorResponseCoordinator {
            key,
            node_id: -1,
            port: -1,
            error_code,
            error_message: Some(ByteString::from_static(message)),
            ..Default::default()
        },
        None => FindCoordinatorResponseCoordinator {
            key,
            node_id: here.id.0,
            host: here.host.clone(),
            port: i32::from(here.port),
            error_code: ErrorCode::NONE,
            error_message: None,
        },
    }
}
