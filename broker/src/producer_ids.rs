//! Hands out producer ids from blocks that the metadata log has set aside, so that an id is never given twice, not even
//! over a crash: what was left of a block is then skipped.

use std::ops::Range;

use tokio::sync::Mutex;

use protocol::ProducerId;

use crate::metadata::{Metadata, MetadataError};

pub(crate) struct ProducerIds {
    metadata: Metadata,
    block: Mutex<Range<i64>>,
}

impl ProducerIds {
    pub(crate) fn new(metadata: Metadata) -> Self {
        Self { metadata, block: Mutex::new(0..0) }
    }

    pub(crate) async fn next(&self) -> Result<ProducerId, MetadataError> {
        let mut block = self.block.lock().await;
        // The floor may have risen above ids that were set aside.
        block.start = block.start.max(self.metadata.image().producer_id_floor().0);
        if block.is_empty() {
            let taken = self.metadata.take_producer_ids().await?;
            *block = taken.first.0..taken.first.0 + taken.count;
        }
        let id = block.start;
        block.start += 1;
        Ok(ProducerId(id))
    }
}
