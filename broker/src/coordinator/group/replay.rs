//! What a partition of `__consumer_offsets` says about its groups: the last word of each key.

use std::collections::BTreeMap;

use protocol::GroupId;

use super::{
    core::LoadedGroup,
    records::{self, Record},
};
use crate::record_log::{KeyValue, RecordLog, RecordLogError};

#[derive(Debug, Default)]
pub(super) struct Replayed {
    groups: BTreeMap<GroupId, LoadedGroup>,
    foreign: usize,
    unreadable: usize,
}

/// Blocking. Records that this broker does not know are skipped: newer brokers and other kinds of groups leave some.
pub(super) fn replay(log: &dyn RecordLog) -> Result<BTreeMap<GroupId, LoadedGroup>, RecordLogError> {
    let mut replayed = Replayed::default();
    log.replay(&mut |offset, _, record| {
        if let Err(error) = replayed.apply(&record) {
            if replayed.unreadable == 0 {
                tracing::warn!(%offset, %error, "skipping a group record that cannot be read");
            }
            replayed.unreadable += 1;
        }
    })?;
    let Replayed { mut groups, foreign, unreadable } = replayed;
    if foreign + unreadable > 0 {
        tracing::warn!(foreign, unreadable, "skipped records while loading groups");
    }
    groups.retain(|_, group| group.metadata.is_some() || !group.offsets.is_empty());
    Ok(groups)
}

impl Replayed {
    fn apply(&mut self, record: &KeyValue) -> Result<(), protocol::codec::DecodeError> {
        match records::read(record)? {
            Record::Offset { group, topic, partition, value: Some(value) } => {
                let partitions = self.group(&group).offsets.entry(topic.detached()).or_default();
                partitions.insert(partition, value);
            }
            Record::Offset { group, topic, partition, value: None } => {
                let offsets = &mut self.group(&group).offsets;
                if let Some(partitions) = offsets.get_mut(&topic) {
                    partitions.remove(&partition);
                    if partitions.is_empty() {
                        offsets.remove(&topic);
                    }
                }
            }
            // Each offset has a tombstone of its own: a group's does not take them along.
            Record::Group { group, value } => self.group(&group).metadata = value,
            Record::Foreign { .. } => self.foreign += 1,
        }
        Ok(())
    }

    fn group(&mut self, id: &GroupId) -> &mut LoadedGroup {
        if !self.groups.contains_key(id) {
            self.groups.insert(id.detached(), LoadedGroup::default());
        }
        self.groups.entry(id.clone()).or_default()
    }
}
