//! An assignment that a test changes, as a fleet would.

use std::{collections::BTreeSet, sync::Arc};

use mirror::ports::Assignment;
use parking_lot::Mutex;
use protocol::{PartitionId, TopicId};
use tokio::sync::watch;

/// The same partitions of every topic.
pub(crate) struct Chosen {
    partitions: Mutex<BTreeSet<i32>>,
    changes: watch::Sender<u64>,
}

impl Chosen {
    pub(crate) fn new(partitions: &[i32]) -> Arc<Self> {
        let partitions = Mutex::new(partitions.iter().copied().collect());
        Arc::new(Self { partitions, changes: watch::Sender::new(0) })
    }

    pub(crate) fn change(&self, partitions: &[i32]) {
        *self.partitions.lock() = partitions.iter().copied().collect();
        self.changes.send_modify(|count| *count += 1);
    }
}

impl Assignment for Chosen {
    fn is_ours(&self, _topic: TopicId, partition: PartitionId) -> bool {
        self.partitions.lock().contains(&partition.0)
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}
