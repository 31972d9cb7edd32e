//! The offsets of a group: those on stable storage, and which ones are on their way there.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    request::{CommittedOffset, OffsetsByTopic},
    writes::OffsetKey,
};

#[derive(Debug, Default)]
pub(super) struct Offsets {
    /// Shared with those who read it; copied only when it changes while somebody still does.
    durable: Arc<OffsetsByTopic>,
    /// How many commits of a partition are being written.
    in_flight: BTreeMap<OffsetKey, usize>,
}

impl Offsets {
    pub(super) fn loaded(offsets: OffsetsByTopic) -> Self {
        Self { durable: Arc::new(offsets), in_flight: BTreeMap::new() }
    }

    pub(super) fn durable(&self) -> &Arc<OffsetsByTopic> {
        &self.durable
    }

    pub(super) fn holds_any(&self) -> bool {
        !self.durable.is_empty() || !self.in_flight.is_empty()
    }

    /// Every partition with an offset, be it only on its way.
    pub(super) fn keys(&self) -> BTreeSet<OffsetKey> {
        let durable = self.durable.iter().flat_map(|(topic, partitions)| {
            partitions.keys().map(move |partition| (topic.clone(), *partition))
        });
        durable.chain(self.in_flight.keys().cloned()).collect()
    }

    pub(super) fn contains(&self, (topic, partition): &OffsetKey) -> bool {
        self.durable.get(topic).is_some_and(|partitions| partitions.contains_key(partition))
            || self.in_flight.contains_key(&(topic.clone(), *partition))
    }

    pub(super) fn depart(&mut self, key: &OffsetKey) {
        *self.in_flight.entry(key.clone()).or_default() += 1;
    }

    /// A commit has arrived on stable storage, or failed to (`None`).
    pub(super) fn arrive(&mut self, key: &OffsetKey, offset: Option<CommittedOffset>) {
        if let Some(count) = self.in_flight.get_mut(key) {
            *count -= 1;
            if *count == 0 {
                self.in_flight.remove(key);
            }
        }
        if let Some(offset) = offset {
            Arc::make_mut(&mut self.durable).entry(key.0.clone()).or_default().insert(key.1, offset);
        }
    }

    /// The tombstones of these are on stable storage.
    pub(super) fn remove(&mut self, keys: &[OffsetKey]) {
        let durable = Arc::make_mut(&mut self.durable);
        for (topic, partition) in keys {
            let Some(partitions) = durable.get_mut(topic) else { continue };
            partitions.remove(partition);
            if partitions.is_empty() {
                durable.remove(topic);
            }
        }
    }
}
