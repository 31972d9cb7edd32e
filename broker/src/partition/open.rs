//! Finds partitions, opening their logs on first touch.

use std::sync::Arc;

use dashmap::DashMap;
use tokio::sync::{Mutex, OnceCell};

use core_log::{Log, LogDir, OpenError};
use protocol::{LeaderEpoch, PartitionId, TopicId, TopicPartition};

use super::config::{intake, log_config};
use crate::{
    gate::Gate,
    metadata::{Metadata, Topic},
};

/// An open partition.
#[derive(Debug)]
pub(crate) struct Partition {
    pub(crate) log: Arc<Log>,
}

/// Why there is no such partition to work on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    #[error("this topic or partition does not exist")]
    Unknown,
    #[error("the partition's log cannot be opened: {0}")]
    Storage(Arc<str>),
}

/// All open partitions. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Partitions {
    slots: Arc<DashMap<TopicPartition, Arc<Slot>>>,
    log_dir: Arc<LogDir>,
    pub(super) metadata: Metadata,
    pub(super) gate: Arc<dyn Gate>,
    /// Held while open partitions are made to obey the gate.
    pub(super) obeying: Arc<Mutex<()>>,
}

/// A partition that is open or being opened; several that ask at once share one opening.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) topic_id: TopicId,
    pub(super) partition: OnceCell<Arc<Partition>>,
}

impl Partitions {
    pub(crate) fn new(log_dir: Arc<LogDir>, metadata: Metadata, gate: Arc<dyn Gate>) -> Self {
        Self { slots: Arc::default(), log_dir, metadata, gate, obeying: Arc::default() }
    }

    pub(crate) async fn find(&self, topic: &Topic, index: PartitionId) -> Result<Arc<Partition>, FindError> {
        leader_epoch(topic, index).ok_or(FindError::Unknown)?;
        let id = TopicPartition { topic: topic.name.clone(), partition: index };
        let slot = self.slot(&id, topic.id);
        let opened = slot.partition.get_or_try_init(|| self.open(id.clone(), topic)).await;
        match opened {
            Ok(partition) => Ok(partition.clone()),
            Err(error) => {
                self.slots.remove_if(&id, |_, found| Arc::ptr_eq(found, &slot));
                Err(error)
            }
        }
    }

    /// Every partition that is open now.
    pub(crate) fn opened(&self) -> Vec<Arc<Partition>> {
        self.slots.iter().filter_map(|slot| slot.partition.get().cloned()).collect()
    }

    /// Every partition that is open or being opened.
    pub(super) fn slots(&self) -> Vec<(TopicPartition, Arc<Slot>)> {
        self.slots.iter().map(|entry| (entry.key().clone(), entry.value().clone())).collect()
    }

    /// Forgets a partition, so that nobody finds it any more.
    pub(super) fn forget(&self, partition: &Partition) {
        self.slots.remove_if(partition.log.id(), |_, slot| {
            slot.partition.get().is_some_and(|open| std::ptr::eq(Arc::as_ptr(open), partition))
        });
    }

    fn slot(&self, id: &TopicPartition, topic_id: TopicId) -> Arc<Slot> {
        if let Some(slot) = self.slots.get(id).filter(|slot| slot.topic_id == topic_id) {
            return slot.clone();
        }
        let fresh = || Arc::new(Slot { topic_id, partition: OnceCell::new() });
        let mut slot = self.slots.entry(id.clone()).or_insert_with(fresh);
        if slot.topic_id != topic_id {
            *slot = fresh();
        }
        slot.clone()
    }

    async fn open(&self, id: TopicPartition, topic: &Topic) -> Result<Arc<Partition>, FindError> {
        // The caller's image may be old: a deleted topic must not get a directory again.
        let current = self.metadata.image();
        let topic = current
            .topic(topic.name.as_str())
            .filter(|current| current.id == topic.id)
            .ok_or(FindError::Unknown)?;
        // The gate is asked after the slot has its place: see [`Partitions::obey_gate`].
        let wanted = intake(topic, &*self.gate);
        let (log_dir, topic_id, config) = (self.log_dir.clone(), topic.id, log_config(topic, wanted));
        let opening =
            tokio::task::spawn_blocking(move || log_dir.log(&detached(&id), topic_id, config)).await;
        match opening {
            Ok(Ok(log)) => {
                // Open already, by an opening that was given up: it has the intake of then.
                if log.intake() != wanted {
                    log.set_intake(wanted)
                        .await
                        .map_err(|error| FindError::Storage(error.to_string().into()))?;
                }
                Ok(Arc::new(Partition { log }))
            }
            Ok(Err(error)) => Err(storage(&error)),
            Err(error) => Err(FindError::Storage(error.to_string().into())),
        }
    }
}

/// The leader epoch of a partition, if the topic has it.
pub(crate) fn leader_epoch(topic: &Topic, index: PartitionId) -> Option<LeaderEpoch> {
    topic.partition(index.0).map(|partition| partition.leader_epoch)
}

/// The id outlives the request whose frame its name may be a slice of.
fn detached(id: &TopicPartition) -> TopicPartition {
    TopicPartition { topic: id.topic.detached(), partition: id.partition }
}

fn storage(error: &OpenError) -> FindError {
    tracing::error!(%error, "a partition's log cannot be opened");
    FindError::Storage(error.to_string().into())
}
