//! What happens when time passes: members that were not heard, rebalances that took too long.

use protocol::MemberId;

use super::{Command, Group, Now, State, deadlines::Deadline};

impl Group {
    pub(super) fn on_deadlines(&mut self, now: Now, out: &mut Vec<Command>) {
        while let Some(deadline) = self.deadlines.pop_due(now.monotonic) {
            match deadline {
                Deadline::Join => self.on_join_deadline(now, out),
                Deadline::Sync => self.on_sync_deadline(now, out),
                Deadline::Session(member) => self.on_silent_member(now, &member, out),
            }
        }
    }

    fn on_silent_member(&mut self, now: Now, id: &MemberId, out: &mut Vec<Command>) {
        if self.members.find(id).is_some_and(|member| member.is_excused()) {
            // Its session starts anew when it is answered.
            return;
        }
        let was_member = self.members.contains(id);
        self.remove_member(id, out);
        match self.state {
            // An id that was given out but never used does not matter to the members.
            State::Completing { .. } | State::Stable { .. } if was_member => self.prepare_rebalance(now, out),
            State::Preparing { .. } if self.members.have_all_joined() => self.complete_join(now, out),
            State::Empty
            | State::Preparing { .. }
            | State::Completing { .. }
            | State::Stable { .. }
            | State::Dead => {}
        }
    }
}
