//! What waits to be written to the control stream. While the stream is slow, what is newer takes the place of what is
//! older: the outbox is bounded by what there is, not by how often it changes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use protocol::{GroupId, TopicId};

use super::event::GroupKey;
use crate::link::{
    Handle,
    wire::{GroupGone, GroupOffset, ToTarget, Topic},
};

#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// Answers, and what ownership says: in order, none left out.
    answers: VecDeque<ToTarget>,
    catalog: Catalog,
    groups: Groups,
    /// Subscriptions whose ends are to be told.
    pub(super) watermarks: BTreeSet<Handle>,
}

impl Outbox {
    pub(super) fn answer(&mut self, message: ToTarget) {
        self.answers.push_back(message);
    }

    pub(super) fn topic(&mut self, topic: Topic) {
        self.catalog.put(topic.id, Some(topic));
    }

    pub(super) fn topic_gone(&mut self, id: TopicId) {
        self.catalog.put(id, None);
    }

    pub(super) fn catalog_complete(&mut self) {
        self.catalog.queue.push_back(None);
    }

    pub(super) fn group_offset(&mut self, offset: GroupOffset) {
        let GroupOffset { group, topic_id, partition, .. } = &offset;
        let key = GroupKey { group: group.clone(), topic_id: *topic_id, partition: *partition };
        self.groups.put(key, ToTarget::GroupOffset(offset));
    }

    pub(super) fn group_gone(&mut self, gone: GroupGone) {
        match gone {
            GroupGone::Group(group) => self.groups.drop_group(group),
            GroupGone::Offset { ref group, topic_id, partition } => {
                let key = GroupKey { group: group.clone(), topic_id, partition };
                self.groups.put(key, ToTarget::GroupGone(gone));
            }
        }
    }

    pub(super) fn groups_complete(&mut self) {
        self.groups.queue.push_back(GroupEntry::Complete);
    }

    /// The next message but for watermarks, which the sender fills in.
    pub(super) fn take(&mut self) -> Option<ToTarget> {
        self.answers.pop_front().or_else(|| self.catalog.take())
    }

    pub(super) fn take_group(&mut self) -> Option<ToTarget> {
        self.groups.take()
    }
}

/// Topics by when they first were to be told.
#[derive(Debug, Default)]
struct Catalog {
    /// `None`: complete.
    queue: VecDeque<Option<TopicId>>,
    /// `None`: gone.
    newest: BTreeMap<TopicId, Option<Topic>>,
}

impl Catalog {
    fn put(&mut self, id: TopicId, topic: Option<Topic>) {
        if self.newest.insert(id, topic).is_none() {
            self.queue.push_back(Some(id));
        }
    }

    fn take(&mut self) -> Option<ToTarget> {
        let Some(id) = self.queue.pop_front()? else { return Some(ToTarget::CatalogComplete) };
        // Each id in the queue has its newest state.
        let topic = self.newest.remove(&id)?;
        Some(topic.map_or(ToTarget::TopicGone { id }, ToTarget::Topic))
    }
}

#[derive(Debug)]
enum GroupEntry {
    /// Stands for what is newest of the key.
    Offset(GroupKey),
    Group(GroupId),
    Complete,
}

#[derive(Debug, Default)]
struct Groups {
    queue: VecDeque<GroupEntry>,
    newest: BTreeMap<GroupKey, ToTarget>,
}

impl Groups {
    fn put(&mut self, key: GroupKey, message: ToTarget) {
        if let Some(waiting) = self.newest.get_mut(&key) {
            *waiting = message;
            return;
        }
        self.queue.push_back(GroupEntry::Offset(key.clone()));
        self.newest.insert(key, message);
    }

    /// What the group committed before is of no interest any more; what it commits later comes after.
    fn drop_group(&mut self, group: GroupId) {
        self.newest.retain(|key, _| key.group != group);
        self.queue.retain(|entry| match entry {
            GroupEntry::Offset(key) => key.group != group,
            GroupEntry::Group(other) => *other != group,
            GroupEntry::Complete => true,
        });
        self.queue.push_back(GroupEntry::Group(group));
    }

    fn take(&mut self) -> Option<ToTarget> {
        match self.queue.pop_front()? {
            GroupEntry::Complete => Some(ToTarget::GroupsComplete),
            GroupEntry::Group(group) => Some(ToTarget::GroupGone(GroupGone::Group(group))),
            // Each key in the queue has its newest state.
            GroupEntry::Offset(key) => self.newest.remove(&key),
        }
    }
}
