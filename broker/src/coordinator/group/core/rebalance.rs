//! From one generation to the next.

use std::collections::BTreeSet;

use bytes::Bytes;

use protocol::{ErrorCode, GenerationId, MemberId};

use super::{
    Answer, Command, Gathering, Group, GroupEvent, Now, State, Synced, deadlines::Deadline, members::Member,
    writes::Pending,
};

/// A join phase that nobody joined is looked at again after the rebalance timeout, which clients may set to nothing.
const JOIN_RETRY_MIN_MS: i32 = 1_000;

impl Group {
    /// Members changed: a new generation is needed, or the one being prepared may be complete.
    pub(super) fn rebalance_or_complete_join(&mut self, now: Now, out: &mut Vec<Command>) {
        match self.state {
            State::Empty | State::Completing { .. } | State::Stable { .. } => {
                self.prepare_rebalance(now, out)
            }
            State::Preparing { .. } => self.complete_join_if_all_are_here(now, out),
            State::Dead => {}
        }
    }

    /// Asks every member to join again. Members learn of it by their heartbeats; those that wait for an assignment now.
    pub(super) fn prepare_rebalance(&mut self, now: Now, out: &mut Vec<Command>) {
        if matches!(self.state, State::Completing { .. }) {
            self.withhold_assignments(ErrorCode::REBALANCE_IN_PROGRESS, now, out);
        }
        self.deadlines.cancel(&Deadline::Sync);
        if matches!(self.state, State::Empty) {
            let delay_ms = self.rules.initial_rebalance_delay_ms;
            let remaining_ms = self.members.rebalance_timeout_ms().saturating_sub(delay_ms).max(0);
            self.deadlines.set(Deadline::Join, now.after_ms(delay_ms));
            let gathering = Gathering { delay_ms, remaining_ms, somebody_joined: false };
            return self.change_state(now, State::Preparing { gathering: Some(gathering) });
        }
        self.change_state(now, State::Preparing { gathering: None });
        if self.members.have_all_joined() {
            return self.complete_join(now, out);
        }
        self.deadlines.set(Deadline::Join, now.after_ms(self.members.rebalance_timeout_ms()));
    }

    /// Completes the join phase when nobody is missing, unless the first members are still gathering.
    pub(super) fn complete_join_if_all_are_here(&mut self, now: Now, out: &mut Vec<Command>) {
        if matches!(self.state, State::Preparing { gathering: None }) && self.members.have_all_joined() {
            self.complete_join(now, out);
        }
    }

    /// The time to join is up.
    pub(super) fn on_join_deadline(&mut self, now: Now, out: &mut Vec<Command>) {
        let State::Preparing { gathering } = &mut self.state else { return };
        match gathering {
            Some(gathering) if gathering.somebody_joined && gathering.remaining_ms > 0 => {
                let delay_ms = self.rules.initial_rebalance_delay_ms.min(gathering.remaining_ms);
                let remaining_ms = gathering.remaining_ms.saturating_sub(gathering.delay_ms).max(0);
                *gathering = Gathering { delay_ms, remaining_ms, somebody_joined: false };
                self.deadlines.set(Deadline::Join, now.after_ms(delay_ms));
            }
            Some(_) | None => self.complete_join(now, out),
        }
    }

    /// Starts the next generation with those who joined. Static members that did not keep their place until their
    /// session ends.
    pub(super) fn complete_join(&mut self, now: Now, out: &mut Vec<Command>) {
        self.deadlines.cancel(&Deadline::Join);
        let missing = |member: &&Member| !member.awaits_join() && !member.is_static();
        let dropped: Vec<MemberId> =
            self.members.iter().filter(missing).map(|member| member.id.clone()).collect();
        for id in &dropped {
            self.remove_member(id, out);
        }
        if self.members.is_empty() {
            return self.become_empty(now, out);
        }
        if !self.elect_joined_leader() {
            // Only static members are left and none is back: wait until their sessions end.
            let wait_ms = self.members.rebalance_timeout_ms().max(JOIN_RETRY_MIN_MS);
            return self.deadlines.set(Deadline::Join, now.after_ms(wait_ms));
        }
        self.start_generation(now, out);
    }

