//! A link with one node of its source, over all connections: the receiver's core and all around it.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use core_log::Clock;
use protocol::Offset;

use super::{
    apply::Applier,
    groups::Groups,
    landing::{Finder, Landings, Place},
    live::{Inbound, Live, next_of},
    places::Places,
    resume::Request,
    topics::{Topics, Woken},
};
use crate::{
    catalog::{self, TopicRow},
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
        path::PathView,
        pool::BufferPool,
        random::Random,
        thread::{Stopping, stopped},
        units::Tails,
    },
    groups,
    link::{
        limits::ReceiverSettings,
        receiver::{Event, LocalPosition, PartitionKey, PartitionView, Receiver},
        wire::{Hello, VERSION},
    },
    ownership::Datacenter,
    ports::Ports,
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
    /// This node and its topology: the name, and a digest of what it says.
    pub(crate) node: String,
    pub(crate) topology: String,
    pub(crate) digest: String,
    pub(crate) ports: Ports,
    pub(crate) finder: Finder,
    pub(crate) places: Arc<Places>,
    pub(crate) flows: Flows,
    pub(crate) lines: Lines,
    pub(crate) tails: Tails,
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
    pub(crate) path: Option<PathView>,
    /// The two ends run different topology files.
    pub(crate) topology_differs: bool,
    /// With the names of the source's topics.
    pub(crate) partitions: Vec<(String, PartitionView)>,
    pub(crate) stopped_topics: Vec<TopicRow>,
}

pub(crate) struct TargetLink {
    pub(super) parts: TargetParts,
    pub(super) core: Receiver,
    pub(super) topics: Topics,
    pub(super) groups: Groups,
    pub(super) landings: Landings,
    assignment_changes: watch::Receiver<u64>,
    inquiries: Inquiries<TargetView>,
    resumes: mpsc::Receiver<Request>,
    pub(super) live: Option<Live>,
    dials: JoinSet<Result<Dialled, DialError>>,
    backoff: Backoff,
    pub(super) last_error: Option<String>,
    facts: mpsc::Receiver<Fact>,
    pub(super) fact: mpsc::Sender<Fact>,
    pub(super) tasks: JoinSet<()>,
}

/// What a task found out or did.
pub(super) enum Fact {
    Core(Event),
    Located { key: PartitionKey, result: Result<(Place, LocalPosition), StopReason> },
    Applied { event: Event, key: PartitionKey, end: Offset },
    Catalog(catalog::Event),
    Group(groups::Event),
}

impl TargetLink {
    pub(crate) fn new(
        parts: TargetParts,
        inquiries: Inquiries<TargetView>,
        resumes: mpsc::Receiver<Request>,
    ) -> Self {
        let (fact, facts) = mpsc::channel(FACTS_MAX);
        let (flows, metrics) = (parts.flows.clone(), Arc::clone(&parts.metrics));
        Self {
            core: Receiver::new(parts.settings.clone()),
            topics: Topics::new(flows.clone(), Arc::clone(&parts.ports.catalog)),
            groups: Groups::new(flows, Arc::clone(&parts.ports.groups), metrics),
            landings: Landings::new(parts.link.clone(), Arc::clone(&parts.places)),
            assignment_changes: parts.ports.assignment.changes(),
            parts,
            inquiries,
            resumes,
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
            let sync_deadline =
                self.topics.next_deadline().into_iter().chain(self.groups.next_deadline()).min();
            let hello_due = self.live.as_ref().and_then(|live| live.hello_due);
            tokio::select! {
                () = stopped(&mut stopping) => return self.disconnect(&Ended::Shutdown),
                inbound = next_of(self.live.as_mut()) => self.take_inbound(inbound),
                Some(fact) = self.facts.recv() => self.take(fact),
                Some(dialled) = self.dials.join_next() => self.take_dialled(dialled.ok()),
                answer = self.inquiries.next() => {
                    let _ = answer.send(self.view());
                }
                Some(request) = self.resumes.recv() => self.resume(request),
                woken = self.topics.changed() => {
                    let event = self.topics.event(&woken);
                    self.tell_catalog(event);
                    if matches!(woken, Woken::Flows) {
                        self.follow_flows();
                    }
                }
                Ok(()) = self.assignment_changes.changed() => self.follow_assignment(),
                event = self.groups.emptied() => self.tell_groups(event),
                Some(_) = self.tasks.join_next() => {}
                () = deadline::passed(&*clock, sync_deadline) => {
                    self.tell_catalog(catalog::Event::DeadlinePassed);
                    self.tell_groups(groups::Event::DeadlinePassed);
                }
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

    pub(super) fn tell(&mut self, event: Event) {
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
                self.tell_catalog(catalog::Event::Connected);
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
            digest: self.parts.digest.clone(),
            clock: u64::try_from(now.as_micros()).unwrap_or(u64::MAX),
        }
    }

    fn take_inbound(&mut self, inbound: Inbound) {
        match inbound {
            Inbound::Message(message) => {
                let greeted = self.core.peer().is_some();
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
                if !greeted && self.topology_differs() {
                    let (link, peer) = (&self.parts.link, &self.parts.dialler.peer);
                    tracing::warn!(link, %peer, "the peer's topology file says something else than ours");
                }
            }
            Inbound::Block(block) => self.tell(Event::Block(block)),
            Inbound::Ownership(message) => self.tell(Event::Ownership(message)),
            Inbound::Room => {}
            Inbound::Ended(ended) => self.disconnect(&ended),
        }
    }

    /// As far as the peer has said.
    pub(super) fn topology_differs(&self) -> bool {
        self.core.peer().is_some_and(|peer| peer.digest != self.parts.digest)
    }

    /// Ends the connection, and what was under way on it. Applies go on: they are of the log.
    pub(super) fn disconnect(&mut self, ended: &Ended) {
        let Some(live) = self.live.take() else { return };
        ended.close(&live.connection);
        self.parts.metrics.connections_closed.one();
        if ended.is_hostile() {
            self.parts.metrics.peers_hostile.one();
        }
        tracing::info!(link = self.parts.link, peer = %self.parts.dialler.peer, reason = %ended, "disconnected");
        self.last_error = Some(ended.to_string());
        self.tell(Event::Disconnected);
        self.tell_catalog(catalog::Event::Disconnected);
    }

    fn take(&mut self, fact: Fact) {
        match fact {
            Fact::Core(event) => self.tell(event),
            Fact::Located { key, result } => {
                let result = result.map(|(place, position)| {
                    self.landings.found(key, place);
                    position
                });
                self.tell(Event::Located { key, result });
                self.tell_arrived(key);
            }
            Fact::Applied { event, key, end } => {
                self.tell(event);
                // Settled appends are durable.
                self.tell(Event::Durable { key, end });
                self.tell_arrived(key);
            }
            Fact::Catalog(event) => self.tell_catalog(event),
            Fact::Group(event) => self.tell_groups(event),
        }
    }
}
