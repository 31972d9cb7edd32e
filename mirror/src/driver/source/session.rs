//! One connection with a target: the sender's core and all around it.

use std::{collections::VecDeque, sync::Arc};

use quinn::{Connection, SendStream};
use tokio::{sync::mpsc, task::JoinSet};

use core_log::{Clock, ReadLimit};
use protocol::{LeaderEpoch, Offset, PartitionId, TopicId};

use super::{
    blocks::BlockWriter,
    catalog::{GroupFeed, GroupNews, TopicFeed},
    pace::Pace,
    partitions::{Partitions, open},
    reads::read,
};
use crate::{
    driver::{
        closing::Ended,
        control::{ControlError, ControlReader, ControlWriter},
        deadline,
        flows::Flows,
        inquiry::Inquiries,
        kit::Kit,
        limits::{CONTROL_END, CONTROL_PRIORITY, TRANSPORT_FILLS},
        line::Line,
        metrics::LinkMetrics,
        path::PathView,
        random::Random,
        thread::{Stopping, stopped},
        workers::Workers,
    },
    link::{
        Handle, ReadId,
        block::Packer,
        limits::SenderSettings,
        sender::{Command, Event, Sender, SourceView, SubscriptionView},
        wire::{Hello, ToSource},
    },
    ports::{Ports, SourcePartition},
    stop::StopReason,
};

/// Results of reads, writes and openings that wait for the session.
const FACTS_MAX: usize = 256;
/// Control messages that wait for the session.
const MESSAGES_MAX: usize = 64;
/// Facts taken before the core's wishes are carried out again.
const FACTS_AT_ONCE: usize = 64;

/// What the sessions of a link share.
#[derive(Clone)]
pub(crate) struct SourceParts {
    pub(crate) ports: Ports,
    pub(crate) flows: Flows,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Random,
    pub(crate) workers: Workers,
    pub(crate) packers: Arc<Kit<Packer>>,
    pub(crate) metrics: Arc<LinkMetrics>,
    pub(crate) settings: SenderSettings,
    /// Whether to compress depends on the path.
    pub(crate) thrifty: bool,
    /// Of the link: shared by its connections.
    pub(crate) pace: Option<Arc<Pace>>,
}

/// How a connection looks at its source's end.
#[derive(Debug)]
pub(crate) struct SessionView {
    pub(crate) path: PathView,
    pub(crate) subscriptions: Vec<SubscriptionView>,
}

/// A connection at its source's end.
pub(crate) struct SourceSession {
    parts: SourceParts,
    connection: Connection,
    core: Sender,
    partitions: Partitions,
    line: Line,
    inquiries: Inquiries<SessionView>,
    control: ControlWriter,
    messages: mpsc::Receiver<Result<ToSource, ControlError>>,
    facts: mpsc::Receiver<Fact>,
    fact: mpsc::Sender<Fact>,
    blocks: BlockWriter,
    delivered: mpsc::Receiver<Event>,
    tasks: JoinSet<()>,
    transport_window: u64,
}

enum Fact {
    Core(Event),
    Opened {
        handle: Handle,
        key: (TopicId, PartitionId),
        last_epoch: Option<LeaderEpoch>,
        result: Result<Arc<dyn SourcePartition>, StopReason>,
    },
}

/// A connection whose target has said hello.
pub(crate) struct Greeted {
    pub(crate) connection: Connection,
    pub(crate) writer: SendStream,
    pub(crate) reader: ControlReader,
    pub(crate) theirs: Hello,
    pub(crate) ours: Hello,
}

impl SourceSession {
    pub(crate) fn new(
        parts: SourceParts,
        greeted: Greeted,
        line: Line,
        inquiries: Inquiries<SessionView>,
    ) -> Self {
        let Greeted { connection, writer, mut reader, theirs, ours } = greeted;
        let mut tasks = JoinSet::new();
        let control = ControlWriter::spawn(writer, CONTROL_PRIORITY, &mut tasks);
        let (message, messages) = mpsc::channel(MESSAGES_MAX);
        tasks.spawn(async move {
            let mut next = Ok(ToSource::Hello(theirs));
            loop {
                let ended = next.is_err();
                if message.send(next).await.is_err() || ended {
                    return;
                }
                next = reader.next().await;
            }
        });
        let (fact, facts) = mpsc::channel(FACTS_MAX);
        let (events, delivered) = mpsc::channel(FACTS_MAX);
        let blocks = BlockWriter {
            connection: connection.clone(),
            packers: Arc::clone(&parts.packers),
            workers: parts.workers.clone(),
            metrics: Arc::clone(&parts.metrics),
            events,
            pace: parts.pace.clone(),
            clock: Arc::clone(&parts.clock),
            thrift: parts.thrifty.then(Arc::default),
        };
        let core = Sender::new(parts.settings.clone(), ours);
        let partitions = Partitions::new();
        Self {
            parts,
            connection,
            core,
            partitions,
            line,
            inquiries,
            control,
            messages,
            facts,
            fact,
            blocks,
            delivered,
            tasks,
            transport_window: 0,
        }
    }

