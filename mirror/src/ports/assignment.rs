//! Which partitions of this datacenter this node mirrors.

use tokio::sync::watch;

use protocol::{PartitionId, TopicId};

/// The port is asked, not told, so that no message can be lost: each link compares the answer with the one before, and what
/// differs is assigned to it or revoked from it.
pub trait Assignment: Send + Sync + 'static {
    /// Asked for each partition when it appears and after every change. After a `false` nothing more is begun for it here;
    /// an append that is under way ends.
    fn is_ours(&self, topic: TopicId, partition: PartitionId) -> bool;

    /// Marked changed whenever an answer may be another.
    fn changes(&self) -> watch::Receiver<u64>;
}

/// A datacenter of one node.
#[derive(Debug)]
pub struct AllPartitions {
    changes: watch::Sender<u64>,
}

impl AllPartitions {
    pub fn new() -> Self {
        Self { changes: watch::Sender::new(0) }
    }
}

impl Default for AllPartitions {
    fn default() -> Self {
        Self::new()
    }
}

impl Assignment for AllPartitions {
    fn is_ours(&self, _topic: TopicId, _partition: PartitionId) -> bool {
        true
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}
