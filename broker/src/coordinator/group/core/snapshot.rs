//! A group's metadata as it is stored.

use super::{Group, State, members::Member};
use crate::coordinator::group::records::{GroupMetadata, StoredMember};

impl Group {
    /// With the assignment that is being written, if there is one.
    pub(super) fn snapshot(&self) -> GroupMetadata {
        GroupMetadata {
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            generation: self.generation,
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            state_since_ms: self.state_since_ms,
            members: self.members.iter().map(|member| self.stored(member)).collect(),
        }
    }

    fn stored(&self, member: &Member) -> StoredMember {
        let assignment = match &self.state {
            State::Completing { assignment: Some(by_member), .. } => by_member.get(&member.id).cloned(),
            _ => Some(member.assignment.clone()),
        };
        StoredMember {
            member_id: member.id.clone(),
            instance_id: member.instance_id.as_ref().map(|instance| instance.0.clone()),
            client_id: member.client.id.clone(),
            client_host: member.client.host.clone(),
            rebalance_timeout_ms: member.rebalance_timeout_ms,
            session_timeout_ms: member.session_timeout_ms,
            subscription: member.metadata(self.protocol.as_ref()),
            assignment: assignment.unwrap_or_default(),
        }
    }
}
