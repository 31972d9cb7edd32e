//! JoinGroup: a member asks to be part of the next generation.

use protocol::{ErrorCode, MemberId, Uuid};

use super::{
    Answer, Command, Group, Join, Joined, JoinedMember, Now, State, Ticket,
    deadlines::Deadline,
    members::{Member, Terms, detached},
    refuse_join,
};

impl Group {
    pub(super) fn on_join(
        &mut self,
        now: Now,
        ticket: Ticket,
        join: Join,
        fresh: Uuid,
        out: &mut Vec<Command>,
    ) {
        let known = join.who.member_id.clone();
        if matches!(self.state, State::Dead) {
            return out.push(refuse_join(ticket, ErrorCode::COORDINATOR_NOT_AVAILABLE, known));
        }
        if !known.as_str().is_empty() && !self.exists() {
            return out.push(refuse_join(ticket, ErrorCode::UNKNOWN_MEMBER_ID, known));
        }
        if !self.has_room_for(&known) {
            self.remove_member(&known, out);
            out.push(refuse_join(ticket, ErrorCode::GROUP_MAX_SIZE_REACHED, MemberId::default()));
            return self.complete_join_if_all_are_here(now, out);
        }
        if !self.supports(&join) {
            return out.push(refuse_join(ticket, ErrorCode::INCONSISTENT_GROUP_PROTOCOL, known));
        }
        if known.as_str().is_empty() {
            let named_after = join.who.instance_id.as_ref().map_or(&join.client.id, |instance| &instance.0);
            let new_id = MemberId::from(format!("{named_after}-{fresh}"));
            self.on_join_of_stranger(now, ticket, join, new_id, out);
        } else if self.members.pending.contains(&known) && join.who.instance_id.is_none() {
            self.admit(now, ticket, known, join, out);
        } else {
            self.on_join_of_member(now, ticket, join, out);
        }
    }

    /// New members are taken up to the limit; those already counted always.
    fn has_room_for(&self, member: &MemberId) -> bool {
        match self.state {
            State::Empty | State::Dead => true,
            // Waiting members are counted, because the others are dropped if they do not come back.
            State::Preparing { .. } => {
                self.members.find(member).is_some_and(Member::awaits_join)
                    || self.members.awaiting_join() < self.rules.members_max
            }
            State::Completing { .. } | State::Stable { .. } => {
                self.members.contains(member) || self.members.len() < self.rules.members_max
            }
        }
    }

    fn supports(&self, join: &Join) -> bool {
        if matches!(self.state, State::Empty) {
            return !join.protocol_type.is_empty() && !join.protocols.is_empty();
        }
        self.protocol_type.as_ref() == Some(&join.protocol_type)
            && self.members.share_a_protocol(&join.protocols)
    }

    fn on_join_of_stranger(
        &mut self,
        now: Now,
        ticket: Ticket,
        join: Join,
        new_id: MemberId,
        out: &mut Vec<Command>,
    ) {
        let owner = join.who.instance_id.as_ref().and_then(|instance| self.members.static_id(instance));
        if let Some(old_id) = owner.cloned() {
            return self.on_join_of_returning_static(now, ticket, join, &old_id, new_id, out);
        }
        if join.who.instance_id.is_none() && join.member_id_required {
            self.members.pending.insert(new_id.clone());
            self.deadlines.set(Deadline::Session(new_id.clone()), now.after_ms(join.session_timeout_ms));
            return out.push(refuse_join(ticket, ErrorCode::MEMBER_ID_REQUIRED, new_id));
        }
        self.admit(now, ticket, new_id, join, out);
    }

    fn on_join_of_member(&mut self, now: Now, ticket: Ticket, join: Join, out: &mut Vec<Command>) {
        let id = join.who.member_id.clone();
        if let Err(error) = self.check_member(&join.who) {
            return out.push(refuse_join(ticket, error, id));
        }
        let unchanged = self.members.find(&id).is_some_and(|member| member.protocols == join.protocols);
        match &self.state {
            State::Completing { .. } if unchanged => {
                // The answer to its join may have been lost: give it again.
                out.push(Command::Answer(ticket, Answer::Join(Ok(self.joined(&id)))));
            }
            // The leader may have seen a change (of topics, say) that members' metadata does not show.
            State::Stable { .. } if unchanged && !self.is_leader(&id) => {
                out.push(Command::Answer(ticket, Answer::Join(Ok(self.joined(&id)))));
            }
            State::Preparing { .. } | State::Completing { .. } | State::Stable { .. } => {
                self.members.update(&id, terms_of(&join));
                self.park_join(&id, ticket, out);
                self.rebalance_or_complete_join(now, out);
            }
            State::Empty | State::Dead => out.push(refuse_join(ticket, ErrorCode::UNKNOWN_MEMBER_ID, id)),
        }
    }

    /// Makes a member of whoever joins under `id`.
    fn admit(&mut self, now: Now, ticket: Ticket, id: MemberId, join: Join, out: &mut Vec<Command>) {
        if let State::Preparing { gathering: Some(gathering) } = &mut self.state {
            gathering.somebody_joined = true;
        }
        if self.members.is_empty() {
            self.protocol_type = Some(detached(&join.protocol_type));
        }
        let terms = terms_of(&join);
        let mut member = Member::new(id, join.who.instance_id, join.client).with_terms(terms);
        member.is_new = true;
        let id = member.id.clone();
        self.leader.get_or_insert_with(|| id.clone());
        self.members.insert(member);
        self.park_join(&id, ticket, out);
        // It cannot send heartbeats before it is answered, and a client that went away while it was parked would stay
        // in every generation: after this long it has to join again.
        let until = now.after_ms(self.rules.new_member_timeout_ms);
        self.deadlines.set(Deadline::Session(id), until);
        self.rebalance_or_complete_join(now, out);
    }

    /// Parks a join. An earlier one of the same member is answered so that its client, if it is still there, asks again.
    pub(super) fn park_join(&mut self, id: &MemberId, ticket: Ticket, out: &mut Vec<Command>) {
        if let Some(earlier) = self.members.park_join(id, ticket) {
            out.push(refuse_join(earlier, ErrorCode::REBALANCE_IN_PROGRESS, id.clone()));
        }
    }

    /// The current generation, as told to one member.
    pub(super) fn joined(&self, member: &MemberId) -> Joined {
        Joined {
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            leader: self.leader.clone().unwrap_or_default(),
            member_id: member.clone(),
            members: if self.is_leader(member) { self.joined_members() } else { Vec::new() },
            skip_assignment: false,
        }
    }

    fn joined_members(&self) -> Vec<JoinedMember> {
        let tell = |member: &Member| JoinedMember {
            member_id: member.id.clone(),
            instance_id: member.instance_id.clone(),
            metadata: member.metadata(self.protocol.as_ref()),
        };
        self.members.iter().map(tell).collect()
    }
}

pub(super) fn terms_of(join: &Join) -> Terms {
    Terms::new(join.session_timeout_ms, join.rebalance_timeout_ms, &join.protocols)
}
