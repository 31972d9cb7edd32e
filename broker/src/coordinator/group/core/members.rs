//! Who belongs to a group: members, the instance ids of static ones, and ids given out but not used yet.
//!
//! [`Members`] keeps two counts that every decision of a rebalance needs: how many members wait for the answer
//! to their join, and how many can use each protocol. Both are checked against the members in tests.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use bytestring::ByteString;

use protocol::MemberId;

use super::request::{Client, InstanceId, MemberDescription, Protocol, Ticket};

#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) id: MemberId,
    pub(super) instance_id: Option<InstanceId>,
    pub(super) client: Client,
    pub(super) session_timeout_ms: i32,
    pub(super) rebalance_timeout_ms: i32,
    pub(super) protocols: Vec<Protocol>,
    pub(super) assignment: Bytes,
    /// Has never been answered: it cannot send heartbeats yet, so even waiting it may time out.
    pub(super) is_new: bool,
    awaiting_join: Option<Ticket>,
    pub(super) awaiting_sync: Option<Ticket>,
}

impl Member {
    /// A member as kept: without the frames that its names and metadata arrived in.
    pub(super) fn new(id: MemberId, instance_id: Option<InstanceId>, client: Client) -> Self {
        Self {
            id: id.detached(),
            instance_id: instance_id.map(|instance| InstanceId(detached(&instance.0))),
            client: Client { id: detached(&client.id), host: detached(&client.host) },
            session_timeout_ms: 0,
            rebalance_timeout_ms: 0,
            protocols: Vec::new(),
            assignment: Bytes::new(),
            is_new: false,
            awaiting_join: None,
            awaiting_sync: None,
        }
    }

    pub(super) fn with_terms(mut self, terms: Terms) -> Self {
        self.session_timeout_ms = terms.session_timeout_ms;
        self.rebalance_timeout_ms = terms.rebalance_timeout_ms;
        self.protocols = terms.protocols;
        self
    }

    pub(super) fn is_static(&self) -> bool {
        self.instance_id.is_some()
    }

    pub(super) fn awaits_join(&self) -> bool {
        self.awaiting_join.is_some()
    }

    /// Whether silence is no fault of the member: its request is parked here.
    pub(super) fn is_excused(&self) -> bool {
        !self.is_new && (self.awaits_join() || self.awaiting_sync.is_some())
    }

    pub(super) fn metadata(&self, protocol: Option<&ByteString>) -> Bytes {
        let used = self.protocols.iter().find(|offered| Some(&offered.name) == protocol);
        used.map(|offered| offered.metadata.clone()).unwrap_or_default()
    }

    pub(super) fn describe(&self, metadata: Bytes) -> MemberDescription {
        MemberDescription {
            member_id: self.id.clone(),
            instance_id: self.instance_id.clone(),
            client: self.client.clone(),
            metadata,
            assignment: self.assignment.clone(),
        }
    }

    fn protocol_names(&self) -> BTreeSet<&ByteString> {
        self.protocols.iter().map(|protocol| &protocol.name).collect()
    }
}

/// What a member says about itself each time it joins.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub(super) session_timeout_ms: i32,
    pub(super) rebalance_timeout_ms: i32,
    pub(super) protocols: Vec<Protocol>,
}

impl Terms {
    pub(super) fn new(session_timeout_ms: i32, rebalance_timeout_ms: i32, protocols: &[Protocol]) -> Self {
        let protocols = protocols.iter().map(|protocol| Protocol {
            name: detached(&protocol.name),
            metadata: Bytes::copy_from_slice(&protocol.metadata),
        });
        Self { session_timeout_ms, rebalance_timeout_ms, protocols: protocols.collect() }
    }
}

#[derive(Debug, Default)]
pub(super) struct Members {
    by_id: BTreeMap<MemberId, Member>,
    static_ids: BTreeMap<InstanceId, MemberId>,
    /// Ids given out whose owners have not joined with them yet (KIP-394).
    pub(super) pending: BTreeSet<MemberId>,
    awaiting_join: usize,
    supporters: BTreeMap<ByteString, usize>,
}

impl Members {
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    pub(super) fn find(&self, id: &MemberId) -> Option<&Member> {
        self.by_id.get(id)
    }

