//! Records that links found to be only here, on their way to the unit that they are of.
//!
//! A link says it once, when it stops the partition. So what it says waits until it is heard, in a place that is bounded by the
//! node's partitions, and not in a queue that could be full.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::watch;

use protocol::{Offset, PartitionId, TopicName};

/// A replica's records `[common, end)`, which the home does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tail {
    pub(crate) topic: TopicName,
    pub(crate) partition: PartitionId,
    pub(crate) common: Offset,
    pub(crate) end: Offset,
}

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Tails(Arc<Shared>);

struct Shared {
    /// Of a partition the newest.
    waiting: Mutex<BTreeMap<(TopicName, PartitionId), Tail>>,
    changes: watch::Sender<u64>,
}

impl Default for Tails {
    fn default() -> Self {
        Self(Arc::new(Shared { waiting: Mutex::default(), changes: watch::Sender::new(0) }))
    }
}

impl Tails {
    pub(crate) fn found(&self, tail: Tail) {
        self.0.waiting.lock().insert((tail.topic.clone(), tail.partition), tail);
        self.0.changes.send_modify(|count| *count += 1);
    }

    /// Marked changed with every tail that is found.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// Those that nobody took before.
    pub(super) fn take(&self) -> Vec<Tail> {
        std::mem::take(&mut *self.0.waiting.lock()).into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(partition: i32, common: i64) -> Tail {
        let (topic, partition) = (TopicName::from("orders"), PartitionId(partition));
        Tail { topic, partition, common: Offset(common), end: Offset(9) }
    }

    #[tokio::test]
    async fn what_is_found_before_anybody_listens_is_not_lost_and_the_newest_counts() {
        let tails = Tails::default();
        let mut changes = tails.changes();
        for found in [tail(1, 5), tail(0, 7), tail(1, 4)] {
            tails.found(found);
        }
        changes.changed().await.unwrap();
        assert_eq!(tails.take(), [tail(0, 7), tail(1, 4)]);
        assert_eq!(tails.take(), []);
    }
}
