//! The state machine of one failover unit in one datacenter. [`Unit::handle`] only dispatches: who is fenced is decided in
//! `old_home`, who hears of a home in `hear`, the verb in `verb`, and the two stages of becoming a home in `drain` and
//! `promote`.

mod drain;
mod hear;
mod old_home;
mod promote;
mod status;
mod verb;

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    time::Duration,
};

use self::{drain::Drain, promote::Promote, verb::Run};
use super::{
    command::Command,
    event::{Event, Failover, Round},
    generation::HomeGeneration,
    members::Datacenter,
    message::Message,
    positions::PartitionEnd,
    record::{Divergence, Fencing, RecordError, State, UnitRecord},
    report::FailoverReport,
    settings::{Settings, WhenApart},
    view::{Gate, UnitView},
};

pub use self::status::UnitStatus;

#[derive(Debug)]
pub struct Unit {
    settings: Settings,
    /// As it is durable, once the commands so far are carried out.
    record: UnitRecord,
    /// The record is still to be stored for the first time.
    new: bool,
    /// A home may open: it started as one for the first time, became one, or a standby has confirmed it.
    confirmed: bool,
    peers: BTreeSet<Datacenter>,
    round: Round,
    work: Work,
    /// The verb that `work` serves, with those who wait for it.
    run: Run,
    /// Verbs whose numbers are being gathered, and since when.
    surveys: BTreeMap<Round, (Failover, Duration)>,
    last_report: Option<FailoverReport>,
    now: Duration,
    out: Vec<Command>,
}

/// What was asked of the driver and is not answered. Lost in a restart, and begun again from the record.
#[derive(Debug)]
enum Work {
    Nothing,
    /// The old home waits to know all that it has.
    Settle {
        round: Round,
    },
    /// Overruled, and this is all that was written here; where the new home started is not known yet.
    AwaitStarts {
        ends: Vec<PartitionEnd>,
    },
    Drain(Drain),
    Promote(Promote),
}

impl Unit {
    /// From what is stored; `None` only if nothing ever was.
    pub fn open(settings: Settings, record: Option<&str>) -> Result<Self, RecordError> {
        let new = record.is_none();
        let record = match record {
            Some(text) => UnitRecord::parse(&settings.unit, text)?,
            None => first_record(&settings),
        };
        let alone = settings.members.iter().all(|member| *member == settings.here);
        let confirmed = new || alone || settings.when_apart == WhenApart::Quarantine;
        Ok(Self {
            settings,
            record,
            new,
            confirmed,
            peers: BTreeSet::new(),
            round: Round::default(),
            work: Work::Nothing,
            run: Run::default(),
            surveys: BTreeMap::new(),
            last_report: None,
            now: Duration::ZERO,
            out: Vec::new(),
        })
    }

    /// Once, before the first event: publishes what the record allows, and goes on with what a crash cut off.
    pub fn start(&mut self, now: Duration, out: &mut Vec<Command>) {
        self.now = now;
        if mem::take(&mut self.new) {
            self.persist();
        }
        self.publish();
        match &self.record.state {
            State::Fencing(Fencing::Overruled { .. }) => self.settle(),
            State::Draining(_) => self.resume_drain(),
            State::Promoting(_) => self.resume_promotion(),
            State::Fencing(Fencing::Promised { .. })
            | State::Home
            | State::Standby
            | State::Diverged(_)
            | State::Restoring(_) => {}
        }
        out.append(&mut self.out);
    }

    pub fn handle(&mut self, now: Duration, event: Event, out: &mut Vec<Command>) {
        self.now = now;
        match event {
            Event::Failover(verb) => self.on_verb(verb),
            Event::PeerConnected(peer) => self.on_connected(peer),
            Event::PeerLost(peer) => drop(self.peers.remove(&peer)),
            Event::Received { from, message } => self.on_message(from, message),
            Event::Surveyed { round, survey } => self.on_surveyed(round, survey),
            Event::Published { round } => self.on_published(round),
            Event::Settled { round, ends, groups } => self.on_settled(round, ends, groups),
            Event::Progress { round, ends } => self.on_progress(round, &ends),
            Event::GroupsApplied { round, groups } => self.on_groups_applied(round, groups),
            Event::ProducersForgotten { round, largest } => self.on_forgotten(round, largest),
            Event::ProducerIdsAdvanced { round } => self.on_advanced(round),
            Event::EpochsRaised { round } => self.on_raised(round),
            Event::Failed { round, what } => self.on_failed(round, what),
            Event::TailFound { topic, partition, common, end } => {
                self.on_tail_found(&topic, partition, common, end);
            }
            Event::DeadlinePassed => self.on_deadline(),
        }
        out.append(&mut self.out);
    }

    /// When [`Event::DeadlinePassed`] is due.
    pub fn next_deadline(&self) -> Option<Duration> {
        match &self.work {
            Work::Drain(drain) => Some(drain.deadline),
            Work::Promote(promote) => promote.retry_at,
            Work::Nothing | Work::Settle { .. } | Work::AwaitStarts { .. } => None,
        }
    }

