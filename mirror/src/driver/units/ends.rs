//! Where partitions of other datacenters end, as the links of this node last heard.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::RwLock;

use crate::driver::node::TargetLinks;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PartitionName {
    pub(super) topic: String,
    pub(super) partition: i32,
}

/// Asks the links; cheap to clone. The links come later than the state machines: gates must be decided first.
#[derive(Clone, Default)]
pub(crate) struct HeardEnds(Arc<RwLock<TargetLinks>>);

impl HeardEnds {
    pub(crate) fn are_from(&self, links: TargetLinks) {
        *self.0.write() = links;
    }

    /// Of several links the furthest.
    pub(super) async fn ends(&self) -> BTreeMap<PartitionName, i64> {
        let links = self.0.read().clone();
        let mut ends = BTreeMap::new();
        for (_, _, inquirer) in links {
            let Some(view) = inquirer.ask().await else { continue };
            for (topic, partition) in view.partitions {
                let name = PartitionName { topic, partition: partition.key.partition.0 };
                let end = ends.entry(name).or_insert(partition.source_end.0);
                *end = partition.source_end.0.max(*end);
            }
        }
        ends
    }
}
