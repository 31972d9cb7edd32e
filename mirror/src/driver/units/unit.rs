//! One unit's state machine at work.

use std::{collections::BTreeMap, future::Future, sync::Arc};

use tokio::{
    sync::{mpsc, oneshot, watch},
    task::{AbortHandle, JoinSet},
};

use core_log::Clock;

use super::{
    deeds::Here,
    speech::{self, Listening},
    tails::Tail,
};
use crate::{
    driver::{deadline, limits::OWNERSHIP_RETRY, line::Lines, random::Random},
    link::wire::OwnershipMessage,
    ownership::{
        Command, Datacenter, Event, Failover, FailoverRefusal, FailoverReport, RecordError, Round, Settings,
        Ticket, Unit,
    },
    ports::{OwnershipRecord, PortError},
};

/// What comes to a unit from outside.
pub(super) enum Input {
    Heard { from: Datacenter, message: OwnershipMessage },
    Connected(Datacenter),
    Lost(Datacenter),
    TailFound(Tail),
    Failover { to: Datacenter, dry_run: bool, unplanned: bool, answer: Answer },
}

pub(super) type Answer = oneshot::Sender<Result<FailoverReport, FailoverRefusal>>;

pub(super) struct UnitParts {
    pub(super) settings: Settings,
    pub(super) here: Here,
    pub(super) lines: Lines,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Random,
}

/// A unit's state machine and what it has under way.
pub(super) struct UnitDriver {
    parts: UnitParts,
    unit: Unit,
    listening: Listening,
    /// Of the messages said.
    number: u64,
    deeds: JoinSet<Option<Event>>,
    under_way: BTreeMap<Round, Vec<AbortHandle>>,
    /// The newest one counts.
    progress: (watch::Sender<Option<Event>>, watch::Receiver<Option<Event>>),
    tickets: BTreeMap<Ticket, Answer>,
    next_ticket: u64,
}

/// The record could not be stored: nothing that rests on it may happen.
struct NotStored(PortError);

impl UnitDriver {
    pub(super) fn open(parts: UnitParts, record: Option<&str>) -> Result<Self, RecordError> {
        let unit = Unit::open(parts.settings.clone(), record)?;
        let number = parts.random.next();
        Ok(Self {
            parts,
            unit,
            listening: Listening::default(),
            number,
            deeds: JoinSet::new(),
            under_way: BTreeMap::new(),
            progress: watch::channel(None),
            tickets: BTreeMap::new(),
            next_ticket: 0,
        })
    }

    /// Publishes what the record allows, so that gates can be asked.
    pub(super) async fn start(&mut self) -> Result<(), PortError> {
        let mut commands = Vec::new();
        self.unit.start(self.parts.clock.monotonic(), &mut commands);
        self.obey_all(commands).await.map_err(|NotStored(error)| error)
    }

    /// Until the inputs end.
    pub(super) async fn run(mut self, mut inputs: mpsc::Receiver<Input>) {
        loop {
            let deadline = deadline::passed(&*self.parts.clock, self.unit.next_deadline());
            let event = tokio::select! {
                input = inputs.recv() => match input {
                    Some(input) => self.event(input),
                    None => return,
                },
                Some(done) = self.deeds.join_next() => done.ok().flatten(),
                Ok(()) = self.progress.1.changed() => self.progress.1.borrow_and_update().clone(),
                () = deadline => Some(Event::DeadlinePassed),
            };
            let Some(event) = event else { continue };
            if let Err(NotStored(error)) = self.handle(event).await {
                self.reopen(&error).await;
            }
        }
    }

    fn event(&mut self, input: Input) -> Option<Event> {
        match input {
            Input::Heard { from, message } => {
                let message = self.listening.hear(&from, message)?;
                Some(Event::Received { from, message })
            }
            Input::Connected(peer) => Some(Event::PeerConnected(peer)),
            Input::Lost(peer) => Some(Event::PeerLost(peer)),
            Input::TailFound(Tail { topic, partition, common, end }) => {
                Some(Event::TailFound { topic, partition, common, end })
            }
            Input::Failover { to, dry_run, unplanned, answer } => {
                self.next_ticket += 1;
                let ticket = Ticket(self.next_ticket);
                self.tickets.insert(ticket, answer);
                Some(Event::Failover(Failover { ticket, to, dry_run, unplanned }))
            }
        }
    }

    async fn handle(&mut self, event: Event) -> Result<(), NotStored> {
        let mut commands = Vec::new();
        self.unit.handle(self.parts.clock.monotonic(), event, &mut commands);
        self.obey_all(commands).await
    }

    /// In order. What a command answers at once is handled after the commands that came with it.
    async fn obey_all(&mut self, mut commands: Vec<Command>) -> Result<(), NotStored> {
        while !commands.is_empty() {
            let mut events = Vec::new();
            for command in commands.drain(..) {
                events.extend(self.obey(command).await?);
            }
            for event in events {
                self.unit.handle(self.parts.clock.monotonic(), event, &mut commands);
            }
        }
        Ok(())
    }