    fn become_empty(&mut self, now: Now, out: &mut Vec<Command>) {
        self.generation = next_generation(self.generation);
        self.protocol = None;
        self.leader = None;
        self.subscribed = self.subscriptions();
        self.change_state(now, State::Empty);
        // If this is lost, the generation before comes back after a restart, and its members time out.
        self.write_group(now, Pending::Emptied, out);
    }

    /// After the commits of those who were members. If the record is lost, nobody is a member here all the same. If
    /// somebody joined meanwhile, the group is emptied again some day.
    pub(super) fn on_emptied_written(&self, out: &mut Vec<Command>) {
        if matches!(self.state, State::Empty) {
            out.push(Command::Announce(vec![GroupEvent::Emptied { group: self.id.clone() }]));
        }
    }

    /// Whether the leader, or somebody in its place, has joined.
    fn elect_joined_leader(&mut self) -> bool {
        let leader = self.leader.as_ref().and_then(|leader| self.members.find(leader));
        if leader.is_some_and(Member::awaits_join) {
            return true;
        }
        let next = self.members.iter().find(|member| member.awaits_join()).map(|member| member.id.clone());
        let found = next.is_some();
        self.leader = next.or_else(|| self.leader.take());
        found
    }

    fn start_generation(&mut self, now: Now, out: &mut Vec<Command>) {
        self.generation = next_generation(self.generation);
        self.protocol = self.members.choose_protocol();
        self.subscribed = self.subscriptions();
        let ids = self.members.ids();
        let unsynced: BTreeSet<MemberId> = ids.iter().cloned().collect();
        self.change_state(now, State::Completing { unsynced, assignment: None });
        for id in &ids {
            if let Some(ticket) = self.members.take_join(id) {
                out.push(Command::Answer(ticket, Answer::Join(Ok(self.joined(id)))));
            }
            if let Some(member) = self.members.find_mut(id) {
                member.is_new = false;
            }
            self.renew_session(now, id);
        }
        self.deadlines.set(Deadline::Sync, now.after_ms(self.members.rebalance_timeout_ms()));
    }

    /// Somebody joined this generation and then never asked for its assignment: on without them.
    pub(super) fn on_sync_deadline(&mut self, now: Now, out: &mut Vec<Command>) {
        let (State::Completing { unsynced, .. } | State::Stable { unsynced }) = &mut self.state else {
            return;
        };
        let missing = std::mem::take(unsynced);
        if missing.is_empty() {
            return;
        }
        for id in &missing {
            self.remove_member(id, out);
        }
        self.prepare_rebalance(now, out);
    }

    /// No assignment in this generation: clears what there is and tells those who wait for it.
    pub(super) fn withhold_assignments(&mut self, error: ErrorCode, now: Now, out: &mut Vec<Command>) {
        for member in self.members.iter_mut() {
            member.assignment = Bytes::new();
        }
        self.answer_syncs(now, Err(error), out);
    }

    /// Answers everybody who waits for an assignment; their sessions start anew, for they were excused while waiting.
    pub(super) fn answer_syncs(&mut self, now: Now, result: Result<(), ErrorCode>, out: &mut Vec<Command>) {
        for id in self.members.ids() {
            let Some(member) = self.members.find_mut(&id) else { continue };
            let Some(ticket) = member.awaiting_sync.take() else { continue };
            let answer = result.map(|()| Synced {
                protocol_type: self.protocol_type.clone(),
                protocol: self.protocol.clone(),
                assignment: member.assignment.clone(),
            });
            out.push(Command::Answer(ticket, Answer::Sync(answer)));
            self.renew_session(now, &id);
        }
    }
}

/// Never negative: that would read as "no generation".
fn next_generation(generation: GenerationId) -> GenerationId {
    GenerationId(generation.0.max(0).checked_add(1).unwrap_or(0))
}
