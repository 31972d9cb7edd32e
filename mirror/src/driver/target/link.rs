//! A link with one node of its source, over all connections: the receiver's core and all around it.

use std::{sync::Arc, time::Duration};

use tokio::{sync::mpsc, task::JoinSet};

use core_log::Clock;
use protocol::Offset;

use super::{
    apply::{Applier, Outcome},
    landing::{Landing, Landings, failure, open, replica_position},
    live::{Inbound, Live, next_of},
};
use crate::{
    driver::{
        backoff::Backoff,
        closing::Ended,
        deadline,
        dial::{DialError, Dialled, Dialler},
        flows::Flows,
        inquiry::Inquiries,
        limits::HELLO_TIMEOUT,
        line::Lines,
        metrics::LinkMetrics,
        pool::BufferPool,
        random::Random,
        thread::{Stopping, stopped},
    },
    link::{
        limits::ReceiverSettings,
        receiver::{
            Apply, ApplyFailure, Command, Event, LocalPosition, Mode, PartitionKey, PartitionState,
            PartitionView, Receiver,
        },
        wire::{Hello, VERSION},
    },
    ownership::Datacenter,
    ports::{PortError, Ports, SinkPartition},
    stop::StopReason,
};

/// Results that wait for the core.
const FACTS_MAX: usize = 256;
/// Facts taken before the core's wishes are carried out again.
const FACTS_AT_ONCE: usize = 64;

/// What a link is made of.
pub(crate) struct TargetParts {
    /// `FROM:TO`.
    pub(crate) link: String,
    pub(crate) dialler: Dialler,
    /// This node and its topology file.
    pub(crate) node: String,
    pub(crate) topology: String,
    pub(crate) ports: Ports,
    pub(crate) flows: Flows,
    pub(crate) lines: Lines,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Random,
    pub(crate) applier: Applier,
    pub(crate) pool: Arc<BufferPool>,
    pub(crate) metrics: Arc<LinkMetrics>,
    pub(crate) settings: ReceiverSettings,
}

/// A link as it looks now.
#[derive(Debug, Clone)]
pub(crate) struct TargetView {
    pub(crate) connected: bool,
    /// Why there is no connection, if so.
    pub(crate) last_error: Option<String>,
    /// With the names of the source's topics.
    pub(crate) partitions: Vec<(String, PartitionView)>,
}

pub(crate) struct TargetLink {
    parts: TargetParts,
    core: Receiver,
    landings: Landings,
    inquiries: Inquiries<TargetView>,
    live: Option<Live>,
    dials: JoinSet<Result<Dialled, DialError>>,
    backoff: Backoff,
    last_error: Option<String>,
    facts: mpsc::Receiver<Fact>,
    fact: mpsc::Sender<Fact>,
    tasks: JoinSet<()>,
}

enum Fact {
    Core(Event),
    Located { key: PartitionKey, result: Result<(Arc<dyn SinkPartition>, LocalPosition), StopReason> },
    Applied { event: Event, key: PartitionKey, end: Offset },
}

impl TargetLink {
    pub(crate) fn new(parts: TargetParts, inquiries: Inquiries<TargetView>) -> Self {
        let (fact, facts) = mpsc::channel(FACTS_MAX);
        Self {
            core: Receiver::new(parts.settings.clone()),
            parts,
            landings: Landings::default(),
            inquiries,
            live: None,
            dials: JoinSet::new(),
            backoff: Backoff::default(),
            last_error: None,
            facts,
            fact,
            tasks: JoinSet::new(),
        }
    }

    /// Keeps the link up until the node stops.
    pub(crate) async fn run(mut self, mut stopping: Stopping) {
        self.dial(Duration::ZERO);
        let clock = Arc::clone(&self.parts.clock);
        loop {
            self.turn();
            if self.live.is_none() && self.dials.is_empty() {
                let pause = self.backoff.next_pause(self.parts.random.next());
                self.dial(pause);
            }
            let deadline = self.core.poll_timeout();
            let hello_due = self.live.as_ref().and_then(|live| live.hello_due);
            tokio::select! {
                () = stopped(&mut stopping) => return self.disconnect(&Ended::Shutdown),
                inbound = next_of(self.live.as_mut()) => self.take_inbound(inbound),
                Some(fact) = self.facts.recv() => self.take(fact),
                Some(dialled) = self.dials.join_next() => self.take_dialled(dialled.ok()),
                answer = self.inquiries.next() => {
                    let _ = answer.send(self.view());
                }
                Some(_) = self.tasks.join_next() => {}
                () = deadline::passed(&*clock, deadline) => self.core.handle_timeout(clock.monotonic()),
                () = deadline::passed(&*clock, hello_due) => {
                    self.disconnect(&Ended::Stream("no hello in time"));
                }
            }
            self.take_waiting();
        }
    }

