//! From a wish to a partition that flows, and what ends it.

use std::time::Duration;

use protocol::{Offset, TopicId};

use super::{
    Command, LinkError, Sender, SourceEnds, SourceView,
    subscription::{Open, Subscription, Turn, check},
};
use crate::{
    link::{
        Handle,
        wire::{Subscribe, Subscribed, ToTarget, Topic},
    },
    ownership::HomeGeneration,
    stop::StopReason,
};

/// A node's partitions are thousands, not millions.
const SUBSCRIPTIONS_MAX: usize = 200_000;

impl Sender {
    pub(super) fn handle_subscribe(&mut self, asked: Subscribe) {
        let Subscribe { handle, topic_id, partition, last_epoch, generation, .. } = asked;
        if self.last_handle.is_some_and(|last| handle <= last) {
            return self.close(LinkError::HandleReused(handle));
        }
        self.last_handle = Some(handle);
        if self.subscriptions.len() + self.early.len() >= SUBSCRIPTIONS_MAX {
            return self.close(LinkError::TooManySubscriptions(SUBSCRIPTIONS_MAX));
        }
        if !self.catalog_complete {
            return self.early.push(asked);
        }
        let known = self.catalog.get(&topic_id).filter(|topic| {
            usize::try_from(partition.0).is_ok_and(|partition| partition < topic.leader_epochs.len())
        });
        let Some(topic) = known else {
            return self.outbox.answer(ToTarget::Refused { handle, reason: StopReason::UnknownTopic });
        };
        if let Err(reason) = check_generation(generation, topic.generation) {
            return self.outbox.answer(ToTarget::Refused { handle, reason });
        }
        self.subscriptions.insert(handle, Subscription { asked, open: None });
        self.commands.push_back(Command::Open { handle, topic_id, partition, last_epoch });
    }

    pub(super) fn handle_opened(&mut self, handle: Handle, result: Result<SourceView, StopReason>) {
        let Some(subscription) = self.subscriptions.get_mut(&handle) else { return };
        let asked = &subscription.asked;
        let topic = self.catalog.get(&asked.topic_id);
        let compacted = topic.is_some_and(|topic| topic.compacted);
        let epochs = topic.map_or(&[][..], |topic| &topic.leader_epochs);
        let current = usize::try_from(asked.partition.0).ok().and_then(|at| epochs.get(at)).copied();
        let checked = result.and_then(|view| check(asked, &view, current).map(|start| (start, view.ends)));
        match checked {
            Err(reason) => self.refuse(handle, reason),
            Ok((start_offset, ends)) => {
                subscription.open = Some(Open::new(start_offset, ends, compacted));
                let SourceEnds { log_start, end } = ends;
                self.outbox.answer(ToTarget::Subscribed(Subscribed {
                    handle,
                    start_offset,
                    log_start,
                    end,
                    compacted,
                }));
                self.queue(handle);
            }
        }
    }

    pub(super) fn handle_ends(&mut self, now: Duration, handle: Handle, ends: SourceEnds) {
        let delay = self.settings.watermark_delay;
        let Some(open) = self.open_mut(handle) else { return };
        let position = open.position;
        if ends.end < position {
            return self.refuse(handle, StopReason::SourceRewound { position, source_end: ends.end });
        }
        if ends.log_start > position {
            return self.refuse(handle, StopReason::SourceTrimmed { from: position, until: ends.log_start });
        }
        let more = ends.end > open.ends.end;
        open.ends = ends;
        if open.told != ends && open.untold_since.is_none() {
            open.untold_since = Some(now);
            self.untold.insert((now + delay, handle));
        }
        if more {
            self.queue(handle);
        }
    }

    pub(super) fn handle_ack(&mut self, handle: Handle, durable_end: Offset) {
        let Some(open) = self.open_mut(handle) else { return };
        if !open.note_acked(durable_end) {
            return;
        }
        let (acked, held) = (open.acked, open.turn == Turn::Held);
        if let Some(subscription) = self.subscriptions.get(&handle) {
            let Subscribe { topic_id, partition, .. } = subscription.asked;
            self.commands.push_back(Command::Acked { handle, topic_id, partition, durable_end: acked });
        }
        if held {
            self.flow.held.remove(&handle);
            self.queue(handle);
        }
    }

    pub(super) fn handle_credit(&mut self, total_bytes: u64) {
        if let Err((before, now)) = self.budget.grant(total_bytes) {
            return self.close(LinkError::CreditRevoked { before, now });
        }
        while let Some(handle) = self.flow.held.pop_first() {
            self.queue(handle);
        }
    }

    /// What the topic's home, its gaps and its name say about who reads it.
    pub(super) fn handle_topic(&mut self, topic: Topic) {
        let (id, generation, compacted) = (topic.id, topic.generation, topic.compacted);
        self.catalog.insert(id, topic.clone());
        self.outbox.topic(topic);
        let mut stale = Vec::new();
        for (handle, subscription) in &mut self.subscriptions {
            if subscription.asked.topic_id != id {
                continue;
            }
            if let Some(open) = &mut subscription.open {
                open.compacted = compacted;
            }
            if let Err(reason) = check_generation(subscription.asked.generation, generation) {
                stale.push((*handle, reason));
            }
        }
        stale.into_iter().for_each(|(handle, reason)| self.refuse(handle, reason));
    }

    pub(super) fn handle_topic_gone(&mut self, id: TopicId) {
        if self.catalog.remove(&id).is_none() {
            return;
        }
        self.outbox.topic_gone(id);
        let orphans: Vec<Handle> = (self.subscriptions.iter())
            .filter(|(_, subscription)| subscription.asked.topic_id == id)
            .map(|(handle, _)| *handle)
            .collect();
        orphans.into_iter().for_each(|handle| self.refuse(handle, StopReason::TopicGone));
    }

    pub(super) fn handle_catalog_complete(&mut self) {
        self.catalog_complete = true;
        self.outbox.catalog_complete();
        self.last_handle = None;
        let early = std::mem::take(&mut self.early);
        early.into_iter().for_each(|asked| self.handle_subscribe(asked));
    }

    pub(super) fn open_mut(&mut self, handle: Handle) -> Option<&mut Open> {
        self.subscriptions.get_mut(&handle)?.open.as_mut()
    }
}

/// Records flow only between two sides that know the same home: the one that is behind must hear of it first.
fn check_generation(target: HomeGeneration, source: HomeGeneration) -> Result<(), StopReason> {
    if target == source {
        return Ok(());
    }
    Err(StopReason::LowerGeneration { given: target.min(source), known: target.max(source) })
}
