//! The sending end of a connection: decides what is read, and which block goes next.
//!
//! A subscription is checked against the source's log ([`Command::Open`]), then its partition takes turns: the schedule
//! picks it when credit and transport have room for a block, one read is under way for it at a time, and what the read
//! gave becomes a block. Bytes are charged before the read, so that whatever was read can go at once; only a batch that
//! is larger than a block waits until its credit is there, and while it does nothing else is read, so that it comes to
//! its turn.
//!
//! The sender keeps nothing of what it sent. After a lost connection the receiver says where it stands.

mod budget;
mod event;
mod flow;
mod outbox;
mod schedule;
mod subscribe;
mod subscription;
mod units;

pub use event::{
    Class, Command, Event, LinkError, ReadBatches, ReadFailure, SourceEnds, SourceView, SubscriptionView,
};

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use protocol::TopicId;

use self::{
    budget::Budget, flow::Flow, outbox::Outbox, schedule::Schedule, schedule::WEIGHT_MAX,
    subscription::Subscription,
};
use super::{
    Handle,
    limits::SenderSettings,
    wire::{Hello, Subscribe, ToSource, ToTarget, Topic, VERSION, Watermark},
};
use crate::stop::StopReason;

/// The sender of one connection; a new connection gets a new one.
#[derive(Debug)]
pub struct Sender {
    settings: SenderSettings,
    commands: VecDeque<Command>,
    outbox: Outbox,
    hello: Option<Hello>,
    /// The name of our link, which the other side must know it by.
    link: String,
    topology: String,
    peer: Option<Hello>,
    catalog: BTreeMap<TopicId, Topic>,
    catalog_complete: bool,
    /// Wait for the catalog.
    early: Vec<Subscribe>,
    last_handle: Option<Handle>,
    subscriptions: BTreeMap<Handle, Subscription>,
    weights: BTreeMap<TopicId, u32>,
    budget: Budget,
    schedule: Schedule,
    flow: Flow,
    /// When a partition's ends are to be told if no block does.
    untold: BTreeSet<(Duration, Handle)>,
    closed: bool,
}

impl Sender {
    pub fn new(settings: SenderSettings, hello: Hello) -> Self {
        Self {
            schedule: Schedule::new(settings.backfill_every),
            settings,
            commands: VecDeque::new(),
            outbox: Outbox::default(),
            link: hello.link.clone(),
            topology: hello.topology.clone(),
            hello: Some(hello),
            peer: None,
            catalog: BTreeMap::new(),
            catalog_complete: false,
            early: Vec::new(),
            last_handle: None,
            subscriptions: BTreeMap::new(),
            weights: BTreeMap::new(),
            budget: Budget::default(),
            flow: Flow::default(),
            untold: BTreeSet::new(),
            closed: false,
        }
    }

    /// `now` is the time since a fixed moment, by a clock that never goes back.
    pub fn handle(&mut self, now: Duration, event: Event) {
        if self.closed {
            return;
        }
        match event {
            Event::Message(message) => self.handle_message(now, message),
            Event::Opened { handle, result } => self.handle_opened(handle, result),
            Event::Ends { handle, ends } => self.handle_ends(now, handle, ends),
            Event::Read { read, result } => self.handle_read(now, read, result),
            Event::Packed { number, wire_bytes } => self.handle_packed(number, wire_bytes),
            Event::Finished { number } => self.handle_finished(number),
            Event::TransportWindow { bytes } => self.budget.set_transport_window(bytes),
            Event::Topic(topic) => self.handle_topic(topic),
            Event::TopicGone { id } => self.handle_topic_gone(id),
            Event::CatalogComplete => self.handle_catalog_complete(),
            Event::GroupOffset(offset) => self.outbox.group_offset(offset),
            Event::GroupGone(gone) => self.outbox.group_gone(gone),
            Event::GroupsComplete => self.outbox.groups_complete(),
            Event::Ownership(message) => self.outbox.answer(ToTarget::Ownership(message)),
            Event::Weight { topic_id, weight } => {
                self.weights.insert(topic_id, weight.clamp(1, WEIGHT_MAX));
            }
        }
        self.send_and_read(now);
    }

