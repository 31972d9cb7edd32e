//! Where an offset of one side of a link is on the other, whether or not the source can be reached.
//!
//! An operator asks when the source is lost: so nothing here waits for it. A replica's offsets are those of its log, a merged
//! partition's table is on disk, and is brought up to its log when somebody asks. Records that come in meanwhile go through
//! the same table.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;

use protocol::{PartitionId, TopicId, TopicName};

use super::{
    landing::{Place, stop_reason},
    merged::MergedPlace,
    tables::Tables,
};
use crate::{
    driver::flows::{Landing, LinkRules},
    ports::{Catalog, PortError, Ports, SinkPartition},
    stop::StopReason,
    translation::{TableKey, TableLabel},
};

/// What was mirrored to this node, for look-ups.
pub(crate) struct Places {
    parts: PlacesParts,
    /// Tables that were asked for.
    held: Mutex<HashMap<TableKey, Arc<MergedPlace>>>,
}

pub(crate) struct PlacesParts {
    pub(crate) tables: Arc<Tables>,
    pub(crate) ports: Ports,
    /// Of the links that end here, by their names.
    pub(crate) rules: HashMap<String, Arc<dyn LinkRules>>,
}

/// A partition that holds what came from a source.
pub(crate) struct Found {
    pub(crate) place: Place,
    /// What its topic is called here.
    pub(crate) target: TopicName,
}

impl Places {
    pub(crate) fn new(parts: PlacesParts) -> Self {
        Self { parts, held: Mutex::default() }
    }

    /// Where a partition of what the source of a link calls `topic` is here. `None`: nowhere. A table answers as long as the
    /// topic that it is about exists here, also if the link does not carry the source's topic any more.
    pub(crate) async fn find(
        &self,
        link: &str,
        topic: &str,
        partition: PartitionId,
    ) -> Result<Option<Found>, StopReason> {
        let catalog = Arc::clone(&self.parts.ports.catalog.subscribe().borrow());
        let rule = self.parts.rules.get(link).and_then(|rules| rules.topic(topic));
        let into = match rule.map(|rule| rule.landing) {
            Some(Landing::Replica) => {
                match catalog.topics.values().find(|local| local.name.as_str() == topic) {
                    Some(local) => return self.replica(local.id, &local.name, partition).await,
                    None => None,
                }
            }
            Some(Landing::Merged { into }) => Some(into),
            None => None,
        };
        let tables = self.parts.tables.named(link, topic, partition).await?;
        match choose(tables, &catalog, into.as_ref()) {
            Some((table, target)) => self.merged(table, target).await,
            None => Ok(None),
        }
    }

    /// Another node writes there from now on.
    pub(super) fn give_up(&self, key: &TableKey) {
        self.held.lock().remove(key);
    }

    async fn replica(
        &self,
        topic: TopicId,
        name: &TopicName,
        partition: PartitionId,
    ) -> Result<Option<Found>, StopReason> {
        let log = self.log(topic, partition).await?;
        Ok(log.map(|log| Found { place: Place::Replica(log), target: name.clone() }))
    }

    async fn merged(&self, table: TableLabel, target: TopicName) -> Result<Option<Found>, StopReason> {
        let key = table.key;
        let Some(log) = self.log(key.target_id, key.partition).await? else { return Ok(None) };
        let held = self.held.lock().get(&key).cloned();
        let place = match held {
            Some(place) => place,
            None => {
                let place = self.parts.tables.open(key.clone(), &table.topic, log).await?;
                self.held.lock().insert(key.clone(), Arc::clone(&place));
                if !self.is_ours(&key) {
                    // Given up meanwhile.
                    self.give_up(&key);
                }
                place
            }
        };
        Ok(Some(Found { place: Place::Merged(place), target }))
    }

    fn is_ours(&self, key: &TableKey) -> bool {
        self.parts.ports.assignment.is_ours(key.target_id, key.partition)
    }

    /// The log of a partition here, if there is one.
    async fn log(
        &self,
        topic: TopicId,
        partition: PartitionId,
    ) -> Result<Option<Arc<dyn SinkPartition>>, StopReason> {
        if !self.parts.ports.assignment.is_ours(topic, partition) {
            let what = "another node of this datacenter carries the partition".to_owned();
            return Err(StopReason::TargetRefused { what });
        }
        let log = match self.parts.ports.sink.partition(topic, partition).await {
            Err(PortError::NotFound(_)) => return Ok(None),
            opened => opened.map_err(|error| stop_reason(&error))?,
        };
        match log.offline() {
            None => Ok(Some(log)),
            Some(reason) => Err(stop_reason(&PortError::Offline(reason))),
        }
    }
}

/// Of the tables whose topics exist here, the one of the topic that the link merges into now; else the one made last.
fn choose(
    tables: Vec<TableLabel>,
    catalog: &Catalog,
    into: Option<&TopicName>,
) -> Option<(TableLabel, TopicName)> {
    let target = |table: TableLabel| {
        let name = catalog.topics.get(&table.key.target_id)?.name.clone();
        Some((table, name))
    };
    let mut there: Vec<_> = tables.into_iter().filter_map(target).collect();
    let now = there.iter().position(|(_, name)| Some(name) == into).unwrap_or(0);
    (now < there.len()).then(|| there.swap_remove(now))
}
