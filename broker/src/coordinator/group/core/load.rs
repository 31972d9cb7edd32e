//! A group as it comes back from the log after a restart.

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;

use protocol::{GenerationId, GroupId};

use super::{
    Client, Command, Group, InstanceId, Now, OffsetsByTopic, Protocol, Rules, State,
    members::{Member, Terms, detached},
    offsets::Offsets,
};
use crate::coordinator::group::records::{GroupMetadata, StoredMember};

/// What the log says about a group.
#[derive(Debug, Default)]
pub struct LoadedGroup {
    pub metadata: Option<GroupMetadata>,
    pub offsets: OffsetsByTopic,
}

impl Group {
    /// Members come back with a fresh session, in the generation they know.
    pub fn loaded(
        id: GroupId,
        rules: Arc<Rules>,
        loaded: LoadedGroup,
        now: Now,
        out: &mut Vec<Command>,
    ) -> Self {
        let mut group = Self::new(id, rules);
        group.offsets = Offsets::loaded(loaded.offsets);
        if let Some(metadata) = loaded.metadata {
            group.restore(metadata);
            for member in group.members.ids() {
                group.renew_session(now, &member);
            }
        }
        if group.members.len() > group.rules.members_max {
            group.prepare_rebalance(now, out);
        }
        group
    }

    fn restore(&mut self, metadata: GroupMetadata) {
        self.generation = GenerationId(metadata.generation.0.max(0));
        self.protocol_type = Some(detached(&metadata.protocol_type)).filter(|kind| !kind.is_empty());
        self.state_since_ms = metadata.state_since_ms;
        // A generation without a protocol has no members that could go on: they will join again.
        if let (Some(protocol), Some(_)) = (metadata.protocol, &self.protocol_type) {
            for stored in metadata.members {
                let offered = Protocol { name: protocol.clone(), metadata: stored.subscription.clone() };
                self.restore_member(stored, offered);
            }
            self.protocol = Some(detached(&protocol)).filter(|_| !self.members.is_empty());
        }
        if !self.members.is_empty() {
            let named = metadata.leader.and_then(|leader| self.members.find(&leader));
            self.leader = named.or_else(|| self.members.iter().next()).map(|member| member.id.clone());
            self.state = State::Stable { unsynced: BTreeSet::new() };
        }
        self.subscribed = self.subscriptions();
    }

    fn restore_member(&mut self, stored: StoredMember, offered: Protocol) {
        let rebalance_timeout_ms = match stored.rebalance_timeout_ms {
            -1 => stored.session_timeout_ms,
            timeout_ms => timeout_ms,
        };
        let terms = Terms::new(stored.session_timeout_ms, rebalance_timeout_ms, &[offered]);
        let instance = stored.instance_id.map(InstanceId);
        let client = Client { id: stored.client_id, host: stored.client_host };
        // No two members under one instance id, whatever the log says: the later one stays.
        if let Some(earlier) =
            instance.as_ref().and_then(|instance| self.members.static_id(instance)).cloned()
        {
            self.members.remove(&earlier);
        }
        self.members.remove(&stored.member_id);
        let mut member = Member::new(stored.member_id, instance, client).with_terms(terms);
        member.assignment = Bytes::copy_from_slice(&stored.assignment);
        self.members.insert(member);
    }
}
