//! The side that gives the unit away: promise, close, settle, answer; and the way back if the other one gives up.

use super::{Unit, Work};
use crate::ownership::{
    event::Round,
    generation::HomeGeneration,
    members::Datacenter,
    message::{FenceRefusal, Message, RequestId},
    positions::{GroupPosition, PartitionEnd},
    record::{Fencing, State},
    report::Outcome,
};

impl Unit {
    pub(super) fn on_fence(&mut self, from: &Datacenter, request: RequestId, generation: HomeGeneration) {
        let known = self.highest_known();
        let verdict = match &self.record.state {
            State::Home if generation > known => Ok(()),
            State::Home => Err(FenceRefusal::StaleGeneration { known }),
            State::Fencing(Fencing::Promised { to, generation: promised, .. }) if to == from => {
                // A higher one from the same datacenter says that it gave the promised one up; a lower one is late.
                if generation >= *promised { Ok(()) } else { Err(FenceRefusal::StaleGeneration { known }) }
            }
            State::Fencing(Fencing::Promised { to, generation, .. }) => {
                Err(FenceRefusal::FencedFor { other: to.clone(), generation: *generation })
            }
            State::Fencing(Fencing::Overruled { .. })
            | State::Draining(_)
            | State::Promoting(_)
            | State::Standby
            | State::Diverged(_)
            | State::Restoring(_) => {
                let home = self.record.home.clone();
                Err(FenceRefusal::NotHome { home, generation: self.record.generation })
            }
        };
        match verdict {
            Ok(()) => self.promise(from, request, generation),
            Err(reason) => self.refuse_fence(from, request, reason),
        }
    }

    /// Closed first on disk, then at the gates, then said.
    fn promise(&mut self, to: &Datacenter, request: RequestId, generation: HomeGeneration) {
        self.end_opening(Outcome::Moved);
        let promise = State::Fencing(Fencing::Promised { to: to.clone(), generation, request });
        if self.record.state != promise {
            self.record.state = promise;
            self.record.promised = self.record.promised.max(generation);
            self.persist();
            self.publish();
        }
        self.settle();
    }

    fn refuse_fence(&mut self, to: &Datacenter, request: RequestId, reason: FenceRefusal) {
        self.send(to, Message::Refused { request, reason });
        // So that the next attempt starts from what is known here.
        self.send(to, self.state_message());
    }

    pub(super) fn refuse_stranger(&mut self, to: &Datacenter, request: RequestId) {
        self.send(to, Message::Refused { request, reason: FenceRefusal::NotAMember });
    }

    pub(super) fn on_settled(&mut self, round: Round, ends: Vec<PartitionEnd>, groups: Vec<GroupPosition>) {
        match &self.work {
            Work::Promote(_) => self.on_closed(round, ends),
            Work::Settle { round: current } if *current == round => {
                self.work = Work::Nothing;
                match &self.record.state {
                    State::Fencing(Fencing::Promised { to, generation, request }) => {
                        let to = to.clone();
                        let (request, generation) = (*request, *generation);
                        self.send(&to, Message::Fenced { request, generation, ends, groups });
                    }
                    State::Fencing(Fencing::Overruled { .. }) => {
                        self.work = Work::AwaitStarts { ends };
                        self.resolve_overruled();
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }

    /// The gates stay closed: the other one stops on this answer, and its `Unfence` reopens them.
    pub(super) fn on_settle_failed(&mut self, what: String) {
        self.work = Work::Nothing;
        // One that was overruled tries again at the next message about the home.
        if let State::Fencing(Fencing::Promised { to, request, .. }) = &self.record.state {
            let (to, request) = (to.clone(), *request);
            self.send(&to, Message::Refused { request, reason: FenceRefusal::Unsettled { what } });
        }
    }

    /// The proof: the only datacenter that may use the promised generation has durably given it up.
    pub(super) fn on_unfence(&mut self, from: &Datacenter, generation: HomeGeneration) {
        let proof = matches!(
            &self.record.state,
            State::Fencing(Fencing::Promised { to, generation: promised, .. }) if to == from && *promised == generation
        );
        if !proof {
            return;
        }
        self.work = Work::Nothing;
        self.record.state = State::Home;
        self.confirmed = true;
        self.persist();
        self.publish();
    }
}
