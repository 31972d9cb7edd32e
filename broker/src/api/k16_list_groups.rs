//! ListGroups (key 16), versions 0 to 5: every group of this node.
//!
//! * 4: only groups in these states. 5: only groups of these types; all of ours are "classic". Names of states and types
//!   are compared without regard to case, and unknown ones match nothing.

use bytestring::ByteString;

use protocol::messages::k16_list_groups::{ListGroupsRequest, ListGroupsResponse, ListGroupsResponseGroup};

use super::RequestContext;
use crate::coordinator::group::{Groups, Listed};

const CLASSIC: &str = "classic";

pub async fn handle(groups: &Groups, _: &RequestContext, request: ListGroupsRequest) -> ListGroupsResponse {
    let listed = match groups.list().await {
        Err(error_code) => return ListGroupsResponse { error_code, ..Default::default() },
        Ok(listed) => listed,
    };
    let wanted = |group: &Listed| {
        matches(&request.types_filter, CLASSIC)
            && matches(&request.states_filter, group.description.state.name())
    };
    let groups = listed.into_iter().filter(wanted).map(|group| ListGroupsResponseGroup {
        group_id: group.id.0,
        group_state: ByteString::from_static(group.description.state.name()),
        protocol_type: group.description.protocol_type,
        group_type: ByteString::from_static(CLASSIC),
    });
    ListGroupsResponse { groups: groups.collect(), ..Default::default() }
}

/// An empty filter lets everything through.
fn matches(filter: &[ByteString], name: &str) -> bool {
    filter.is_empty() || filter.iter().any(|wanted| wanted.trim().eq_ignore_ascii_case(name))
}
