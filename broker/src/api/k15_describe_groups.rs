//! DescribeGroups (key 15), versions 0 to 6: state, members and assignments of groups.
//!
//! Metadata and protocol are told of stable groups only, as in Kafka. There are no access controls yet: every operation
//! that a group knows is allowed to everybody.
//!
//! * 3: authorised operations, when asked for. 4: instance ids.
//! * 6: a group that does not exist is GROUP_ID_NOT_FOUND (before: a group in state Dead).

use bytestring::ByteString;

use protocol::{
    ErrorCode, GroupId,
    messages::k15_describe_groups::{
        DescribeGroupsRequest, DescribeGroupsResponse, DescribeGroupsResponseGroup,
        DescribeGroupsResponseGroupMember,
    },
};

use super::RequestContext;
use crate::coordinator::group::{Description, GroupState, Groups, MemberDescription};

/// Bits of `AclOperation`: read (3), delete (6), describe (8).
const ALL_OPERATIONS: i32 = 1 << 3 | 1 << 6 | 1 << 8;

pub async fn handle(
    groups: &Groups,
    cx: &RequestContext,
    request: DescribeGroupsRequest,
) -> DescribeGroupsResponse {
    let mut described = Vec::with_capacity(request.groups.len());
    for id in request.groups {
        let mut group = match groups.describe(&GroupId(id.clone())).await {
            Err(error_code) => DescribeGroupsResponseGroup { error_code, ..Default::default() },
            Ok(None) => missing(cx, &id),
            Ok(Some(description)) => found(description),
        };
        if request.include_authorized_operations && !group.error_code.is_error() {
            group.authorized_operations = ALL_OPERATIONS;
        }
        group.group_id = id;
        described.push(group);
    }
    DescribeGroupsResponse { groups: described, ..Default::default() }
}

fn missing(cx: &RequestContext, id: &ByteString) -> DescribeGroupsResponseGroup {
    let dead = DescribeGroupsResponseGroup {
        group_state: ByteString::from_static(GroupState::Dead.name()),
        ..Default::default()
    };
    if cx.version < 6 {
        return dead;
    }
    DescribeGroupsResponseGroup {
        error_code: ErrorCode::GROUP_ID_NOT_FOUND,
        error_message: Some(ByteString::from(format!("Group {id} not found."))),
        ..dead
    }
}

fn found(description: Description) -> DescribeGroupsResponseGroup {
    let member = |member: MemberDescription| DescribeGroupsResponseGroupMember {
        member_id: member.member_id.0,
        group_instance_id: member.instance_id.map(|instance| instance.0),
        client_id: member.client.id,
        client_host: member.client.host,
        member_metadata: member.metadata,
        member_assignment: member.assignment,
    };
    DescribeGroupsResponseGroup {
        group_state: ByteString::from_static(description.state.name()),
        protocol_type: description.protocol_type,
        protocol_data: description.protocol,
        members: description.members.into_iter().map(member).collect(),
        ..Default::default()
    }
}