    /// Serves the target until the connection ends.
    pub(crate) async fn run(mut self, mut stopping: Stopping) -> Ended {
        let mut topics = TopicFeed::new(self.parts.flows.clone(), self.parts.ports.catalog.subscribe());
        let mut groups = GroupFeed::new(self.parts.flows.clone(), Arc::clone(&self.parts.ports.groups));
        let mut news = VecDeque::new();
        let clock = Arc::clone(&self.parts.clock);
        loop {
            let all_said = match self.turn(&mut news) {
                Ok(all_said) => all_said,
                Err(ended) => return ended,
            };
            let deadline = self.core.poll_timeout();
            tokio::select! {
                error = self.connection.closed() => return error.into(),
                () = stopped(&mut stopping) => return Ended::Shutdown,
                message = self.messages.recv() => match message {
                    Some(Ok(message)) => self.tell(Event::Message(message)),
                    Some(Err(ControlError::Wire(error))) => return error.into(),
                    Some(Err(ControlError::Ended)) | None => return self.control_ended().await,
                },
                Some(event) = self.delivered.recv() => self.tell(event),
                Some(fact) = self.facts.recv() => self.take(fact),
                handle = self.partitions.watches.next() => {
                    if let Some(event) = self.partitions.look(handle) {
                        self.tell(event);
                    }
                }
                message = self.line.next() => self.tell(Event::Ownership(message)),
                answer = self.inquiries.next() => {
                    let subscriptions = self.core.subscriptions().collect();
                    let _ = answer.send(SessionView { path: PathView::of(&self.connection), subscriptions });
                }
                () = topics.changed() => topics.news(&mut news),
                group = groups.next() => self.tell_group(&mut groups, group, &mut news),
                Some(_) = self.tasks.join_next() => {}
                () = self.control.room(), if !all_said => {}
                () = deadline::passed(&*clock, deadline) => self.core.handle_timeout(clock.monotonic()),
            }
            self.take_waiting();
        }
    }

    /// Carries out what the core wants. Says whether it has nothing more to say.
    fn turn(&mut self, news: &mut VecDeque<Event>) -> Result<bool, Ended> {
        for event in news.drain(..) {
            self.core.handle(self.parts.clock.monotonic(), event);
        }
        while let Some(command) = self.core.poll_command() {
            self.carry_out(command)?;
        }
        let now = self.parts.clock.monotonic();
        Ok(self.control.fill(|| self.core.poll_control(now))?)
    }

    /// Facts that came meanwhile: one turn for many of them.
    fn take_waiting(&mut self) {
        for _ in 0..FACTS_AT_ONCE {
            if let Ok(event) = self.delivered.try_recv() {
                self.tell(event);
            } else if let Ok(fact) = self.facts.try_recv() {
                self.take(fact);
            } else if let Some(handle) = self.partitions.watches.try_next() {
                if let Some(event) = self.partitions.look(handle) {
                    self.tell(event);
                }
            } else {
                return;
            }
        }
    }

    fn tell(&mut self, event: Event) {
        let finished = matches!(event, Event::Finished { .. });
        self.core.handle(self.parts.clock.monotonic(), event);
        if finished {
            self.tell_window();
        }
    }

    /// The path is estimated anew all the time; a change that matters is told.
    fn tell_window(&mut self) {
        let bytes = self.connection.stats().path.cwnd.saturating_mul(TRANSPORT_FILLS);
        if bytes.abs_diff(self.transport_window) > self.transport_window / 8 {
            self.transport_window = bytes;
            self.core.handle(self.parts.clock.monotonic(), Event::TransportWindow { bytes });
        }
    }

    fn tell_group(&self, groups: &mut GroupFeed, group: GroupNews, news: &mut VecDeque<Event>) {
        groups.tell(group, |key| self.partitions.end_of(key), news);
    }

    fn take(&mut self, fact: Fact) {
        match fact {
            Fact::Core(event) => self.tell(event),
            Fact::Opened { handle, key, last_epoch, result } => {
                let result = result.map(|log| {
                    let epoch_end = last_epoch.and_then(|epoch| log.epoch_end(epoch));
                    SourceView { ends: self.partitions.insert(handle, key, log), epoch_end }
                });
                self.tell(Event::Opened { handle, result });
            }
        }
    }

    fn carry_out(&mut self, command: Command) -> Result<(), Ended> {
        match command {
            Command::Open { handle, topic_id, partition, last_epoch } => {
                let (source, fact) = (Arc::clone(&self.parts.ports.source), self.fact.clone());
                let random = self.parts.random.clone();
                self.tasks.spawn(async move {
                    let result = open(source, topic_id, partition, || random.next()).await;
                    let key = (topic_id, partition);
                    let _ = fact.send(Fact::Opened { handle, key, last_epoch, result }).await;
                });
            }
            Command::Release { handle } => self.partitions.remove(handle),
            Command::Read { read: id, handle, from, until, bytes_max } => {
                let limit = ReadLimit { max_bytes: bytes_max, until, at_least_one: true };
                self.read(id, handle, from, limit);
            }
            Command::Send(block) => {
                self.tasks.spawn(self.blocks.clone().send(block));
            }
            Command::Ownership(message) => self.line.pass_on(message),
            Command::Acked { .. } => {}
            Command::Close(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn read(&mut self, id: ReadId, handle: Handle, from: Offset, limit: ReadLimit) {
        // A handle without a log was released meanwhile; the core has forgotten the read with it.
        let Some(log) = self.partitions.log(handle) else { return };
        let (workers, fact) = (self.parts.workers.clone(), self.fact.clone());
        self.tasks.spawn(async move {
            let result = read(log, from, limit, workers).await;
            let _ = fact.send(Fact::Core(Event::Read { read: id, result })).await;
        });
    }

    /// A peer that goes down closes the connection right after: that reason is the better one.
    async fn control_ended(&self) -> Ended {
        tokio::select! {
            error = self.connection.closed() => error.into(),
            () = tokio::time::sleep(CONTROL_END) => Ended::Control,
        }
    }
}
