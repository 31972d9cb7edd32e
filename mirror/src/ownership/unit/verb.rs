//! The verb `failover`: is it allowed, what does it cost, who waits for it, what is reported.

use std::{mem, time::Duration};

use super::Unit;
use crate::ownership::{
    command::Command,
    event::{Failover, Round, Survey, Ticket},
    generation::HomeGeneration,
    members::Datacenter,
    record::{Fencing, State},
    report::{
        FailoverRefusal, FailoverReport, GroupReport, GroupTotals, Outcome, PartitionReport, Step, StepReport,
    },
};

/// A failover that runs here: who waits for it and how long it takes. Lost in a restart; the move itself is not.
#[derive(Debug, Default)]
pub(super) struct Run {
    tickets: Vec<Ticket>,
    /// When the old home was asked to close, or an unplanned failover began.
    down_since: Duration,
    step_since: Duration,
    steps: Vec<StepReport>,
    pub(super) groups: Vec<GroupReport>,
}

/// What a failover was from and to.
pub(super) struct Move {
    pub(super) from: Datacenter,
    pub(super) generation: HomeGeneration,
    pub(super) planned: bool,
}

impl Unit {
    pub(super) fn on_verb(&mut self, verb: Failover) {
        match self.judge(&verb) {
            Err(refusal) => self.refuse_verb(verb.ticket, refusal),
            Ok(Verdict::AlreadyHome) => self.answer_already_home(verb),
            Ok(Verdict::Join) => self.run.tickets.push(verb.ticket),
            Ok(Verdict::Force) => {
                self.run.tickets.push(verb.ticket);
                self.force_drain();
            }
            Ok(Verdict::Survey) => {
                let round = self.next_round();
                self.surveys.insert(round, (verb, self.now));
                self.out.push(Command::Survey { round });
            }
        }
    }

    fn judge(&self, verb: &Failover) -> Result<Verdict, FailoverRefusal> {
        let here = self.settings.here.clone();
        if !self.settings.members.contains(&verb.to) {
            return Err(FailoverRefusal::NotAMember { to: verb.to.clone() });
        }
        if verb.to != here {
            return Err(FailoverRefusal::OtherDatacenter { here, to: verb.to.clone() });
        }
        let home = self.record.home.clone();
        match &self.record.state {
            State::Home if self.confirmed || verb.unplanned => Ok(Verdict::AlreadyHome),
            State::Home => Err(FailoverRefusal::NotHeardYet { here }),
            State::Fencing(_) if verb.unplanned => Ok(Verdict::Survey),
            State::Fencing(Fencing::Promised { to, generation, .. }) => {
                Err(FailoverRefusal::FencedFor { here, to: to.clone(), generation: *generation })
            }
            State::Fencing(Fencing::Overruled { .. }) => {
                Err(FailoverRefusal::Overruled { here, home, generation: self.record.generation })
            }
            State::Draining(_) | State::Promoting(_) if verb.dry_run => Ok(Verdict::Survey),
            State::Draining(_) if verb.unplanned => Ok(Verdict::Force),
            State::Draining(_) | State::Promoting(_) => Ok(Verdict::Join),
            State::Standby if verb.unplanned || self.peers.contains(&home) => Ok(Verdict::Survey),
            State::Standby => Err(FailoverRefusal::OldHomeUnreachable { home }),
            State::Diverged(divergence) => {
                Err(FailoverRefusal::Diverged { here, home, records: divergence.records() })
            }
            State::Restoring(_) => Err(FailoverRefusal::Restoring { here }),
        }
    }

    pub(super) fn on_surveyed(&mut self, round: Round, survey: Survey) {
        let Some((verb, since)) = self.surveys.remove(&round) else { return };
        match self.judge(&verb) {
            Ok(Verdict::Survey) => {}
            // The world moved while the numbers were gathered.
            Ok(_) | Err(_) => return self.on_verb(verb),
        }
        let generation = match &self.record.state {
            State::Draining(attempt) => Some(attempt.generation),
            State::Promoting(promotion) => Some(promotion.generation),
            _ => self.settings.members.next_generation(&self.settings.here, self.highest_known()),
        };
        let Some(generation) = generation else {
            return self.refuse_verb(verb.ticket, FailoverRefusal::OutOfGenerations);
        };
        if verb.dry_run {
            self.answer_dry_run(&verb, generation, survey);
        } else if verb.unplanned {
            self.begin_run(Some(verb.ticket));
            (self.run.step_since, self.run.down_since) = (since, since);
            self.end_step(Step::Survey);
            self.begin_unplanned(generation, survey.partitions);
        } else {
            self.begin_run(Some(verb.ticket));
            self.run.step_since = since;
            self.end_step(Step::Survey);
            self.begin_drain(generation);
        }
    }

