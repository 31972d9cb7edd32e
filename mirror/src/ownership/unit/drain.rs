//! Becoming the home, first half, which can be given up: the old home is fenced, what it has arrives, its groups follow.

use std::{collections::HashMap, mem, time::Duration};

use protocol::{Offset, PartitionId, TopicId};

use super::{Unit, Work, verb::Move};
use crate::ownership::{
    command::Command,
    event::Round,
    generation::HomeGeneration,
    members::Datacenter,
    message::{FenceRefusal, Message, RequestId},
    positions::{GroupPosition, PartitionEnd},
    record::{Attempt, State},
    report::{GroupReport, GroupTotals, Outcome, PartitionReport, Step, StopReason},
};

#[derive(Debug)]
pub(super) struct Drain {
    /// Of what was asked last.
    pub(super) round: Round,
    pub(super) deadline: Duration,
    stage: Stage,
}

/// The old home is asked to fence itself; its end is waited for; its groups' last positions are applied.
#[derive(Debug)]
enum Stage {
    Fence,
    Records { until: Vec<PartitionEnd>, groups: Vec<GroupPosition>, arrived: Vec<PartitionEnd>, missing: u64 },
    Groups { until: Vec<PartitionEnd>, arrived: Vec<PartitionEnd> },
}

impl Unit {
    /// The intention is durable before the old home hears of it, so that after a crash nobody waits for an answer that
    /// nobody remembers.
    pub(super) fn begin_drain(&mut self, generation: HomeGeneration) {
        let from = self.record.home.clone();
        self.record.state = State::Draining(Attempt { generation, from, request: RequestId(generation.0) });
        self.persist();
        self.publish();
        self.await_fence();
    }

    pub(super) fn resume_drain(&mut self) {
        self.begin_run(None);
        self.await_fence();
    }

    fn await_fence(&mut self) {
        let round = self.next_round();
        let deadline = self.now.saturating_add(self.settings.fence_wait);
        self.work = Work::Drain(Drain { round, deadline, stage: Stage::Fence });
        self.ask_for_fence();
    }

    /// Repeated on every connection until it is answered.
    pub(super) fn ask_for_fence(&mut self) {
        let waits = matches!(&self.work, Work::Drain(Drain { stage: Stage::Fence, .. }));
        if let State::Draining(Attempt { generation, from, request }) = self.record.state.clone()
            && waits
        {
            self.send(&from, Message::Fence { request, generation });
        }
    }

    pub(super) fn on_fenced(
        &mut self,
        from: &Datacenter,
        request: RequestId,
        generation: HomeGeneration,
        ends: Vec<PartitionEnd>,
        groups: Vec<GroupPosition>,
    ) {
        match &self.record.state {
            State::Draining(attempt) if attempt.generation == generation && attempt.from == *from => {
                if matches!(&self.work, Work::Drain(Drain { stage: Stage::Fence, .. })) {
                    self.end_step(Step::Fence);
                    self.drain_records(ends, groups);
                }
            }
            State::Promoting(promotion) if promotion.generation >= generation => {}
            _ => self.release(from, request, generation),
        }
    }

    /// Somebody is fenced for a generation that is not being tried here: it became the home, or it never will.
    fn release(&mut self, fenced: &Datacenter, request: RequestId, generation: HomeGeneration) {
        self.tell_home(fenced);
        if self.record.generation >= generation {
            return;
        }
        if self.record.promised < generation {
            self.record.promised = generation;
            self.persist();
        }
        self.send(fenced, Message::Unfence { request, generation });
    }

    fn drain_records(&mut self, until: Vec<PartitionEnd>, groups: Vec<GroupPosition>) {
        let round = self.next_round();
        self.out.push(Command::Drain { round, until: until.clone() });
        let stage = Stage::Records { until, groups, arrived: Vec::new(), missing: u64::MAX };
        self.drain_on(round, stage);
    }

    fn drain_on(&mut self, round: Round, stage: Stage) {
        let deadline = self.now.saturating_add(self.settings.drain_wait);
        self.work = Work::Drain(Drain { round, deadline, stage });
    }

    pub(super) fn on_progress(&mut self, round: Round, ends: &[PartitionEnd]) {
        let Work::Drain(drain) = &mut self.work else { return };
        let Stage::Records { until, groups, arrived, missing } = &mut drain.stage else { return };
        if drain.round != round {
            return;
        }
        *arrived = ends.to_vec();
        let now_missing =
            compare(until, ends).iter().map(|partition| partition.lost).fold(0, u64::saturating_add);
        if now_missing < *missing {
            *missing = now_missing;
            drain.deadline = self.now.saturating_add(self.settings.drain_wait);
        }
        if now_missing > 0 {
            return;
        }
        let (until, positions, arrived) = (mem::take(until), mem::take(groups), mem::take(arrived));
        self.out.push(Command::Cancel { round });
        self.end_step(Step::Drain);
        let round = self.next_round();
        self.out.push(Command::ApplyGroups { round, positions });
        self.drain_on(round, Stage::Groups { until, arrived });
    }