    async fn obey(&mut self, command: Command) -> Result<Option<Event>, NotStored> {
        let here = self.parts.here.clone();
        match command {
            Command::Persist { record } => {
                let record = OwnershipRecord { unit: here.unit.to_string(), record };
                here.ports.ownership.save(record).await.map_err(NotStored)?;
            }
            Command::Publish { round, view } => {
                here.views.publish(view);
                let obeyed = here.ports.ownership.gates_changed().await;
                // A log that did not obey is offline, or refuses what the new view lets flow: nothing is mixed.
                here.views.obeyed(&here.unit);
                return Ok(Some(
                    obeyed.map_or_else(|error| failed(round, &error), |()| Event::Published { round }),
                ));
            }
            Command::Send { to, message } => {
                self.number = self.number.wrapping_add(1);
                for piece in speech::pieces(&here.unit, self.number, &message) {
                    self.parts.lines.say(&to, piece);
                }
            }
            Command::Cancel { round } => self.cancel(round),
            Command::Answer { ticket, answer } => {
                if let Some(waiting) = self.tickets.remove(&ticket) {
                    // Who asked may have gone.
                    let _ = waiting.send(*answer);
                }
            }
            Command::Survey { round } => self.begin(round, async move {
                here.survey().await.map(|survey| Event::Surveyed { round, survey })
            }),
            Command::Settle { round } => self.begin(round, async move {
                here.settle().await.map(|(ends, groups)| Event::Settled { round, ends, groups })
            }),
            Command::Drain { round, until } => {
                let progress = self.progress.0.clone();
                self.begin(round, async move {
                    let tell = |ends| drop(progress.send_replace(Some(Event::Progress { round, ends })));
                    here.drain(&until, tell)
                        .await
                        .map(|()| Event::Failed { round, what: "the drain ended".to_owned() })
                });
            }
            Command::ApplyGroups { round, positions } => self.begin(round, async move {
                here.apply_groups(positions).await.map(|groups| Event::GroupsApplied { round, groups })
            }),
            Command::ForgetProducers { round } => self.begin(round, async move {
                here.forget_producers().await.map(|largest| Event::ProducersForgotten { round, largest })
            }),
            Command::AdvanceProducerIds { round, beyond } => self.begin(round, async move {
                let advanced = here.ports.ownership.advance_producer_ids(beyond).await;
                advanced.map(|()| Event::ProducerIdsAdvanced { round })
            }),
            Command::RaiseEpochs { round } => {
                self.begin(round, async move {
                    here.raise_epochs().await.map(|()| Event::EpochsRaised { round })
                });
            }
        }
        Ok(None)
    }

    fn begin(&mut self, round: Round, deed: impl Future<Output = Result<Event, PortError>> + Send + 'static) {
        let handle =
            self.deeds.spawn(async move { Some(deed.await.unwrap_or_else(|error| failed(round, &error))) });
        self.under_way.retain(|_, handles| {
            handles.retain(|handle| !handle.is_finished());
            !handles.is_empty()
        });
        self.under_way.entry(round).or_default().push(handle);
    }

    fn cancel(&mut self, round: Round) {
        let later = self.under_way.split_off(&Round(round.0.saturating_add(1)));
        for handle in std::mem::replace(&mut self.under_way, later).into_values().flatten() {
            handle.abort();
        }
    }

    /// Forgets all that is not stored, and begins again from what is.
    async fn reopen(&mut self, error: &PortError) {
        tracing::error!(unit = %self.parts.here.unit, %error, "the ownership record cannot be stored; the unit is closed until it can");
        self.deeds.abort_all();
        self.under_way.clear();
        self.tickets.clear();
        loop {
            self.parts.here.views.close(&self.parts.here.unit);
            if let Err(error) = self.parts.here.ports.ownership.gates_changed().await {
                tracing::error!(unit = %self.parts.here.unit, %error, "not all gates could be closed");
            }
            deadline::passed(&*self.parts.clock, Some(self.parts.clock.monotonic() + OWNERSHIP_RETRY)).await;
            match self.begin_anew().await {
                Ok(()) => return,
                Err(error) => tracing::warn!(unit = %self.parts.here.unit, error, "the unit stays closed"),
            }
        }
    }

    async fn begin_anew(&mut self) -> Result<(), String> {
        let records = self.parts.here.ports.ownership.load().await.map_err(|error| error.to_string())?;
        let record = records.iter().find(|record| record.unit == *self.parts.here.unit);
        let stored = record.map(|record| record.record.as_str());
        self.unit = Unit::open(self.parts.settings.clone(), stored).map_err(|error| error.to_string())?;
        self.start().await.map_err(|error| error.to_string())?;
        for peer in self.parts.lines.connected().into_keys() {
            self.handle(Event::PeerConnected(peer)).await.map_err(|NotStored(error)| error.to_string())?;
        }
        Ok(())
    }
}

fn failed(round: Round, error: &PortError) -> Event {
    Event::Failed { round, what: error.to_string() }
}
