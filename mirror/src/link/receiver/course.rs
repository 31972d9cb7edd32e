//! From an assignment to records that flow, and what ends that.

use std::{ops::RangeInclusive, time::Duration};

use protocol::{Offset, PartitionId, TopicId, TopicName};

use super::{
    ApplyFailure, Command, LocalPosition, Mode, PartitionKey, Receiver, Stall,
    partition::{Partition, Retry, Stage, Subscription},
};
use crate::{
    link::{
        Handle,
        receiver::chain::Chain,
        wire::{Subscribe, Subscribed, ToSource, Topic, Unsubscribe, Watermark},
    },
    ownership::HomeGeneration,
    stop::StopReason,
};

impl Receiver {
    pub(super) fn handle_assigned(
        &mut self,
        now: Duration,
        key: PartitionKey,
        name: TopicName,
        generation: HomeGeneration,
        mode: Mode,
    ) {
        self.topic_ids.entry(name.detached()).or_insert(key.topic_id);
        match self.partitions.get_mut(&key) {
            // An older assignment that comes late changes nothing.
            Some(partition) if generation <= partition.generation => {}
            Some(partition) => {
                partition.generation = generation;
                partition.mode = mode;
                if matches!(partition.stopped, Some(StopReason::LowerGeneration { .. })) {
                    partition.stopped = None;
                }
                self.unsubscribe(now, key, None);
            }
            None => {
                self.partitions.insert(key, Partition::new(key, mode, generation));
            }
        }
        self.begin(key);
    }

    pub(super) fn handle_revoked(&mut self, now: Duration, key: PartitionKey) {
        self.unsubscribe(now, key, None);
        self.partitions.remove(&key);
    }

    pub(super) fn handle_resume(&mut self, key: PartitionKey) {
        if let Some(partition) = self.partitions.get_mut(&key) {
            partition.stopped = None;
        }
        self.begin(key);
    }

    /// Asks where the partition stands, if it is to flow and nothing is under way that may still change it.
    pub(super) fn begin(&mut self, key: PartitionKey) {
        self.touched.insert(key);
        let connected = self.connection.as_ref().is_some_and(|connection| connection.peer.is_some());
        if !connected || self.applying.contains(&key) || self.starting.contains(&key) {
            return;
        }
        let Some(partition) = self.partitions.get_mut(&key) else { return };
        let may = partition.stopped.is_none() && partition.subscription.is_none() && !partition.locating;
        if may {
            partition.locating = true;
            self.commands.push_back(Command::Locate { key, mode: partition.mode });
        }
    }

    pub(super) fn handle_located(
        &mut self,
        now: Duration,
        key: PartitionKey,
        result: Result<LocalPosition, StopReason>,
    ) {
        let Some(partition) = self.partitions.get_mut(&key) else { return };
        if !std::mem::take(&mut partition.locating) || partition.stopped.is_some() {
            return;
        }
        let position = match result {
            Ok(position) => position,
            Err(reason) => return self.stop(now, key, reason),
        };
        partition.locate(position);
        let Some(connection) = self.connection.as_mut().filter(|connection| connection.peer.is_some()) else {
            return;
        };
        let handle = connection.take_handle();
        let LocalPosition { next_offset, last_epoch, fresh, .. } = position;
        partition.subscription = Some(Subscription {
            handle,
            asked_offset: next_offset,
            fresh,
            stage: Stage::Asked,
            compacted: false,
            chain: Chain::default(),
            queued: false,
            retry: None,
        });
        self.handles.insert(handle, key);
        let PartitionKey { topic_id, partition: id } = key;
        let generation = partition.generation;
        self.outbox.messages.push_back(ToSource::Subscribe(Subscribe {
            handle,
            topic_id,
            partition: id,
            next_offset,
            last_epoch,
            generation,
            fresh,
        }));
    }

