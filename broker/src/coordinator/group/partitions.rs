//! The partitions of `__consumer_offsets` that are loaded: each is replayed once, when one of its groups is first
//! asked for.
//!
//! Requests that come while a partition is being replayed wait for that one replay. One that fails is tried again by the
//! next request.

use std::sync::Arc;

use dashmap::DashMap;
use parking_lot::Mutex;
use protocol::{ErrorCode, PartitionId};
use tokio::sync::watch;

use super::{core::Group, limits, placement::partition_of, ports::OffsetsTopic, registry::Registry, replay};
use crate::record_log::{RecordLog, RecordLogError};

pub(super) struct Partitions {
    pub(super) topic: Arc<dyn OffsetsTopic>,
    registry: Arc<Registry>,
    loads: DashMap<PartitionId, Arc<Mutex<Load>>>,
}

#[derive(Clone)]
enum Load {
    /// Not loaded; `again`: it was, but one of its groups has to be read anew.
    Missing {
        again: bool,
    },
    /// Says `true` in the end, whether it went well or not.
    UnderWay {
        again: bool,
        ended: watch::Receiver<bool>,
    },
    Done(Arc<dyn RecordLog>),
}

impl Partitions {
    pub(super) fn new(topic: Arc<dyn OffsetsTopic>, registry: Arc<Registry>) -> Self {
        Self { topic, registry, loads: DashMap::new() }
    }

    /// The partition's log, once every group in it has its actor.
    pub(super) async fn loaded(&self, partition: PartitionId) -> Result<Arc<dyn RecordLog>, ErrorCode> {
        let load = self.load(partition);
        let mut ended = match self.begin(partition, &load) {
            Load::Done(log) => return Ok(log),
            Load::UnderWay { ended, .. } => ended,
            Load::Missing { .. } => return Err(ErrorCode::COORDINATOR_NOT_AVAILABLE),
        };
        match tokio::time::timeout(limits::LOAD_WAIT, ended.wait_for(|ended| *ended)).await {
            Err(_) => return Err(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS),
            // The load was cut off: the next request begins another.
            Ok(Err(_)) => return Err(ErrorCode::COORDINATOR_NOT_AVAILABLE),
            Ok(Ok(_)) => {}
        }
        match &*load.lock() {
            Load::Done(log) => Ok(log.clone()),
            Load::Missing { .. } | Load::UnderWay { .. } => Err(ErrorCode::COORDINATOR_NOT_AVAILABLE),
        }
    }

    /// A group's actor crashed: the next request for the partition reads what it knew from the log.
    pub(super) fn load_again(&self, partition: PartitionId) {
        let load = self.load(partition);
        let mut state = load.lock();
        if matches!(&*state, Load::Done(_)) {
            *state = Load::Missing { again: true };
        }
    }

    fn load(&self, partition: PartitionId) -> Arc<Mutex<Load>> {
        let missing = || Arc::new(Mutex::new(Load::Missing { again: false }));
        self.loads.entry(partition).or_insert_with(missing).clone()
    }

    /// Begins to load the partition unless that is under way or done.
    fn begin(&self, partition: PartitionId, load: &Arc<Mutex<Load>>) -> Load {
        let mut state = load.lock();
        let again = match &*state {
            Load::Missing { again } => Some(*again),
            Load::UnderWay { again, ended } if ended.has_changed().is_err() => Some(*again),
            Load::UnderWay { .. } | Load::Done(_) => None,
        };
        if let Some(again) = again {
            let (end, ended) = watch::channel(false);
            *state = Load::UnderWay { again, ended };
            let (topic, registry) = (self.topic.clone(), self.registry.clone());
            tokio::spawn(Loading { partition, again, topic, registry }.run(load.clone(), end));
        }
        state.clone()
    }
}

struct Loading {
    partition: PartitionId,
    again: bool,
    topic: Arc<dyn OffsetsTopic>,
    registry: Arc<Registry>,
}

impl Loading {
    async fn run(self, load: Arc<Mutex<Load>>, end: watch::Sender<bool>) {
        let loaded = self.open_and_replay().await;
        *load.lock() = match loaded {
            Ok(log) => Load::Done(log),
            Err(error) => {
                tracing::error!(partition = %self.partition, %error, "groups could not be loaded");
                Load::Missing { again: self.again }
            }
        };
        end.send_replace(true);
    }

    async fn open_and_replay(&self) -> Result<Arc<dyn RecordLog>, RecordLogError> {
        let (registry, partition) = (&self.registry, self.partition);
        let log = self.topic.open(partition).await?;
        let read = log.clone();
        let replayed = tokio::task::spawn_blocking(move || replay::replay(&*read)).await;
        let groups = replayed.map_err(|error| RecordLogError::Unavailable(error.to_string().into()))??;
        tracing::debug!(%partition, groups = groups.len(), "groups loaded");
        for (id, loaded) in groups {
            let mut wishes = Vec::new();
            let group =
                Group::loaded(id.clone(), registry.rules.clone(), loaded, registry.now(), &mut wishes);
            registry.adopt(id, group, wishes, &log, self.again);
        }
        let partitions = self.topic.partition_count();
        registry.forget_crashed(|group| partition_of(group, partitions) == partition);
        Ok(log)
    }
}
