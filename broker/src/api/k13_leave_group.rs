//! LeaveGroup (key 13), versions 0 to 5: members go, and the rest of the group rebalances without waiting for them.
//!
//! * 3: several members at once, static ones by their instance id alone. 5: a reason, which is not kept.

use protocol::{
    ErrorCode, GroupId, MemberId,
    messages::k13_leave_group::{
        LeaveGroupRequest, LeaveGroupRequestMemberIdentity, LeaveGroupResponse, LeaveGroupResponseMember,
    },
};

use super::RequestContext;
use crate::coordinator::group::{Groups, Identity, InstanceId};

pub async fn handle(groups: &Groups, cx: &RequestContext, request: LeaveGroupRequest) -> LeaveGroupResponse {
    let group = GroupId(request.group_id);
    if cx.version < 3 {
        let leaver = Identity { member_id: MemberId(request.member_id), instance_id: None };
        let left = groups.leave(&group, vec![leaver]).await;
        let error_code = left.map_or_else(|error| error, |codes| codes.first().copied().unwrap_or_default());
        return LeaveGroupResponse { error_code, ..Default::default() };
    }
    let leavers = request.members.iter().map(|member| Identity {
        member_id: MemberId(member.member_id.clone()),
        instance_id: member.group_instance_id.clone().map(InstanceId),
    });
    match groups.leave(&group, leavers.collect()).await {
        Err(error_code) => LeaveGroupResponse { error_code, ..Default::default() },
        Ok(codes) => {
            let answered = request.members.into_iter().zip(codes);
            let members = answered.map(|(member, code)| answer(member, code)).collect();
            LeaveGroupResponse { members, ..Default::default() }
        }
    }
}

fn answer(member: LeaveGroupRequestMemberIdentity, error_code: ErrorCode) -> LeaveGroupResponseMember {
    LeaveGroupResponseMember {
        member_id: member.member_id,
        group_instance_id: member.group_instance_id,
        error_code,
    }
}