    pub(super) fn handle_subscribed(&mut self, now: Duration, subscribed: Subscribed) {
        let Subscribed { handle, start_offset, log_start, end, compacted } = subscribed;
        let Some((key, partition)) = self.by_handle(handle) else { return };
        let Some(subscription) = &mut partition.subscription else { return };
        if subscription.stage != Stage::Asked {
            return;
        }
        let expected = subscription.asked_offset;
        let fits = if subscription.fresh { start_offset >= expected } else { start_offset == expected };
        if !fits {
            return self.stop(now, key, StopReason::BrokenChain { expected, found: start_offset });
        }
        subscription.compacted = compacted;
        let dropped = subscription.chain.start(start_offset);
        let begins_later = start_offset > expected;
        partition.source_log_start = log_start;
        partition.lag.hear(now, end);
        subscription.stage = Stage::Flowing { target: end };
        if begins_later {
            match partition.mode {
                Mode::Replica => subscription.stage = Stage::StartingAt(end),
                Mode::Merged => partition.applied_end = start_offset,
            }
        }
        self.refuse_overlapping(now, dropped);
        if begins_later && self.mode(key) == Some(Mode::Replica) {
            self.starting.insert(key);
            self.commands.push_back(Command::StartAt { key, offset: start_offset });
        } else {
            self.follow(now, key);
        }
    }

    pub(super) fn handle_started(
        &mut self,
        now: Duration,
        key: PartitionKey,
        result: Result<(), ApplyFailure>,
    ) {
        self.starting.remove(&key);
        self.touched.insert(key);
        let Some(partition) = self.partitions.get_mut(&key) else { return };
        let Some(subscription) = &mut partition.subscription else { return self.begin(key) };
        let Stage::StartingAt(target) = subscription.stage else { return };
        match result {
            Ok(()) => {
                subscription.stage = Stage::Flowing { target };
                subscription.retry = None;
                let start = subscription.chain.start_offset();
                partition.applied_end = start;
                partition.log_start = start;
                partition.note_durable(start);
                self.follow(now, key);
            }
            Err(ApplyFailure::Wait(why)) => self.retry_later(now, key, why),
            Err(ApplyFailure::Stop(reason)) => self.stop(now, key, reason),
        }
    }

    pub(super) fn handle_refused(&mut self, now: Duration, handle: Handle, reason: StopReason) {
        if let Some((key, _)) = self.by_handle(handle) {
            self.stop_unsaid(now, key, reason);
        }
    }

    pub(super) fn handle_watermark(&mut self, now: Duration, watermark: Watermark) {
        let Watermark { handle, log_start, end, .. } = watermark;
        let Some((key, partition)) = self.by_handle(handle) else { return };
        partition.lag.hear(now, end);
        partition.source_log_start = partition.source_log_start.max(log_start);
        self.advance_start(key);
    }

    /// The catalog shows deleted topics under a new identity, gaps that may be, and homes that have been heard of.
    pub(super) fn handle_topic(&mut self, now: Duration, topic: Topic) {
        let before = self.topic_ids.insert(topic.name.detached(), topic.id);
        let mut retried = Vec::new();
        for (key, partition) in self.partitions.range_mut(partitions_of(topic.id)) {
            if let Some(subscription) = &mut partition.subscription {
                subscription.compacted = topic.compacted;
            }
            let cured = match &partition.stopped {
                Some(StopReason::UnknownTopic) => true,
                Some(StopReason::LowerGeneration { .. }) => partition.generation == topic.generation,
                Some(_) | None => false,
            };
            if cured {
                partition.stopped = None;
                retried.push(*key);
            }
        }
        if let Some(before) = before.filter(|before| *before != topic.id) {
            for key in self.keys_of(before) {
                self.stop(now, key, StopReason::SourceIdChanged { found: topic.id });
            }
        }
        retried.into_iter().for_each(|key| self.begin(key));
        self.commands.push_back(Command::Topic(topic));
    }

    pub(super) fn handle_topic_gone(&mut self, now: Duration, id: TopicId) {
        for key in self.keys_of(id) {
            let stopped = self.partitions.get(&key).and_then(|partition| partition.stopped.as_ref());
            // That another topic has the name says more.
            if !matches!(stopped, Some(StopReason::SourceIdChanged { .. })) {
                self.stop(now, key, StopReason::TopicGone);
            }
        }
        self.commands.push_back(Command::TopicGone { id });
    }

    pub(super) fn handle_start_advanced(
        &mut self,
        now: Duration,
        key: PartitionKey,
        to: Offset,
        result: Result<(), ApplyFailure>,
    ) {
        let Some(partition) = self.partitions.get_mut(&key) else { return };
        partition.advancing = false;
        match result {
            Ok(()) => {
                partition.log_start = partition.log_start.max(to);
                self.advance_start(key);
            }
            // The next watermark or apply asks again.
            Err(ApplyFailure::Wait(_)) => {}
            Err(ApplyFailure::Stop(reason)) => self.stop(now, key, reason),
        }
    }