    pub(super) fn contains(&self, id: &MemberId) -> bool {
        self.by_id.contains_key(id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Member> {
        self.by_id.values()
    }

    /// For changing assignments, session terms and waiting syncs; joins and protocols have methods of their own.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Member> {
        self.by_id.values_mut()
    }

    pub(super) fn find_mut(&mut self, id: &MemberId) -> Option<&mut Member> {
        self.by_id.get_mut(id)
    }

    pub(super) fn ids(&self) -> Vec<MemberId> {
        self.by_id.keys().cloned().collect()
    }

    pub(super) fn static_id(&self, instance: &InstanceId) -> Option<&MemberId> {
        self.static_ids.get(instance)
    }

    pub(super) fn awaiting_join(&self) -> usize {
        self.awaiting_join
    }

    /// Whether nobody has to be waited for.
    pub(super) fn have_all_joined(&self) -> bool {
        self.by_id.len() == self.awaiting_join && self.pending.is_empty()
    }

    /// The longest that any member needs to come back for a rebalance.
    pub(super) fn rebalance_timeout_ms(&self) -> i32 {
        self.iter().map(|member| member.rebalance_timeout_ms).max().unwrap_or(0).max(0)
    }

    pub(super) fn insert(&mut self, member: Member) {
        self.pending.remove(&member.id);
        if let Some(instance) = &member.instance_id {
            self.static_ids.insert(instance.clone(), member.id.clone());
        }
        self.count(&member, 1);
        self.by_id.insert(member.id.clone(), member);
    }

    /// Removes a member, or an id that is pending; what the member waited for is the caller's to answer.
    pub(super) fn remove(&mut self, id: &MemberId) -> Option<(Member, Option<Ticket>)> {
        self.pending.remove(id);
        let mut member = self.by_id.remove(id)?;
        self.uncount(&member);
        if let Some(instance) = &member.instance_id
            && self.static_ids.get(instance) == Some(id)
        {
            self.static_ids.remove(instance);
        }
        let join = member.awaiting_join.take();
        self.awaiting_join -= usize::from(join.is_some());
        Some((member, join))
    }

    /// Parks a join; a join of the same member that is already parked is handed back.
    pub(super) fn park_join(&mut self, id: &MemberId, ticket: Ticket) -> Option<Ticket> {
        let earlier = self.by_id.get_mut(id)?.awaiting_join.replace(ticket);
        self.awaiting_join += usize::from(earlier.is_none());
        earlier
    }

    pub(super) fn take_join(&mut self, id: &MemberId) -> Option<Ticket> {
        let ticket = self.by_id.get_mut(id)?.awaiting_join.take();
        self.awaiting_join -= usize::from(ticket.is_some());
        ticket
    }

    /// Takes a member's new terms; its old ones are handed back.
    pub(super) fn update(&mut self, id: &MemberId, terms: Terms) -> Option<Terms> {
        let mut member = self.by_id.remove(id)?;
        self.uncount(&member);
        let old = Terms {
            session_timeout_ms: member.session_timeout_ms,
            rebalance_timeout_ms: member.rebalance_timeout_ms,
            protocols: std::mem::take(&mut member.protocols),
        };
        member = member.with_terms(terms);
        self.count(&member, 1);
        self.by_id.insert(id.clone(), member);
        Some(old)
    }

    /// Whether a newcomer with these protocols leaves at least one that everybody can use.
    pub(super) fn share_a_protocol(&self, protocols: &[Protocol]) -> bool {
        let everybody = self.len();
        protocols
            .iter()
            .any(|protocol| self.supporters.get(&protocol.name).copied().unwrap_or(0) == everybody)
    }

    /// The protocol that most members prefer among those that all can use; of equally liked ones the first by name.
    pub(super) fn choose_protocol(&self) -> Option<ByteString> {
        let mut votes: BTreeMap<&ByteString, usize> = BTreeMap::new();
        for member in self.iter() {
            let usable = |name: &ByteString| self.supporters.get(name) == Some(&self.len());
            if let Some(vote) = member.protocols.iter().find(|protocol| usable(&protocol.name)) {
                *votes.entry(&vote.name).or_default() += 1;
            }
        }
        let chosen = votes.into_iter().rev().max_by_key(|(_, count)| *count);
        chosen.map(|(name, _)| name.clone())
    }

    fn uncount(&mut self, member: &Member) {
        for name in member.protocol_names() {
            if let Some(count) = self.supporters.get_mut(name) {
                *count -= 1;
                if *count == 0 {
                    self.supporters.remove(name);
                }
            }
        }
    }

    fn count(&mut self, member: &Member, one: usize) {
        for name in member.protocol_names() {
            *self.supporters.entry(name.clone()).or_default() += one;
        }
    }
}

/// A copy that does not keep alive the frame it arrived in.
pub(super) fn detached(text: &ByteString) -> ByteString {
    ByteString::from(&**text)
}

#[cfg(test)]
impl Members {
    /// The counts agree with the members.
    pub(super) fn assert_consistent(&self) {
        assert_eq!(self.awaiting_join, self.iter().filter(|member| member.awaits_join()).count());
        let mut supporters: BTreeMap<ByteString, usize> = BTreeMap::new();
        for name in self.iter().flat_map(Member::protocol_names) {
            *supporters.entry(name.clone()).or_default() += 1;
        }
        assert_eq!(self.supporters, supporters);
        let statics = self.iter().filter(|member| member.is_static());
        let statics: BTreeMap<_, _> =
            statics.map(|member| (member.instance_id.clone().unwrap(), member.id.clone())).collect();
        assert_eq!(self.static_ids, statics);
        assert!(self.pending.iter().all(|id| !self.contains(id)));
    }
}
