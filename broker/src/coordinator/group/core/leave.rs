//! LeaveGroup: members say goodbye, or an operator sends static members away by their instance ids.

use protocol::{ErrorCode, MemberId};

use super::{Answer, Command, Group, Identity, Now, State, Ticket};

impl Group {
    pub(super) fn on_leave(
        &mut self,
        now: Now,
        ticket: Ticket,
        leavers: &[Identity],
        out: &mut Vec<Command>,
    ) {
        if matches!(self.state, State::Dead) {
            let error = ErrorCode::COORDINATOR_NOT_AVAILABLE;
            return out.push(Command::Answer(ticket, Answer::Leave(Err(error))));
        }
        let members_before = self.members.len();
        let mut codes = Vec::with_capacity(leavers.len());
        for leaver in leavers {
            let found = self.find_leaver(leaver);
            codes.push(found.as_ref().err().copied().unwrap_or_default());
            if let Ok(id) = found {
                self.remove_member(&id, out);
            }
        }
        out.push(Command::Answer(ticket, Answer::Leave(Ok(codes))));
        match self.state {
            State::Completing { .. } | State::Stable { .. } if self.members.len() < members_before => {
                self.prepare_rebalance(now, out);
            }
            State::Preparing { .. } => self.complete_join_if_all_are_here(now, out),
            State::Empty | State::Completing { .. } | State::Stable { .. } | State::Dead => {}
        }
    }

    fn find_leaver(&self, leaver: &Identity) -> Result<MemberId, ErrorCode> {
        if leaver.member_id.as_str().is_empty() {
            let named = leaver.instance_id.as_ref().and_then(|instance| self.members.static_id(instance));
            return named.cloned().ok_or(ErrorCode::UNKNOWN_MEMBER_ID);
        }
        if !self.members.pending.contains(&leaver.member_id) {
            self.check_member(leaver)?;
        }
        Ok(leaver.member_id.clone())
    }
}
