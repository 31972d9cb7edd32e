//! Reading a group's offsets: as they are durable now, or once all that was begun has ended.
//!
//! Whoever takes a group over asks for the latter after the gate was shut: what the gate let in came to the group before the
//! question did, so the answer has every commit that is, or will be, acknowledged.

use super::{Answer, Command, Group, Ticket};

impl Group {
    pub(super) fn answer_offsets(&self, ticket: Ticket, out: &mut Vec<Command>) {
        out.push(Command::Answer(ticket, Answer::Offsets(self.offsets.durable().clone())));
    }

    pub(super) fn on_settled_offsets(&mut self, ticket: Ticket, out: &mut Vec<Command>) {
        if self.writes.is_empty() {
            self.answer_offsets(ticket, out);
        } else {
            self.writes.wait_for_all(ticket);
        }
    }

    /// After a write has ended.
    pub(super) fn answer_settled(&mut self, out: &mut Vec<Command>) {
        for ticket in self.writes.take_settled() {
            self.answer_offsets(ticket, out);
        }
    }
}