    /// Whom the unit is taken from.
    pub(super) fn giver(&self) -> Datacenter {
        match &self.record.state {
            State::Draining(attempt) => attempt.from.clone(),
            State::Promoting(promotion) => promotion.from.clone(),
            State::Fencing(Fencing::Promised { to, .. }) => to.clone(),
            _ => self.record.home.clone(),
        }
    }

    pub(super) fn begin_run(&mut self, ticket: Option<Ticket>) {
        let tickets = ticket.into_iter().chain(mem::take(&mut self.run.tickets)).collect();
        self.run = Run { tickets, down_since: self.now, step_since: self.now, ..Run::default() };
    }

    pub(super) fn end_step(&mut self, step: Step) {
        let duration_ms = millis(self.now.saturating_sub(self.run.step_since));
        self.run.steps.push(StepReport { step, duration_ms });
        self.run.step_since = self.now;
    }

    /// Answers everybody who waits, and forgets the run.
    pub(super) fn finish_run(
        &mut self,
        moved: Move,
        outcome: Outcome,
        partitions: Vec<PartitionReport>,
        totals: GroupTotals,
    ) {
        let run = mem::take(&mut self.run);
        let done = outcome == Outcome::Moved;
        let rto_ms = if done { millis(self.now.saturating_sub(run.down_since)) } else { 0 };
        let mut report = self.report(moved, outcome, partitions, run.groups);
        report.group_totals = totals;
        report.rto_ms = rto_ms;
        report.steps = run.steps;
        if done {
            self.last_report = Some(report.clone());
        }
        for ticket in run.tickets {
            self.answer(ticket, Ok(report.clone()));
        }
    }

    pub(super) fn refuse_verb(&mut self, ticket: Ticket, refusal: FailoverRefusal) {
        self.answer(ticket, Err(refusal));
    }

    fn answer(&mut self, ticket: Ticket, answer: Result<FailoverReport, FailoverRefusal>) {
        self.out.push(Command::Answer { ticket, answer: Box::new(answer) });
    }

    fn answer_dry_run(&mut self, verb: &Failover, generation: HomeGeneration, survey: Survey) {
        let moved = Move { from: self.giver(), generation, planned: !verb.unplanned };
        let mut report = self.report(moved, Outcome::Planned, survey.partitions, survey.groups);
        report.dry_run = true;
        self.answer(verb.ticket, Ok(report));
    }

    /// Also the operator's word that an unconfirmed home shall open.
    fn answer_already_home(&mut self, verb: Failover) {
        if !self.confirmed && !verb.dry_run {
            self.confirmed = true;
            self.publish();
        }
        let here = self.settings.here.clone();
        let generation = self.record.generation;
        let mut report = match &self.last_report {
            Some(last) if last.generation == generation => last.clone(),
            _ => {
                let moved = Move { from: here, generation, planned: !verb.unplanned };
                self.report(moved, Outcome::AlreadyHome, Vec::new(), Vec::new())
            }
        };
        report.outcome = Outcome::AlreadyHome;
        report.dry_run = verb.dry_run;
        self.answer(verb.ticket, Ok(report));
    }

    fn report(
        &self,
        moved: Move,
        outcome: Outcome,
        partitions: Vec<PartitionReport>,
        groups: Vec<GroupReport>,
    ) -> FailoverReport {
        let rpo_records = partitions.iter().map(|partition| partition.lost).fold(0, u64::saturating_add);
        let rpo_complete = partitions.iter().all(|partition| partition.source_end.is_some());
        FailoverReport {
            unit: self.settings.unit.clone(),
            from: moved.from,
            to: self.settings.here.clone(),
            generation: moved.generation,
            planned: moved.planned,
            dry_run: false,
            outcome,
            partitions,
            group_totals: GroupTotals::of(&groups),
            groups,
            rpo_records,
            rpo_complete,
            rto_ms: 0,
            steps: Vec::new(),
        }
    }
}

enum Verdict {
    AlreadyHome,
    /// It runs already.
    Join,
    /// A planned one runs, and the operator no longer wants to wait for the old home.
    Force,
    /// It can begin, once the numbers are known.
    Survey,
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