    pub fn handle_timeout(&mut self, now: Duration) {
        while let Some((at, handle)) = self.untold.first().copied()
            && at <= now
        {
            self.untold.remove(&(at, handle));
            let open = self.subscriptions.get(&handle).and_then(|subscription| subscription.open.as_ref());
            match open.and_then(|open| open.untold_since) {
                Some(since) if since + self.settings.watermark_delay <= now => {
                    self.outbox.watermarks.insert(handle);
                }
                Some(since) => {
                    self.untold.insert((since + self.settings.watermark_delay, handle));
                }
                None => {}
            }
        }
    }

    /// What is to be done next.
    pub fn poll_command(&mut self) -> Option<Command> {
        self.commands.pop_front()
    }

    /// What is to be written next to the control stream. Ask only when it can take more: what waits here is merged.
    pub fn poll_control(&mut self, now: Duration) -> Option<ToTarget> {
        if let Some(hello) = self.hello.take() {
            return Some(ToTarget::Hello(hello));
        }
        self.outbox.take().or_else(|| self.take_watermark(now)).or_else(|| self.outbox.take_group())
    }

    /// When to call [`Self::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.untold.first().map(|(at, _)| *at)
    }

    pub fn subscriptions(&self) -> impl Iterator<Item = SubscriptionView> {
        self.subscriptions.values().filter_map(Subscription::view)
    }

    /// Who is at the other end, once it has said so.
    pub fn peer(&self) -> Option<&Hello> {
        self.peer.as_ref()
    }

    fn handle_message(&mut self, now: Duration, message: ToSource) {
        if self.peer.is_none() && !matches!(message, ToSource::Hello(_)) {
            return self.close(LinkError::Hello);
        }
        match message {
            ToSource::Hello(hello) => self.handle_hello(hello),
            ToSource::Subscribe(subscribe) => self.handle_subscribe(subscribe),
            ToSource::Unsubscribe(unsubscribe) => self.release(unsubscribe.handle),
            ToSource::Ack { handle, durable_end } => self.handle_ack(handle, durable_end),
            ToSource::Credit { total_bytes } => self.handle_credit(total_bytes),
            ToSource::Ownership(message) => self.commands.push_back(Command::Ownership(message)),
            ToSource::Ping { clock } => {
                self.outbox.answer(ToTarget::Pong { clock, source_clock: micros(now) });
            }
        }
    }

    fn handle_hello(&mut self, hello: Hello) {
        if self.peer.is_some() {
            return self.close(LinkError::Hello);
        }
        match check_hello(&self.link, &self.topology, &hello) {
            Ok(()) => self.peer = Some(hello),
            Err(error) => self.close(error),
        }
    }

    fn take_watermark(&mut self, now: Duration) -> Option<ToTarget> {
        while let Some(handle) = self.outbox.watermarks.pop_first() {
            let open =
                self.subscriptions.get_mut(&handle).and_then(|subscription| subscription.open.as_mut());
            if let Some(open) = open
                && open.untold_since.is_some()
            {
                let SourceEnds { log_start, end } = open.ends;
                open.note_told(open.ends);
                return Some(ToTarget::Watermark(Watermark { handle, log_start, end, clock: micros(now) }));
            }
        }
        None
    }

    /// Ends a subscription, and says why.
    fn refuse(&mut self, handle: Handle, reason: StopReason) {
        self.release(handle);
        self.outbox.answer(ToTarget::Refused { handle, reason });
    }

    /// Forgets a subscription. What is on its way still counts until it is gone.
    fn release(&mut self, handle: Handle) {
        self.early.retain(|subscribe| subscribe.handle != handle);
        if self.subscriptions.remove(&handle).is_some() {
            self.schedule.remove(handle);
            let dropped = self.flow.forget(handle);
            self.budget.refund_credit(dropped);
            self.commands.push_back(Command::Release { handle });
        }
    }

    fn close(&mut self, error: LinkError) {
        self.closed = true;
        self.commands.clear();
        self.commands.push_back(Command::Close(error));
    }
}

/// Whether the other side may carry our link.
pub(in crate::link) fn check_hello(link: &str, topology: &str, hello: &Hello) -> Result<(), LinkError> {
    if hello.version != VERSION {
        return Err(LinkError::Version(hello.version));
    }
    if hello.topology != topology {
        let (expected, found) = (topology.to_owned(), hello.topology.clone());
        return Err(LinkError::OtherTopology { expected, found });
    }
    if hello.link != link {
        return Err(LinkError::OtherLink { expected: link.to_owned(), found: hello.link.clone() });
    }
    Ok(())
}

/// A clock on the wire.
pub(in crate::link) fn micros(now: Duration) -> u64 {
    u64::try_from(now.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
