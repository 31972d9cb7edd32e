//! The receiving end of a link: decides where to resume, what may be applied, and how much may be under way.
//!
//! ```text
//!   Assigned -> Locate -> Subscribe -> (StartAt) -> blocks -> chain -> Apply -> Durable -> Ack
//!                  ^                                                     |
//!                  +------- a connection lost, a home moved -------------+   no space: the same Apply again, later
//! ```
//!
//! It outlives its connections: what is assigned, why a partition stopped, and how far behind it is stay. An append that
//! was under way when a connection was lost is waited for before the position is asked again.
//!
//! Blocks stay packed until their turn, and at most one append for each partition is under way, so that what waits is
//! bounded by the credit and what is unpacked by [`ReceiverSettings::applies_bytes_max`].

mod chain;
mod connection;
mod counters;
mod course;
mod event;
mod flow;
mod lag;
mod outbox;
mod partition;

pub use counters::{Counters, Refused};
pub use event::{
    Apply, ApplyFailure, Command, Event, LocalPosition, Mode, PartitionKey, PartitionState, PartitionView,
    Stall,
};

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    time::Duration,
};

use protocol::{TopicId, TopicName};

use self::{connection::Connection, flow::Applying, outbox::Outbox, partition::Partition};
use super::{
    ApplyId, Handle,
    block::HEADER_SIZE,
    limits::{BLOCK_BYTES_MAX, ReceiverSettings, wire_bytes_of_batch},
    sender::{LinkError, check_hello, micros},
    wire::{Hello, ToSource, ToTarget},
};
use crate::stop::StopReason;

/// The receiver of a link; lives on over connections.
#[derive(Debug)]
pub struct Receiver {
    settings: ReceiverSettings,
    commands: VecDeque<Command>,
    outbox: Outbox,
    hello: Option<Hello>,
    connection: Option<Connection>,
    partitions: BTreeMap<PartitionKey, Partition>,
    /// What the source's topics were when it last named them.
    topic_ids: HashMap<TopicName, TopicId>,
    /// Of the subscriptions of this connection.
    handles: BTreeMap<Handle, PartitionKey>,
    /// Partitions with blocks to apply, by turns.
    ready: VecDeque<PartitionKey>,
    /// Partitions with blocks that lack a predecessor.
    waiting: BTreeSet<PartitionKey>,
    applies: BTreeMap<ApplyId, Applying>,
    applying: BTreeSet<PartitionKey>,
    /// Partitions whose log is being given its first offset.
    starting: BTreeSet<PartitionKey>,
    next_apply: u64,
    unpacked_under_way: usize,
    retries: BTreeSet<(Duration, PartitionKey)>,
    /// Partitions whose state may have changed.
    touched: BTreeSet<PartitionKey>,
    counters: Counters,
    round_trip: Option<Duration>,
}

impl Receiver {
    pub fn new(mut settings: ReceiverSettings) -> Self {
        // Less would stop the sender for good: it reads for a whole block, and back-fill leaves room for a live one.
        let least = (2 * (BLOCK_BYTES_MAX + HEADER_SIZE)) as u64;
        let least = least.max(wire_bytes_of_batch(settings.batch_bytes_max));
        settings.credit_window = settings.credit_window.max(least);
        Self {
            settings,
            commands: VecDeque::new(),
            outbox: Outbox::default(),
            hello: None,
            connection: None,
            partitions: BTreeMap::new(),
            topic_ids: HashMap::new(),
            handles: BTreeMap::new(),
            ready: VecDeque::new(),
            waiting: BTreeSet::new(),
            applies: BTreeMap::new(),
            applying: BTreeSet::new(),
            starting: BTreeSet::new(),
            next_apply: 0,
            unpacked_under_way: 0,
            retries: BTreeSet::new(),
            touched: BTreeSet::new(),
            counters: Counters::default(),
            round_trip: None,
        }
    }

    /// `now` is the time since a fixed moment, by a clock that never goes back.
    pub fn handle(&mut self, now: Duration, event: Event) {
        match event {
            Event::Connected { hello } => self.handle_connected(now, hello),
            Event::Disconnected => self.handle_disconnected(),
            Event::Message(message) => self.handle_message(now, message),
            Event::Block(block) => self.handle_block(now, block),
            Event::Assigned { key, name, generation, mode } => {
                self.handle_assigned(now, key, name, generation, mode);
            }
            Event::Revoked { key } => self.handle_revoked(now, key),
            Event::Resume { key } => self.handle_resume(key),
            Event::Located { key, result } => self.handle_located(now, key, result),
            Event::Started { key, result } => self.handle_started(now, key, result),
            Event::Applied { apply, end, result } => self.handle_applied(now, apply, end, result),
            Event::Durable { key, end } => self.handle_durable(now, key, end),
            Event::StartAdvanced { key, to, result } => self.handle_start_advanced(now, key, to, result),
            Event::Ownership(message) => self.outbox.messages.push_back(ToSource::Ownership(message)),
        }
        self.apply_ready();
        self.tell_changes();
    }

    pub fn handle_timeout(&mut self, now: Duration) {
        self.outbox.flush(now);
        if let Some(connection) = self.connection.as_mut().filter(|connection| connection.peer.is_some())
            && connection.next_ping <= now
        {
            connection.next_ping = now + self.settings.ping_interval;
            self.outbox.messages.push_back(ToSource::Ping { clock: micros(now) });
        }
        while let Some((at, key)) = self.retries.first().copied()
            && at <= now
        {
            self.retries.remove(&(at, key));
            self.retry(now, key);
        }
        self.apply_ready();
        self.tell_changes();
    }

