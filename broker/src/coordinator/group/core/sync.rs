//! SyncGroup: the leader brings everybody's assignment, each member fetches its own.

use std::collections::BTreeMap;

use bytes::Bytes;
use bytestring::ByteString;

use protocol::{ErrorCode, GenerationId, MemberId};

use super::{
    Answer, Command, Group, Now, State, Sync, Synced, Ticket,
    deadlines::Deadline,
    writes::{Pending, WriteFailure},
};

impl Group {
    pub(super) fn on_sync(&mut self, now: Now, ticket: Ticket, sync: Sync, out: &mut Vec<Command>) {
        if let Err(error) = self.check_sync(&sync) {
            return out.push(Command::Answer(ticket, Answer::Sync(Err(error))));
        }
        let id = &sync.who.member_id;
        match &mut self.state {
            State::Empty | State::Dead => {
                out.push(Command::Answer(ticket, Answer::Sync(Err(ErrorCode::UNKNOWN_MEMBER_ID))));
            }
            State::Preparing { .. } => {
                out.push(Command::Answer(ticket, Answer::Sync(Err(ErrorCode::REBALANCE_IN_PROGRESS))));
            }
            State::Completing { unsynced, assignment } => {
                unsynced.remove(id);
                let all_synced = unsynced.is_empty();
                let is_being_written = assignment.is_some();
                self.park_sync(id, ticket, out);
                if all_synced {
                    self.deadlines.cancel(&Deadline::Sync);
                }
                if self.is_leader(id) && !is_being_written {
                    self.write_assignment(now, sync.assignments, out);
                }
            }
            State::Stable { unsynced } => {
                unsynced.remove(id);
                if unsynced.is_empty() {
                    self.deadlines.cancel(&Deadline::Sync);
                }
                out.push(Command::Answer(ticket, Answer::Sync(Ok(self.synced(id)))));
            }
        }
    }

    /// The assignment is stored, or it is not: everybody who waits learns of it.
    pub(super) fn on_assignment_written(
        &mut self,
        now: Now,
        generation: GenerationId,
        result: Result<(), WriteFailure>,
        out: &mut Vec<Command>,
    ) {
        if generation != self.generation {
            return;
        }
        let State::Completing { unsynced, assignment } = &mut self.state else { return };
        let Some(mut by_member) = assignment.take() else { return };
        if let Err(failure) = result {
            self.withhold_assignments(failure.for_group(), now, out);
            return self.prepare_rebalance(now, out);
        }
        let unsynced = std::mem::take(unsynced);
        for member in self.members.iter_mut() {
            member.assignment = by_member.remove(&member.id).unwrap_or_default();
        }
        self.answer_syncs(now, Ok(()), out);
        self.change_state(now, State::Stable { unsynced });
    }

    fn check_sync(&self, sync: &Sync) -> Result<(), ErrorCode> {
        if matches!(self.state, State::Dead) {
            return Err(ErrorCode::COORDINATOR_NOT_AVAILABLE);
        }
        self.check_member(&sync.who)?;
        if sync.generation != self.generation {
            return Err(ErrorCode::ILLEGAL_GENERATION);
        }
        if differ(&sync.protocol_type, &self.protocol_type) || differ(&sync.protocol, &self.protocol) {
            return Err(ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
        }
        Ok(())
    }

    fn park_sync(&mut self, id: &MemberId, ticket: Ticket, out: &mut Vec<Command>) {
        let earlier = self.members.find_mut(id).and_then(|member| member.awaiting_sync.replace(ticket));
        if let Some(earlier) = earlier {
            out.push(Command::Answer(earlier, Answer::Sync(Err(ErrorCode::REBALANCE_IN_PROGRESS))));
        }
    }

    /// Stores what the leader says; members that it left out get an empty assignment.
    fn write_assignment(&mut self, now: Now, assignments: Vec<(MemberId, Bytes)>, out: &mut Vec<Command>) {
        let mut by_member: BTreeMap<MemberId, Bytes> = BTreeMap::new();
        for (id, assignment) in assignments {
            if self.members.contains(&id) {
                by_member.insert(id.detached(), Bytes::copy_from_slice(&assignment));
            }
        }
        if let State::Completing { assignment, .. } = &mut self.state {
            *assignment = Some(by_member);
        }
        self.write_group(now, Pending::Assignment(self.generation), out);
    }

    fn synced(&self, member: &MemberId) -> Synced {
        Synced {
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            assignment: self.members.find(member).map(|member| member.assignment.clone()).unwrap_or_default(),
        }
    }
}

/// Whether both are known and not the same.
fn differ(said: &Option<ByteString>, ours: &Option<ByteString>) -> bool {
    matches!((said, ours), (Some(said), Some(ours)) if said != ours)
}
