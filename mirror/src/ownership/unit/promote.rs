//! Becoming the home, second half, past the point of no return: the mirror's writes end, the producer-id barrier is raised,
//! the new generation becomes durable, the gates open. Every step can be repeated, so a restart begins it again.

use std::{collections::HashMap, time::Duration};

use protocol::ProducerId;

use super::{Unit, Work, verb::Move};
use crate::ownership::{
    command::Command,
    event::Round,
    generation::HomeGeneration,
    positions::PartitionEnd,
    record::{Promotion, State},
    report::{GroupTotals, Outcome, PartitionReport, Step},
};

#[derive(Debug)]
pub(super) struct Promote {
    pub(super) round: Round,
    /// After a step failed: when it begins again.
    pub(super) retry_at: Option<Duration>,
    /// What failed last.
    pub(super) failed: Option<String>,
    stage: Stage,
    /// Where the new generation starts, once closed.
    starts: Vec<PartitionEnd>,
}

/// Close, forget what producers are known, hand out none of their ids, outgrow the old home's epochs, open.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    Close,
    Forget,
    Advance,
    Raise,
    Open(Promotion),
}

impl Unit {
    pub(super) fn begin_unplanned(&mut self, generation: HomeGeneration, partitions: Vec<PartitionReport>) {
        self.promote(generation, false, partitions, GroupTotals::default());
    }

    pub(super) fn promote(
        &mut self,
        generation: HomeGeneration,
        planned: bool,
        partitions: Vec<PartitionReport>,
        groups: GroupTotals,
    ) {
        let from = self.giver();
        let previous = self.record.generation;
        self.record.state =
            State::Promoting(Promotion { generation, from, previous, planned, partitions, groups });
        self.persist();
        self.publish();
        self.close();
    }

    pub(super) fn resume_promotion(&mut self) {
        self.begin_run(None);
        self.close();
    }

    fn close(&mut self) {
        let round = self.step(Stage::Close, Vec::new());
        self.out.push(Command::Settle { round });
    }

    fn step(&mut self, stage: Stage, starts: Vec<PartitionEnd>) -> Round {
        let round = self.next_round();
        self.work = Work::Promote(Promote { round, retry_at: None, failed: None, stage, starts });
        round
    }

    pub(super) fn on_closed(&mut self, round: Round, ends: Vec<PartitionEnd>) {
        if self.take(round, &Stage::Close).is_none() {
            return;
        }
        if let State::Promoting(promotion) = &mut self.record.state {
            bring_up_to_date(&mut promotion.partitions, &ends);
        }
        self.end_step(Step::Close);
        let round = self.step(Stage::Forget, ends);
        self.out.push(Command::ForgetProducers { round });
    }

    pub(super) fn on_forgotten(&mut self, round: Round, largest: Option<ProducerId>) {
        let Some(starts) = self.take(round, &Stage::Forget) else { return };
        match largest {
            Some(beyond) => {
                let round = self.step(Stage::Advance, starts);
                self.out.push(Command::AdvanceProducerIds { round, beyond });
            }
            None => self.raise(starts),
        }
    }

    pub(super) fn on_advanced(&mut self, round: Round) {
        let Some(starts) = self.take(round, &Stage::Advance) else { return };
        self.raise(starts);
    }

    fn raise(&mut self, starts: Vec<PartitionEnd>) {
        let round = self.step(Stage::Raise, starts);
        self.out.push(Command::RaiseEpochs { round });
    }

    pub(super) fn on_raised(&mut self, round: Round) {
        let Some(starts) = self.take(round, &Stage::Raise) else { return };
        let State::Promoting(promotion) = self.record.state.clone() else { return };
        self.end_step(Step::Barrier);
        self.record.generation = promotion.generation;
        self.record.previous = promotion.previous;
        self.record.home = self.settings.here.clone();
        self.record.starts = Some(starts);
        self.record.state = State::Home;
        self.confirmed = true;
        // Durable first, then open, then told.
        self.persist();
        let round = self.publish();
        self.work = Work::Promote(Promote {
            round,
            retry_at: None,
            failed: None,
            stage: Stage::Open(promotion),
            starts: Vec::new(),
        });
        for member in self.settings.members.clone().iter() {
            if *member != self.settings.here {
                self.tell_home(member);
            }
        }
    }

    pub(super) fn on_published(&mut self, round: Round) {
        if matches!(&self.work, Work::Promote(promote) if promote.round == round) {
            self.end_opening(Outcome::Moved);
        }
    }

    /// If a promotion is at its last step: that is over, and whoever waits is answered.
    pub(super) fn end_opening(&mut self, outcome: Outcome) {
        let Work::Promote(Promote { stage: Stage::Open(promotion), .. }) = &self.work else { return };
        let promotion = promotion.clone();
        self.work = Work::Nothing;
        self.end_step(Step::Open);
        let Promotion { generation, from, planned, partitions, groups, previous: _ } = promotion;
        self.finish_run(Move { from, generation, planned }, outcome, partitions, groups);
    }

    pub(super) fn on_promotion_failed(&mut self, what: String) {
        let retry_at = self.now.saturating_add(self.settings.retry_pause);
        if let Work::Promote(promote) = &mut self.work {
            promote.failed = Some(what);
            promote.retry_at = Some(retry_at);
        }
    }

    /// From its beginning: all of it may be done twice.
    pub(super) fn retry_promotion(&mut self) {
        let Work::Promote(promote) = &self.work else { return };
        match &promote.stage {
            Stage::Close | Stage::Forget | Stage::Advance | Stage::Raise => self.close(),
            // The record is durable; only the gates did not obey yet.
            Stage::Open(promotion) => {
                let promotion = promotion.clone();
                let round = self.publish();
                self.step(Stage::Open(promotion), Vec::new());
                if let Work::Promote(promote) = &mut self.work {
                    promote.round = round;
                }
            }
        }
    }

    /// The starts, if this is the answer that is waited for.
    fn take(&self, round: Round, stage: &Stage) -> Option<Vec<PartitionEnd>> {
        match &self.work {
            Work::Promote(promote) if promote.round == round && promote.stage == *stage => {
                Some(promote.starts.clone())
            }
            _ => None,
        }
    }
}

/// The mirror wrote on until it was closed.
fn bring_up_to_date(partitions: &mut [PartitionReport], ends: &[PartitionEnd]) {
    let ends: HashMap<(&str, i32), i64> =
        ends.iter().map(|end| ((end.topic.as_str(), end.partition.0), end.end.0)).collect();
    for row in partitions {
        if let Some(end) = ends.get(&(row.topic.as_str(), row.partition)) {
            *row = PartitionReport::new(&row.topic.clone(), row.partition, row.source_end, *end);
        }
    }
}