    /// What is to be done next.
    pub fn poll_command(&mut self) -> Option<Command> {
        self.commands.pop_front()
    }

    /// What is to be written next to the control stream. Ask only when it can take more: what waits here is merged.
    pub fn poll_control(&mut self) -> Option<ToSource> {
        let connection = self.connection.as_mut()?;
        if let Some(hello) = self.hello.take() {
            return Some(ToSource::Hello(hello));
        }
        connection.peer.as_ref()?;
        let credit = &mut connection.credit;
        if credit.is_urgent() || self.outbox.is_flushing() && credit.pending() > 0 {
            return Some(ToSource::Credit { total_bytes: credit.grant() });
        }
        if let Some(message) = self.outbox.messages.pop_front() {
            return Some(message);
        }
        while let Some(handle) = self.outbox.take_ack() {
            if let Some((_, partition)) = self.by_handle(handle) {
                return Some(ToSource::Ack { handle, durable_end: partition.durable_end });
            }
        }
        None
    }

    /// When to call [`Self::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Duration> {
        let ping = self.connection.as_ref().filter(|connection| connection.peer.is_some());
        let times = [
            self.outbox.due(),
            self.retries.first().map(|(at, _)| *at),
            ping.map(|connection| connection.next_ping),
        ];
        times.into_iter().flatten().min()
    }

    pub fn partitions(&self, now: Duration) -> impl Iterator<Item = PartitionView> {
        self.partitions.values().map(move |partition| partition.view(now))
    }

    pub fn partition(&self, now: Duration, key: PartitionKey) -> Option<PartitionView> {
        self.partitions.get(&key).map(|partition| partition.view(now))
    }

    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Of the control stream, as last measured.
    pub fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// Wire bytes that have come and are neither applied nor dropped.
    pub fn unapplied_bytes(&self) -> u64 {
        self.connection.as_ref().map_or(0, |connection| connection.credit.unapplied())
    }

    /// Who is at the other end, once it has said so.
    pub fn peer(&self) -> Option<&Hello> {
        self.connection.as_ref()?.peer.as_ref()
    }

    fn handle_connected(&mut self, now: Duration, hello: Hello) {
        self.handle_disconnected();
        self.counters.connections += 1;
        self.connection = Some(Connection::new(&hello, self.settings.credit_window, now));
        self.hello = Some(hello);
    }

    /// Blocks that wait are dropped: they come again.
    fn handle_disconnected(&mut self) {
        self.connection = None;
        self.hello = None;
        self.round_trip = None;
        self.outbox = Outbox::default();
        self.handles.clear();
        self.ready.clear();
        self.waiting.clear();
        self.retries.clear();
        self.partitions.values_mut().for_each(|partition| partition.subscription = None);
        self.touched.extend(self.partitions.keys());
    }

    fn handle_message(&mut self, now: Duration, message: ToTarget) {
        let Some(connection) = &mut self.connection else { return };
        if connection.peer.is_none() && !matches!(message, ToTarget::Hello(_)) {
            return self.close(LinkError::Hello);
        }
        match message {
            ToTarget::Hello(hello) => self.handle_hello(hello),
            ToTarget::Topic(topic) => self.handle_topic(now, topic),
            ToTarget::TopicGone { id } => self.handle_topic_gone(now, id),
            ToTarget::CatalogComplete => self.commands.push_back(Command::CatalogComplete),
            ToTarget::Subscribed(subscribed) => self.handle_subscribed(now, subscribed),
            ToTarget::Refused { handle, reason } => self.handle_refused(now, handle, reason),
            ToTarget::Watermark(watermark) => self.handle_watermark(now, watermark),
            ToTarget::GroupOffset(offset) => self.commands.push_back(Command::GroupOffset(offset)),
            ToTarget::GroupGone(gone) => self.commands.push_back(Command::GroupGone(gone)),
            ToTarget::GroupsComplete => self.commands.push_back(Command::GroupsComplete),
            ToTarget::Ownership(message) => self.commands.push_back(Command::Ownership(message)),
            ToTarget::Pong { clock, .. } => {
                self.round_trip = Some(Duration::from_micros(micros(now).saturating_sub(clock)));
            }
        }
    }

    /// The other end is there: whatever stopped by its not being ready is tried again.
    fn handle_hello(&mut self, hello: Hello) {
        let Some(connection) = &mut self.connection else { return };
        if connection.peer.is_some() {
            return self.close(LinkError::Hello);
        }
        if let Err(error) = check_hello(&connection.link, &connection.topology, &hello) {
            return self.close(error);
        }
        connection.peer = Some(hello);
        for partition in self.partitions.values_mut() {
            let passes = matches!(
                partition.stopped,
                Some(
                    StopReason::UnknownTopic
                        | StopReason::LowerGeneration { .. }
                        | StopReason::SourceOffline { .. }
                )
            );
            if passes {
                partition.stopped = None;
            }
        }
        self.touched.extend(self.partitions.keys());
        let keys: Vec<PartitionKey> = self.partitions.keys().copied().collect();
        keys.into_iter().for_each(|key| self.begin(key));
    }

    fn tell_changes(&mut self) {
        while let Some(key) = self.touched.pop_first() {
            let Some(partition) = self.partitions.get_mut(&key) else { continue };
            let state = partition.state();
            if state != partition.told {
                partition.told = state.clone();
                self.commands.push_back(Command::Changed { key, state });
            }
        }
    }

    fn close(&mut self, error: LinkError) {
        self.handle_disconnected();
        self.commands.push_back(Command::Close(error));
    }
}

#[cfg(test)]
mod tests;