    /// Facts that came meanwhile: one turn for many of them.
    fn take_waiting(&mut self) {
        for _ in 0..FACTS_AT_ONCE {
            if let Some(inbound) = self.live.as_mut().and_then(Live::try_next) {
                self.take_inbound(inbound);
            } else if let Ok(fact) = self.facts.try_recv() {
                self.take(fact);
            } else {
                return;
            }
        }
    }

    /// Carries out what the core wants, and says what it has to say.
    fn turn(&mut self) {
        while let Some(command) = self.core.poll_command() {
            self.carry_out(command);
        }
        let Some(live) = &mut self.live else { return };
        if let Err(ended) = live.say(|| self.core.poll_control()) {
            self.disconnect(&ended);
        }
    }

    fn tell(&mut self, event: Event) {
        self.core.handle(self.parts.clock.monotonic(), event);
    }

    fn dial(&mut self, pause: Duration) {
        let dialler = self.parts.dialler.clone();
        self.dials.spawn(async move {
            tokio::time::sleep(pause).await;
            dialler.dial().await
        });
    }

    fn take_dialled(&mut self, dialled: Option<Result<Dialled, DialError>>) {
        match dialled {
            Some(Ok(dialled)) => {
                self.parts.metrics.connections_dialled.one();
                let now = self.parts.clock.monotonic();
                let live = Live::new(
                    dialled,
                    self.parts.settings.credit_window,
                    Arc::clone(&self.parts.pool),
                    Arc::clone(&self.parts.metrics),
                    now + HELLO_TIMEOUT,
                );
                self.live = Some(live);
                let hello = self.hello(now);
                self.tell(Event::Connected { hello });
            }
            Some(Err(error)) => {
                self.parts.metrics.dials_failed.one();
                let pause = self.backoff.next_pause(self.parts.random.next());
                tracing::info!(link = self.parts.link, peer = %self.parts.dialler.peer, %error, ?pause, "not reached");
                self.last_error = Some(error.to_string());
                self.dial(pause);
            }
            // Its task is gone with the runtime.
            None => {}
        }
    }

    fn hello(&self, now: Duration) -> Hello {
        Hello {
            version: VERSION,
            link: self.parts.link.clone(),
            node: self.parts.node.clone(),
            topology: self.parts.topology.clone(),
            clock: u64::try_from(now.as_micros()).unwrap_or(u64::MAX),
        }
    }

    fn take_inbound(&mut self, inbound: Inbound) {
        match inbound {
            Inbound::Message(message) => {
                if let Some(live) = &mut self.live
                    && live.hello_due.take().is_some()
                {
                    tracing::info!(link = self.parts.link, peer = %self.parts.dialler.peer, "connected");
                    self.backoff.succeeded();
                    self.last_error = None;
                    let datacenter = Datacenter::from(self.parts.dialler.peer.datacenter.as_str());
                    live.line = Some(self.parts.lines.open(datacenter));
                }
                self.tell(Event::Message(message));
            }
            Inbound::Block(block) => self.tell(Event::Block(block)),
            Inbound::Ownership(message) => self.tell(Event::Ownership(message)),
            Inbound::Room => {}
            Inbound::Ended(ended) => self.disconnect(&ended),
        }
    }

    /// Ends the connection, and what was under way on it. Applies go on: they are of the log.
    fn disconnect(&mut self, ended: &Ended) {
        let Some(live) = self.live.take() else { return };
        ended.close(&live.connection);
        self.parts.metrics.connections_closed.one();
        if ended.is_hostile() {
            self.parts.metrics.peers_hostile.one();
        }
        tracing::info!(link = self.parts.link, peer = %self.parts.dialler.peer, reason = %ended, "disconnected");
        self.last_error = Some(ended.to_string());
        self.tell(Event::Disconnected);
    }

    fn take(&mut self, fact: Fact) {
        match fact {
            Fact::Core(event) => self.tell(event),
            Fact::Located { key, result } => {
                let result = result.map(|(sink, position)| {
                    self.landings.found(key, sink);
                    position
                });
                self.tell(Event::Located { key, result });
            }
            Fact::Applied { event, key, end } => {
                self.tell(event);
                // Settled appends are durable.
                self.tell(Event::Durable { key, end });
            }
        }
    }
}

