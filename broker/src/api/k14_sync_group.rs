//! SyncGroup (key 14), versions 0 to 5: the leader brings the assignment, everybody fetches their own. Waits until it is
//! stored.
//!
//! * 3: static members. 5: the protocol's type and name must be the group's.

use protocol::{
    GenerationId, GroupId, MemberId,
    messages::k14_sync_group::{SyncGroupRequest, SyncGroupResponse},
};

use super::RequestContext;
use crate::coordinator::group::{Groups, Identity, InstanceId, Sync};

pub async fn handle(groups: &Groups, _: &RequestContext, request: SyncGroupRequest) -> SyncGroupResponse {
    let assignments = request.assignments.into_iter();
    let sync = Sync {
        who: Identity {
            member_id: MemberId(request.member_id),
            instance_id: request.group_instance_id.map(InstanceId),
        },
        generation: GenerationId(request.generation_id),
        protocol_type: request.protocol_type,
        protocol: request.protocol_name,
        assignments: assignments.map(|given| (MemberId(given.member_id), given.assignment)).collect(),
    };
    match groups.sync(&GroupId(request.group_id), sync).await {
        Err(error_code) => SyncGroupResponse { error_code, ..Default::default() },
        Ok(synced) => SyncGroupResponse {
            protocol_type: synced.protocol_type,
            protocol_name: synced.protocol,
            assignment: synced.assignment,
            ..Default::default()
        },
    }
}