    pub fn record(&self) -> &UnitRecord {
        &self.record
    }

    fn on_connected(&mut self, peer: Datacenter) {
        if peer == self.settings.here || !self.settings.members.contains(&peer) {
            return;
        }
        self.peers.insert(peer.clone());
        self.send(&peer, self.state_message());
        match &self.record.state {
            State::Fencing(Fencing::Promised { to, .. }) if *to == peer => self.settle(),
            State::Draining(attempt) if attempt.from == peer => self.ask_for_fence(),
            _ => {}
        }
    }

    fn on_message(&mut self, from: Datacenter, message: Message) {
        if !self.settings.members.contains(&from) {
            if let Message::Fence { request, .. } = message {
                self.refuse_stranger(&from, request);
            }
            return;
        }
        match message {
            Message::State { generation, home, state } => self.on_state(&from, generation, home, state),
            Message::Promoted { generation, previous, home, starts } => {
                self.on_promoted(&from, generation, previous, home, starts);
            }
            Message::Fence { request, generation } => self.on_fence(&from, request, generation),
            Message::Unfence { generation, .. } => self.on_unfence(&from, generation),
            Message::Fenced { request, generation, ends, groups } => {
                self.on_fenced(&from, request, generation, ends, groups);
            }
            Message::Refused { request, reason } => self.on_fence_refused(&from, request, reason),
        }
    }

    fn on_deadline(&mut self) {
        if self.next_deadline().is_none_or(|deadline| self.now < deadline) {
            return;
        }
        match &self.work {
            Work::Drain(_) => self.on_drain_deadline(),
            Work::Promote(_) => self.retry_promotion(),
            Work::Nothing | Work::Settle { .. } | Work::AwaitStarts { .. } => {}
        }
    }

    fn on_failed(&mut self, round: Round, what: String) {
        if let Some((verb, _)) = self.surveys.remove(&round) {
            self.refuse_verb(verb.ticket, super::FailoverRefusal::SurveyFailed { what });
            return;
        }
        match &self.work {
            Work::Settle { round: current } if *current == round => self.on_settle_failed(what),
            Work::Drain(drain) if drain.round == round => self.on_drain_failed(what),
            Work::Promote(promote) if promote.round == round => self.on_promotion_failed(what),
            _ => {}
        }
    }

    fn next_round(&mut self) -> Round {
        self.round = Round(self.round.0.saturating_add(1));
        self.round
    }

    fn persist(&mut self) {
        self.out.push(Command::Persist { record: self.record.to_text() });
    }

    fn publish(&mut self) -> Round {
        let round = self.next_round();
        self.out.push(Command::Publish { round, view: self.view() });
        round
    }

    fn settle(&mut self) {
        let round = self.next_round();
        self.work = Work::Settle { round };
        self.out.push(Command::Settle { round });
    }

    fn send(&mut self, to: &Datacenter, message: Message) {
        self.out.push(Command::Send { to: to.clone(), message });
    }

    fn state_message(&self) -> Message {
        Message::State {
            generation: self.record.generation,
            home: self.record.home.clone(),
            state: self.record.state.name(),
        }
    }

    /// No generation up to this one is new to this datacenter.
    fn highest_known(&self) -> HomeGeneration {
        self.record.generation.max(self.record.promised)
    }

    fn divergence(&self) -> Option<&Divergence> {
        match &self.record.state {
            State::Diverged(divergence) | State::Restoring(divergence) => Some(divergence),
            _ => None,
        }
    }

    fn view(&self) -> UnitView {
        let home = self.record.home.clone();
        let gate = match &self.record.state {
            State::Home if self.confirmed => Gate::Open,
            State::Home | State::Fencing(_) | State::Promoting(_) => Gate::Fenced,
            State::Draining(_) | State::Standby | State::Diverged(_) | State::Restoring(_) => {
                Gate::ReadOnly { home: home.clone() }
            }
        };
        // A promised home still gives away what it has; one that was overruled has nothing that anybody waits for.
        let flowing = match &self.record.state {
            State::Home | State::Standby | State::Draining(_) => true,
            State::Fencing(fencing) => matches!(fencing, Fencing::Promised { .. }),
            State::Promoting(_) | State::Diverged(_) | State::Restoring(_) => false,
        };
        let unit = self.settings.unit.clone();
        UnitView {
            unit,
            state: self.record.state.name(),
            generation: self.record.generation,
            home,
            gate,
            flowing,
            tails: self.divergence().map(|divergence| divergence.tails.clone()).unwrap_or_default(),
        }
    }
}

fn first_record(settings: &Settings) -> UnitRecord {
    let home = settings.members.declared_home().clone();
    let state = if home == settings.here { State::Home } else { State::Standby };
    UnitRecord::first(&settings.unit, home, state)
}
