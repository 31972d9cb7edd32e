//! OffsetDelete, DeleteGroups, and the offsets of topics that are gone: tombstones first, then forgetting.

use protocol::{ErrorCode, PartitionId, TopicName, codec::EncodeError};

use super::{
    Answer, Command, Group, GroupEvent, Now, OffsetRemoved, Removal, State, Ticket,
    writes::{DeletionAnswer, OffsetKey, Pending, WriteFailure},
};
use crate::{coordinator::group::records, record_log::KeyValue};

/// Tombstones that are being written.
#[derive(Debug)]
pub(super) struct PendingDeletion {
    pub(super) keys: Vec<OffsetKey>,
    /// The group itself goes too.
    pub(super) group: bool,
    pub(super) why: Removal,
    pub(super) answer: DeletionAnswer,
}

impl Group {
    pub(super) fn on_delete_offsets(
        &mut self,
        now: Now,
        ticket: Ticket,
        partitions: Vec<(TopicName, PartitionId)>,
        out: &mut Vec<Command>,
    ) {
        if let Err(error) = self.check_delete_offsets() {
            return out.push(Command::Answer(ticket, Answer::DeleteOffsets(Err(error))));
        }
        let mut keys = Vec::new();
        let mut codes = Vec::with_capacity(partitions.len());
        for key in partitions {
            if self.may_be_subscribed_to(&key.0) {
                codes.push(ErrorCode::GROUP_SUBSCRIBED_TO_TOPIC);
                continue;
            }
            codes.push(ErrorCode::NONE);
            if self.offsets.contains(&key) {
                keys.push(key);
            }
        }
        let answer = DeletionAnswer::Offsets(ticket, codes);
        self.delete(now, PendingDeletion { keys, group: false, why: Removal::Deleted, answer }, out);
    }

    pub(super) fn on_delete_group(&mut self, now: Now, ticket: Ticket, out: &mut Vec<Command>) {
        let error = match self.state {
            State::Dead => Some(ErrorCode::GROUP_ID_NOT_FOUND),
            State::Empty if !self.exists() => Some(ErrorCode::GROUP_ID_NOT_FOUND),
            State::Empty => None,
            State::Preparing { .. } | State::Completing { .. } | State::Stable { .. } => {
                Some(ErrorCode::NON_EMPTY_GROUP)
            }
        };
        if let Some(error) = error {
            return out.push(Command::Answer(ticket, Answer::DeleteGroup(error)));
        }
        let keys = self.offsets.keys().into_iter().collect();
        let answer = DeletionAnswer::Group(ticket);
        self.delete(now, PendingDeletion { keys, group: true, why: Removal::Deleted, answer }, out);
    }

    pub(super) fn on_forget_topic(
        &mut self,
        now: Now,
        ticket: Ticket,
        topic: &TopicName,
        out: &mut Vec<Command>,
    ) {
        let mut keys: Vec<OffsetKey> = self.offsets.keys().into_iter().collect();
        keys.retain(|(of, _)| of == topic);
        let answer = DeletionAnswer::Swept(ticket);
        self.delete(now, PendingDeletion { keys, group: false, why: Removal::TopicGone, answer }, out);
    }

    /// Writes the tombstones; a group that goes is dead from here on.
    pub(super) fn delete(&mut self, now: Now, deletion: PendingDeletion, out: &mut Vec<Command>) {
        if matches!(self.state, State::Dead) || (deletion.keys.is_empty() && !deletion.group) {
            let nothing = PendingDeletion { keys: Vec::new(), group: false, ..deletion };
            return self.on_deletion_written(now, nothing, Ok(()), out);
        }
        let records = self.tombstones(&deletion);
        if deletion.group {
            self.state = State::Dead;
            self.deadlines.clear();
            self.members.pending.clear();
        }
        self.write(now, Pending::Deletion(deletion), records, out);
    }

    pub(super) fn on_deletion_written(
        &mut self,
        now: Now,
        deletion: PendingDeletion,
        result: Result<(), WriteFailure>,
        out: &mut Vec<Command>,
    ) {
        let removed = if result.is_ok() { self.removals(&deletion) } else { Vec::new() };
        let PendingDeletion { keys, group, answer, .. } = deletion;
        match result {
            Ok(()) if group => *self = Self::reborn(self),
            Ok(()) => self.offsets.remove(&keys),
            Err(_) if group => self.change_state(now, State::Empty),
            Err(_) => {}
        }
        let error = result.err().map(WriteFailure::for_group);
        let (ticket, answer) = match answer {
            DeletionAnswer::Offsets(ticket, codes) => {
                (ticket, Answer::DeleteOffsets(error.map_or(Ok(codes), Err)))
            }
            DeletionAnswer::Group(ticket) => (ticket, Answer::DeleteGroup(error.unwrap_or_default())),
            DeletionAnswer::Swept(ticket) => {
                (ticket, Answer::Swept(if error.is_none() { keys.len() } else { 0 }))
            }
        };
        out.push(Command::Answer(ticket, answer));
        if !removed.is_empty() {
            out.push(Command::Announce(removed));
        }
    }

    fn removals(&self, deletion: &PendingDeletion) -> Vec<GroupEvent> {
        let (group, why) = (&self.id, deletion.why);
        let offset = |(topic, partition): &OffsetKey| {
            let (topic, partition) = (topic.clone(), *partition);
            GroupEvent::Removed(OffsetRemoved { group: group.clone(), topic, partition, why })
        };
        let whole = deletion.group.then(|| GroupEvent::GroupRemoved { group: group.clone(), why });
        deletion.keys.iter().map(offset).chain(whole).collect()
    }

    /// Whether offsets of the topic must be left alone, because members may be reading it.
    pub(super) fn may_be_subscribed_to(&self, topic: &TopicName) -> bool {
        self.subscribed.as_ref().map_or_else(|| self.is_consumer_group(), |topics| topics.contains(topic))
    }

    fn check_delete_offsets(&self) -> Result<(), ErrorCode> {
        match self.state {
            State::Dead => Err(ErrorCode::GROUP_ID_NOT_FOUND),
            State::Empty if !self.exists() => Err(ErrorCode::GROUP_ID_NOT_FOUND),
            State::Empty => Ok(()),
            // Members of other kinds of groups do not say which topics they use.
            _ if !self.is_consumer_group() => Err(ErrorCode::NON_EMPTY_GROUP),
            State::Preparing { .. } | State::Completing { .. } | State::Stable { .. } => Ok(()),
        }
    }

    fn tombstones(&self, deletion: &PendingDeletion) -> Result<Vec<KeyValue>, EncodeError> {
        let offsets = deletion.keys.iter().map(|key| records::offset_tombstone(&self.id, key));
        let group = deletion.group.then(|| records::group_tombstone(&self.id));
        offsets.chain(group).collect()
    }

    /// The group after its deletion: as if it had never been, but for the count of its writes.
    fn reborn(&mut self) -> Self {
        let mut fresh = Self::new(self.id.clone(), self.rules.clone());
        fresh.writes = std::mem::take(&mut self.writes);
        fresh
    }
}