    pub(super) fn advance_start(&mut self, key: PartitionKey) {
        let Some(partition) = self.partitions.get_mut(&key) else { return };
        if let Some(to) = partition.next_log_start() {
            partition.advancing = true;
            self.commands.push_back(Command::AdvanceStart { key, to });
        }
    }

    /// The target does not take it now: waits longer each time, and goes on by itself.
    pub(super) fn retry_later(&mut self, now: Duration, key: PartitionKey, why: Stall) {
        self.touched.insert(key);
        let (min, max) = (self.settings.retry_delay_min, self.settings.retry_delay_max);
        let Some(partition) = self.partitions.get_mut(&key) else { return };
        let Some(subscription) = &mut partition.subscription else { return };
        let delay = subscription.retry.map_or(min, |retry| (retry.delay * 2).min(max));
        subscription.retry = Some(Retry { at: now + delay, why, delay, trying: false });
        self.retries.insert((now + delay, key));
    }

    pub(super) fn retry(&mut self, now: Duration, key: PartitionKey) {
        let Some(partition) = self.partitions.get_mut(&key) else { return };
        let Some(subscription) = &mut partition.subscription else { return };
        let Some(retry) = &mut subscription.retry else { return };
        if retry.trying || retry.at > now {
            return;
        }
        retry.trying = true;
        self.counters.apply_retries += 1;
        if let Stage::StartingAt(_) = subscription.stage {
            let offset = subscription.chain.start_offset();
            self.starting.insert(key);
            self.commands.push_back(Command::StartAt { key, offset });
        } else {
            self.follow(now, key);
        }
    }

    /// Stops a partition, and tells the source not to send more.
    pub(super) fn stop(&mut self, now: Duration, key: PartitionKey, reason: StopReason) {
        self.unsubscribe(now, key, Some(&reason));
        self.note_stopped(key, reason);
    }

    /// Stops a partition for a reason that the source gave.
    fn stop_unsaid(&mut self, now: Duration, key: PartitionKey, reason: StopReason) {
        self.drop_subscription(now, key);
        self.note_stopped(key, reason);
    }

    fn note_stopped(&mut self, key: PartitionKey, reason: StopReason) {
        self.touched.insert(key);
        if let Some(partition) = self.partitions.get_mut(&key) {
            partition.stopped = Some(reason);
            self.counters.stops += 1;
        }
    }

    fn unsubscribe(&mut self, now: Duration, key: PartitionKey, reason: Option<&StopReason>) {
        if let Some(handle) = self.drop_subscription(now, key) {
            let unsubscribe = Unsubscribe { handle, reason: reason.cloned() };
            self.outbox.messages.push_back(ToSource::Unsubscribe(unsubscribe));
        }
    }

    /// Drops all that waits for a partition; its credit goes back.
    fn drop_subscription(&mut self, now: Duration, key: PartitionKey) -> Option<Handle> {
        let subscription = self.partitions.get_mut(&key)?.subscription.take()?;
        self.touched.insert(key);
        self.handles.remove(&subscription.handle);
        self.ready.retain(|other| *other != key);
        self.consume(now, subscription.chain.wire_bytes());
        Some(subscription.handle)
    }

    pub(super) fn by_handle(&mut self, handle: Handle) -> Option<(PartitionKey, &mut Partition)> {
        let key = *self.handles.get(&handle)?;
        self.touched.insert(key);
        Some((key, self.partitions.get_mut(&key)?))
    }

    fn keys_of(&self, topic: TopicId) -> Vec<PartitionKey> {
        self.partitions.range(partitions_of(topic)).map(|(key, _)| *key).collect()
    }

    fn mode(&self, key: PartitionKey) -> Option<Mode> {
        self.partitions.get(&key).map(|partition| partition.mode)
    }
}

fn partitions_of(topic_id: TopicId) -> RangeInclusive<PartitionKey> {
    let key = |partition| PartitionKey { topic_id, partition: PartitionId(partition) };
    key(i32::MIN)..=key(i32::MAX)
}
