//! JoinGroup (key 11), versions 0 to 9: become part of a group's next generation. Waits until it begins.
//!
//! * 1: a rebalance timeout apart from the session's. 4: new members must come back with the id they are given.
//! * 5: static members. 9: a returning static leader may be told to skip the assignment.

use bytestring::ByteString;

use protocol::{
    GroupId, MemberId,
    messages::k11_join_group::{JoinGroupRequest, JoinGroupResponse, JoinGroupResponseMember},
};

use super::RequestContext;
use crate::coordinator::group::{
    Client, Groups, Identity, InstanceId, Join, JoinRefused, Joined, JoinedMember, Protocol,
};

pub async fn handle(groups: &Groups, cx: &RequestContext, request: JoinGroupRequest) -> JoinGroupResponse {
    let group = GroupId(request.group_id.clone());
    match groups.join(&group, join_of(cx, request)).await {
        Ok(joined) => accepted(cx, joined),
        Err(refused) => refusal(cx, refused),
    }
}

fn join_of(cx: &RequestContext, request: JoinGroupRequest) -> Join {
    let rebalance_timeout_ms =
        if cx.version >= 1 { request.rebalance_timeout_ms } else { request.session_timeout_ms };
    let protocols = request.protocols.into_iter();
    Join {
        who: Identity {
            member_id: MemberId(request.member_id),
            instance_id: request.group_instance_id.map(InstanceId),
        },
        client: Client {
            id: cx.client_id.clone().unwrap_or_default(),
            // As Java prints an address without a name.
            host: ByteString::from(format!("/{}", cx.peer.ip())),
        },
        session_timeout_ms: request.session_timeout_ms,
        rebalance_timeout_ms,
        protocol_type: request.protocol_type,
        protocols: protocols
            .map(|offered| Protocol { name: offered.name, metadata: offered.metadata })
            .collect(),
        member_id_required: cx.version >= 4,
        may_skip_assignment: cx.version >= 9,
    }
}

fn accepted(cx: &RequestContext, joined: Joined) -> JoinGroupResponse {
    let member = |member: JoinedMember| JoinGroupResponseMember {
        member_id: member.member_id.0,
        group_instance_id: member.instance_id.map(|instance| instance.0),
        metadata: member.metadata,
    };
    JoinGroupResponse {
        generation_id: joined.generation.0,
        protocol_type: joined.protocol_type,
        protocol_name: nullable_from_7(cx, joined.protocol),
        leader: joined.leader.0,
        skip_assignment: joined.skip_assignment,
        member_id: joined.member_id.0,
        members: joined.members.into_iter().map(member).collect(),
        ..Default::default()
    }
}

fn refusal(cx: &RequestContext, refused: JoinRefused) -> JoinGroupResponse {
    JoinGroupResponse {
        error_code: refused.error,
        protocol_name: nullable_from_7(cx, None),
        member_id: refused.member_id.0,
        ..Default::default()
    }
}

fn nullable_from_7(cx: &RequestContext, protocol: Option<ByteString>) -> Option<ByteString> {
    if cx.version >= 7 { protocol } else { Some(protocol.unwrap_or_default()) }
}