    pub(super) fn on_groups_applied(&mut self, round: Round, groups: Vec<GroupReport>) {
        let Work::Drain(Drain { round: current, stage: Stage::Groups { until, arrived }, .. }) = &self.work
        else {
            return;
        };
        let State::Draining(attempt) = &self.record.state else { return };
        if *current != round {
            return;
        }
        let (generation, partitions) = (attempt.generation, compare(until, arrived));
        self.end_step(Step::Groups);
        let totals = GroupTotals::of(&groups);
        self.run.groups = groups;
        self.promote(generation, true, partitions, totals);
    }

    pub(super) fn on_fence_refused(&mut self, from: &Datacenter, request: RequestId, refusal: FenceRefusal) {
        let State::Draining(attempt) = &self.record.state else { return };
        let waits = matches!(&self.work, Work::Drain(Drain { stage: Stage::Fence, .. }));
        if !waits || attempt.request != request || attempt.from != *from {
            return;
        }
        let tried = attempt.generation;
        match refusal {
            FenceRefusal::StaleGeneration { known } if known >= tried => self.try_above(from, known, refusal),
            _ => self.give_up(StopReason::OldHomeRefused { home: from.clone(), refusal }),
        }
    }

    /// The old home has promised a generation to somebody else since: this datacenter's next one is the one to ask for.
    fn try_above(&mut self, home: &Datacenter, known: HomeGeneration, refusal: FenceRefusal) {
        match self.settings.members.next_generation(&self.settings.here, known) {
            Some(generation) => {
                self.record.promised = self.record.promised.max(known);
                self.begin_drain(generation);
            }
            None => self.give_up(StopReason::OldHomeRefused { home: home.clone(), refusal }),
        }
    }

    pub(super) fn on_drain_failed(&mut self, what: String) {
        self.give_up(StopReason::StepFailed { what });
    }

    pub(super) fn on_drain_deadline(&mut self) {
        let Work::Drain(drain) = &self.work else { return };
        let home = self.giver();
        let silent = !self.peers.contains(&home);
        let reason = match &drain.stage {
            Stage::Records { missing, until, arrived, .. } if !silent => {
                let known: u64 = compare(until, arrived).iter().map(|partition| partition.lost).sum();
                StopReason::DrainStalled { records_missing: known.min(*missing) }
            }
            Stage::Fence | Stage::Records { .. } => StopReason::OldHomeSilent { home },
            Stage::Groups { .. } => {
                StopReason::StepFailed { what: "the groups' positions were not applied in time".to_owned() }
            }
        };
        self.give_up(reason);
    }

    /// The operator no longer waits for the old home: the generation that was tried is kept.
    pub(super) fn force_drain(&mut self) {
        let State::Draining(attempt) = &self.record.state else { return };
        let generation = attempt.generation;
        let partitions = self.drained_so_far();
        if let Work::Drain(Drain { round, .. }) = &self.work {
            self.out.push(Command::Cancel { round: *round });
        }
        self.promote(generation, false, partitions, GroupTotals::default());
    }

    /// Durably, this datacenter will never be the home at the generation that it tried; then the old home may reopen.
    /// Also ends a promotion that a higher generation has overtaken: it had not opened its gates.
    pub(super) fn give_up(&mut self, reason: StopReason) {
        let from = self.giver();
        let (generation, planned) = match &self.record.state {
            State::Draining(attempt) => (attempt.generation, true),
            State::Promoting(promotion) => (promotion.generation, promotion.planned),
            _ => return,
        };
        let partitions = self.drained_so_far();
        let overtaken = matches!(&reason, StopReason::Overtaken { .. });
        if let Work::Drain(Drain { round, .. }) = &self.work {
            self.out.push(Command::Cancel { round: *round });
        }
        self.work = Work::Nothing;
        self.record.promised = self.record.promised.max(generation);
        self.record.state = State::Standby;
        self.persist();
        self.publish();
        if !overtaken {
            self.send(&from, Message::Unfence { request: RequestId(generation.0), generation });
        }
        let moved = Move { from, generation, planned };
        self.finish_run(moved, Outcome::Stopped { reason }, partitions, GroupTotals::default());
    }

    fn drained_so_far(&self) -> Vec<PartitionReport> {
        match &self.work {
            Work::Drain(Drain {
                stage: Stage::Records { until, arrived, .. } | Stage::Groups { until, arrived },
                ..
            }) => compare(until, arrived),
            _ => Vec::new(),
        }
    }
}

/// What is wanted, beside what is here.
fn compare(until: &[PartitionEnd], here: &[PartitionEnd]) -> Vec<PartitionReport> {
    let here: HashMap<(TopicId, PartitionId), Offset> =
        here.iter().map(|end| ((end.topic_id, end.partition), end.end)).collect();
    let row = |end: &PartitionEnd| {
        let at = here.get(&(end.topic_id, end.partition)).copied().unwrap_or(Offset::ZERO);
        PartitionReport::new(end.topic.as_str(), end.partition.0, Some(end.end.0), at.0)
    };
    until.iter().map(row).collect()
}
