//! A static member that comes back (KIP-345): same instance id, new member id.
//!
//! Its place and assignment pass to the new id at once, the old id is fenced. In a stable group whose protocol stays the
//! same, nobody else notices: the change is stored and the member answered, without a rebalance.

use protocol::{ErrorCode, GenerationId, MemberId};

use super::{
    Answer, Command, Group, Join, Now, State, Ticket,
    deadlines::Deadline,
    join::terms_of,
    members::{Member, Terms},
    refuse_join,
    writes::{Pending, WriteFailure},
};

/// A replacement that is being written, and how to undo it.
#[derive(Debug)]
pub(super) struct Replacement {
    generation: GenerationId,
    old_id: MemberId,
    new_id: MemberId,
    old_terms: Terms,
    leader_before: Option<MemberId>,
    may_skip_assignment: bool,
}

impl Group {
    pub(super) fn on_join_of_returning_static(
        &mut self,
        now: Now,
        ticket: Ticket,
        join: Join,
        old_id: &MemberId,
        new_id: MemberId,
        out: &mut Vec<Command>,
    ) {
        let leader_before = self.leader.clone();
        self.replace_static(old_id, &new_id, Some(&join), out);
        self.renew_session(now, &new_id);
        let old_terms = self.members.update(&new_id, terms_of(&join));
        self.park_join(&new_id, ticket, out);
        match self.state {
            State::Stable { .. } if self.members.choose_protocol() == self.protocol => {
                let Some(old_terms) = old_terms else { return };
                self.write_group(
                    now,
                    Pending::Replacement(Replacement {
                        generation: self.generation,
                        old_id: old_id.clone(),
                        new_id,
                        old_terms,
                        leader_before,
                        may_skip_assignment: join.may_skip_assignment,
                    }),
                    out,
                );
            }
            // The leader may already be assigning to the old id: a new generation is needed in any case.
            State::Stable { .. } | State::Completing { .. } => self.prepare_rebalance(now, out),
            State::Preparing { .. } => self.complete_join_if_all_are_here(now, out),
            State::Empty | State::Dead => {}
        }
    }

    /// The change is stored, or it is not: answers the member if it still waits for exactly this.
    pub(super) fn on_replacement_written(
        &mut self,
        now: Now,
        replacement: Replacement,
        result: Result<(), WriteFailure>,
        out: &mut Vec<Command>,
    ) {
        let untouched =
            matches!(self.state, State::Stable { .. }) && self.generation == replacement.generation;
        if !untouched {
            // A rebalance began meanwhile: the member waits for that one now.
            return;
        }
        let Some(ticket) = self.members.take_join(&replacement.new_id) else { return };
        if let Err(failure) = result {
            out.push(refuse_join(ticket, failure.for_group(), MemberId::default()));
            self.members.update(&replacement.new_id, replacement.old_terms);
            self.replace_static(&replacement.new_id, &replacement.old_id, None, out);
            return self.renew_session(now, &replacement.old_id);
        }
        let mut joined = self.joined(&replacement.new_id);
        if replacement.may_skip_assignment {
            joined.skip_assignment = self.is_leader(&replacement.new_id);
        } else {
            // An old client that is told it leads would assign anew: let it believe that it follows.
            joined.leader = replacement.leader_before.unwrap_or_default();
            joined.members.clear();
        }
        out.push(Command::Answer(ticket, Answer::Join(Ok(joined))));
    }

    /// Passes a static member's place to another member id, and fences whoever still waits under the old one.
    fn replace_static(
        &mut self,
        old_id: &MemberId,
        new_id: &MemberId,
        join: Option<&Join>,
        out: &mut Vec<Command>,
    ) {
        self.deadlines.cancel(&Deadline::Session(old_id.clone()));
        let Some((old, parked_join)) = self.members.remove(old_id) else { return };
        if let Some(ticket) = parked_join {
            out.push(refuse_join(ticket, ErrorCode::FENCED_INSTANCE_ID, old_id.clone()));
        }
        if let Some(ticket) = old.awaiting_sync {
            out.push(Command::Answer(ticket, Answer::Sync(Err(ErrorCode::FENCED_INSTANCE_ID))));
        }
        let client = join.map_or(old.client, |join| join.client.clone());
        let mut new = Member::new(new_id.clone(), old.instance_id, client).with_terms(Terms {
            session_timeout_ms: old.session_timeout_ms,
            rebalance_timeout_ms: old.rebalance_timeout_ms,
            protocols: old.protocols,
        });
        new.assignment = old.assignment;
        self.members.insert(new);
        if self.is_leader(old_id) {
            self.leader = Some(new_id.clone());
        }
        if let State::Completing { unsynced, .. } | State::Stable { unsynced } = &mut self.state
            && unsynced.remove(old_id)
        {
            unsynced.insert(new_id.clone());
        }
    }
}
