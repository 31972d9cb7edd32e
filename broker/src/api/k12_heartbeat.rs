//! Heartbeat (key 12), versions 0 to 4: a member is alive. REBALANCE_IN_PROGRESS tells it to join again.
//!
//! * 3: static members.

use protocol::{
    GenerationId, GroupId, MemberId,
    messages::k12_heartbeat::{HeartbeatRequest, HeartbeatResponse},
};

use super::RequestContext;
use crate::coordinator::group::{Groups, Heartbeat, Identity, InstanceId};

pub async fn handle(groups: &Groups, _: &RequestContext, request: HeartbeatRequest) -> HeartbeatResponse {
    let who = Identity {
        member_id: MemberId(request.member_id),
        instance_id: request.group_instance_id.map(InstanceId),
    };
    let heartbeat = Heartbeat { who, generation: GenerationId(request.generation_id) };
    let heard = groups.heartbeat(&GroupId(request.group_id), heartbeat).await;
    HeartbeatResponse { error_code: heard.err().unwrap_or_default(), ..Default::default() }
}
