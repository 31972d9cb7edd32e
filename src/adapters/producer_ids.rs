//! Producer ids for merged topics, out of blocks that the broker's metadata sets aside: nobody else here is given them.

use std::ops::Range;

use broker::metadata::{Metadata, MetadataError};
use protocol::ProducerId;
use tokio::sync::Mutex;

pub(super) struct ProducerIds {
    metadata: Metadata,
    /// What is left of the block that was taken last.
    block: Mutex<Range<i64>>,
}

impl ProducerIds {
    pub(super) fn new(metadata: Metadata) -> Self {
        Self { metadata, block: Mutex::new(0..0) }
    }

    pub(super) async fn next(&self) -> Result<ProducerId, MetadataError> {
        let mut block = self.block.lock().await;
        // A failover may have raised the floor above ids that were set aside.
        block.start = block.start.max(self.metadata.image().producer_id_floor().0);
        if block.is_empty() {
            let taken = self.metadata.take_producer_ids().await?;
            *block = taken.first.0..taken.first.0.saturating_add(taken.count);
        }
        let id = ProducerId(block.start);
        block.start = block.start.saturating_add(1);
        Ok(id)
    }
}
