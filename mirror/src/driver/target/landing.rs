//! Where each partition's records go.

use std::{collections::HashMap, sync::Arc};

use protocol::{TopicId, TopicName};

use super::{merged::MergedPlace, places::Places, tables::Tables};
use crate::{
    driver::{backoff::Backoff, random::Random},
    link::receiver::{ApplyFailure, LocalPosition, PartitionKey, Stall},
    ownership::HomeGeneration,
    ports::{BatchSink, PortError, SinkPartition},
    position::{Source, SourceOffset, Target, TargetOffset},
    stop::StopReason,
    translation::{TableKey, TargetLog, Translated, identity},
};

/// A partition that flows, by where it comes from and where it goes.
#[derive(Clone)]
pub(super) struct Landing {
    /// At the source.
    pub(super) topic: TopicName,
    pub(super) target: TopicName,
    pub(super) target_id: TopicId,
    pub(super) merged: bool,
    pub(super) generation: HomeGeneration,
    /// Assigned to this node.
    pub(super) ours: bool,
    /// Once it was looked for.
    pub(super) place: Option<Place>,
}

/// An open log that records land in.
#[derive(Clone)]
pub(crate) enum Place {
    Replica(Arc<dyn SinkPartition>),
    Merged(Arc<MergedPlace>),
}

impl Place {
    pub(super) fn sink(&self) -> &Arc<dyn SinkPartition> {
        match self {
            Self::Replica(sink) => sink,
            Self::Merged(place) => place.sink(),
        }
    }

    /// Where a source position is found, and how far the mirror has come; neither held within the log. `None`: nothing was
    /// mirrored yet.
    pub(super) fn translate(&self, position: SourceOffset) -> Option<(TargetOffset, SourceOffset)> {
        match self {
            Self::Replica(sink) => {
                let mirrored_to = SourceOffset::new(sink.ends().log_end);
                Some((TargetOffset::new(position.offset()), mirrored_to))
            }
            Self::Merged(place) => place.translate(position),
        }
    }
}

/// Look-ups within what consumers can read here.
impl Place {
    pub(crate) fn to_target(&self, position: SourceOffset) -> Option<Translated<Target>> {
        match self {
            Self::Replica(sink) => Some(identity(position, readable(&**sink))),
            Self::Merged(place) => place.with_table(|table, log| table.to_target(position, log)),
        }
    }

    pub(crate) fn to_source(&self, position: TargetOffset) -> Option<Translated<Source>> {
        match self {
            Self::Replica(_) => Some(Translated::Exact(SourceOffset::new(position.offset()))),
            Self::Merged(place) => place.with_table(|table, log| table.to_source(position, log)),
        }
    }
}

pub(super) fn readable(sink: &dyn SinkPartition) -> TargetLog {
    let ends = sink.ends();
    TargetLog { start: TargetOffset::new(ends.log_start), end: TargetOffset::new(ends.high_watermark) }
}

/// The partitions of a link that flow.
pub(super) struct Landings {
    link: String,
    pub(super) by_key: HashMap<PartitionKey, Landing>,
    places: Arc<Places>,
}

impl Landings {
    pub(super) fn new(link: String, places: Arc<Places>) -> Self {
        Self { link, by_key: HashMap::new(), places }
    }

    pub(super) fn place(&self, key: &PartitionKey) -> Option<Place> {
        self.by_key.get(key)?.place.clone()
    }

    pub(super) fn found(&mut self, key: PartitionKey, place: Place) {
        if let Some(landing) = self.by_key.get_mut(&key)
            && landing.ours
        {
            landing.place = Some(place);
        }
    }

    /// Another node writes there from now on.
    pub(super) fn give_up(&mut self, key: &PartitionKey) {
        if let Some(landing) = self.by_key.get_mut(key) {
            self.places.give_up(&landing.table_key(&self.link, *key));
            landing.place = None;
        }
    }
}

impl Landing {
    /// Of the table, if it is merged.
    fn table_key(&self, link: &str, key: PartitionKey) -> TableKey {
        let PartitionKey { topic_id, partition } = key;
        TableKey { link: link.to_owned(), topic_id, partition, target_id: self.target_id }
    }
}

/// What finding a place needs.
#[derive(Clone)]
pub(crate) struct Finder {
    /// `FROM:TO`.
    pub(crate) link: String,
    pub(crate) sink: Arc<dyn BatchSink>,
    pub(crate) tables: Arc<Tables>,
    pub(crate) random: Random,
}

impl Finder {
    /// Opens the place of a partition, and says what it holds. Tries again as long as that may help.
    pub(super) async fn find(
        &self,
        key: PartitionKey,
        landing: Landing,
    ) -> Result<(Place, LocalPosition), StopReason> {
        let place = match &landing.place {
            Some(place) => place.clone(),
            None => {
                let sink = self.open(landing.target_id, key).await?;
                match landing.merged {
                    false => Place::Replica(sink),
                    true => {
                        let table = landing.table_key(&self.link, key);
                        Place::Merged(self.tables.open(table, &landing.topic, sink).await?)
                    }
                }
            }
        };
        let position = match &place {
            Place::Replica(sink) => replica_position(&**sink),
            Place::Merged(place) => place.position(),
        };
        Ok((place, position))
    }

    async fn open(&self, topic: TopicId, key: PartitionKey) -> Result<Arc<dyn SinkPartition>, StopReason> {
        let mut backoff = Backoff::default();
        loop {
            let error = match self.sink.partition(topic, key.partition).await {
                Ok(log) => match log.offline() {
                    None => return Ok(log),
                    Some(reason) => PortError::Offline(reason),
                },
                Err(error) => error,
            };
            if !error.is_retriable() {
                return Err(stop_reason(&error));
            }
            tokio::time::sleep(backoff.next_pause(self.random.next())).await;
        }
    }
}

/// What a replica's log says of where it stands.
fn replica_position(log: &dyn SinkPartition) -> LocalPosition {
    let ends = log.ends();
    let last_epoch = log.latest_epoch();
    LocalPosition {
        log_start: ends.log_start,
        next_offset: ends.log_end,
        durable_end: ends.durable_end,
        last_epoch,
        fresh: ends.log_start == ends.log_end && last_epoch.is_none(),
    }
}

pub(super) fn stop_reason(error: &PortError) -> StopReason {
    match error {
        PortError::Offline(_) | PortError::Closed | PortError::Unavailable(_) => {
            StopReason::TargetOffline { what: error.to_string() }
        }
        PortError::NotFound(_) | PortError::Refused(_) => {
            StopReason::TargetRefused { what: error.to_string() }
        }
    }
}

/// What says that it goes by is tried again.
pub(super) fn failure(error: &PortError) -> ApplyFailure {
    if error.is_retriable() {
        ApplyFailure::Wait(Stall::Closed)
    } else {
        ApplyFailure::Stop(stop_reason(error))
    }
}