/// Carrying out what the core wants.
impl TargetLink {
    fn carry_out(&mut self, command: Command) {
        match command {
            Command::Locate { key, mode } => self.locate(key, mode),
            Command::StartAt { key, offset } => {
                self.change(
                    key,
                    move |sink| async move { sink.start_at(offset).await.map(drop) },
                    |key, result| Event::Started { key, result },
                );
            }
            Command::AdvanceStart { key, to } => {
                self.change(
                    key,
                    move |sink| async move { sink.advance_start(to).await.map(drop) },
                    move |key, result| Event::StartAdvanced { key, to, result },
                );
            }
            Command::Apply(apply) => self.apply(apply),
            Command::Topic(topic) => self.topic(topic),
            Command::TopicGone { id } => {}
            Command::CatalogComplete => {}
            Command::GroupOffset(offset) => {}
            Command::GroupGone(gone) => {}
            Command::GroupsComplete => {}
            Command::Ownership(message) => {
                if let Some(line) = self.live.as_ref().and_then(|live| live.line.as_ref()) {
                    line.pass_on(message);
                }
            }
            Command::Changed { key, state } => self.note_change(key, &state),
            Command::Close(error) => self.disconnect(&Ended::Link(error)),
        }
    }

    fn locate(&mut self, key: PartitionKey, mode: Mode) {
        let Some(landing) = self.landings.by_key.get(&key).cloned() else { return };
        let (sinks, random, fact) =
            (Arc::clone(&self.parts.ports.sink), self.parts.random.clone(), self.fact.clone());
        self.tasks.spawn(async move {
            let result = match landing.sink {
                Some(sink) => Ok(sink),
                None => open(sinks, landing.topic_id, key, random).await,
            };
            let result = result.map(|sink| {
                let position = replica_position(&*sink);
                (sink, position)
            });
            let _ = fact.send(Fact::Located { key, result }).await;
        });
    }

    /// Changes a log, and tells the core how that went.
    fn change<F>(
        &mut self,
        key: PartitionKey,
        change: impl FnOnce(Arc<dyn SinkPartition>) -> F + Send + 'static,
        event: impl FnOnce(PartitionKey, Result<(), ApplyFailure>) -> Event + Send + 'static,
    ) where
        F: Future<Output = Result<(), PortError>> + Send,
    {
        let Some(sink) = self.landings.sink(&key) else { return };
        let fact = self.fact.clone();
        self.tasks.spawn(async move {
            let result = change(sink).await.map_err(|error| failure(&error));
            let _ = fact.send(Fact::Core(event(key, result))).await;
        });
    }

    fn apply(&mut self, apply: Apply) {
        let (id, key) = (apply.apply, apply.key);
        let Some(sink) = self.landings.sink(&key) else { return };
        let (applier, fact) = (self.parts.applier.clone(), self.fact.clone());
        self.tasks.spawn(async move {
            let Outcome { end, result } = applier.replicate(&*sink, apply).await;
            let event = Event::Applied { apply: id, end, result };
            let _ = fact.send(Fact::Applied { event, key, end }).await;
        });
    }

    fn note_change(&self, key: PartitionKey, state: &PartitionState) {
        let (link, topic_id, partition) = (&self.parts.link, key.topic_id, key.partition);
        if let PartitionState::Stopped(reason) = state {
            self.parts.metrics.partitions_stopped.one();
            tracing::error!(link, %topic_id, %partition, code = reason.code(), %reason, "partition stopped");
        } else {
            tracing::debug!(link, %topic_id, %partition, ?state, "partition");
        }
    }

    fn view(&self) -> TargetView {
        let now = self.parts.clock.monotonic();
        TargetView {
            connected: self.live.as_ref().is_some_and(|live| live.hello_due.is_none()),
            last_error: self.last_error.clone(),
            partitions: self.core.partitions(now).map(|view| (self.name_of(&view.key), view)).collect(),
        }
    }

    fn name_of(&self, key: &PartitionKey) -> String {
        self.landings.by_key.get(key).map_or_else(String::new, |landing| landing.topic.to_string())
    }

    fn topic(&mut self, topic: crate::link::wire::Topic) {
        let Some((_, generation)) = self.parts.flows.topic(topic.name.as_str()) else { return };
        for partition in (0..).map(protocol::PartitionId).take(topic.leader_epochs.len()) {
            let key = PartitionKey { topic_id: topic.id, partition };
            self.landings.by_key.entry(key).or_insert(Landing {
                topic: topic.name.clone(),
                topic_id: topic.id,
                sink: None,
            });
            self.tell(Event::Assigned { key, name: topic.name.clone(), generation, mode: Mode::Replica });
        }
    }
}
