//! Heartbeat: a member says it is alive and hears whether it must join again.

use protocol::ErrorCode;

use super::{Answer, Command, Group, Heartbeat, Now, State, Ticket};

impl Group {
    pub(super) fn on_heartbeat(
        &mut self,
        now: Now,
        ticket: Ticket,
        heartbeat: &Heartbeat,
        out: &mut Vec<Command>,
    ) {
        let error = self.check_heartbeat(heartbeat).err().unwrap_or_default();
        // While preparing, it is alive all the same.
        if matches!(error, ErrorCode::NONE | ErrorCode::REBALANCE_IN_PROGRESS) {
            self.renew_session(now, &heartbeat.who.member_id);
        }
        out.push(Command::Answer(ticket, Answer::Heartbeat(error)));
    }

    fn check_heartbeat(&self, heartbeat: &Heartbeat) -> Result<(), ErrorCode> {
        if matches!(self.state, State::Dead) {
            return Err(ErrorCode::COORDINATOR_NOT_AVAILABLE);
        }
        self.check_member(&heartbeat.who)?;
        if heartbeat.generation != self.generation {
            return Err(ErrorCode::ILLEGAL_GENERATION);
        }
        match self.state {
            State::Preparing { .. } => Err(ErrorCode::REBALANCE_IN_PROGRESS),
            State::Empty | State::Dead => Err(ErrorCode::UNKNOWN_MEMBER_ID),
            // A member may send heartbeats before it has fetched its assignment.
            State::Completing { .. } | State::Stable { .. } => Ok(()),
        }
    }
}
