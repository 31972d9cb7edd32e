//! DeleteGroups (key 42), versions 0 to 2: groups without members go, with their offsets.

use protocol::{
    GroupId,
    messages::k42_delete_groups::{DeleteGroupsRequest, DeleteGroupsResponse, DeleteGroupsResponseGroup},
};

use super::RequestContext;
use crate::coordinator::group::Groups;

pub async fn handle(
    groups: &Groups,
    _: &RequestContext,
    request: DeleteGroupsRequest,
) -> DeleteGroupsResponse {
    let mut results = Vec::with_capacity(request.groups_names.len());
    for group_id in request.groups_names {
        let deleted = groups.delete(&GroupId(group_id.clone())).await;
        results.push(DeleteGroupsResponseGroup { group_id, error_code: deleted.err().unwrap_or_default() });
    }
    DeleteGroupsResponse { results, ..Default::default() }
}
