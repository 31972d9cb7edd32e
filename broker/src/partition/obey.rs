//! Makes open partitions take batches from whom the gate says.
//!
//! No partition is missed: one has its slot before it asks the gate, and here the gate is asked after it changed. So a slot that
//! is not seen here asks the changed gate; one that is seen while it is being opened is waited for. And no older answer comes
//! last: only one at a time asks the gate and applies what it said.

use std::sync::Arc;

use core_log::ChangeError;
use protocol::TopicPartition;

use super::{
    config::intake,
    open::{Partition, Partitions, Slot},
};

impl Partitions {
    /// Asks the gate about every open partition. When this returns, all of them obey; the first failure is told after all were
    /// tried. An offline log takes nothing anyway.
    pub(crate) async fn obey_gate(&self) -> Result<(), ChangeError> {
        let _alone = self.obeying.lock().await;
        let mut first_error = None;
        for (id, slot) in self.slots() {
            let Some(partition) = self.opened_in(&id, &slot).await else { continue };
            match self.obey(&partition).await {
                Ok(()) => {}
                Err(ChangeError::Offline(reason)) => {
                    tracing::warn!(partition = %id, %reason, "an offline log has no intake to change");
                }
                Err(error) => drop(first_error.get_or_insert(error)),
            }
        }
        first_error.map_or(Ok(()), Err)
    }

    /// `None`: there is nothing that could be appended to.
    async fn opened_in(&self, id: &TopicPartition, slot: &Slot) -> Option<Arc<Partition>> {
        if let Some(partition) = slot.partition.get() {
            return Some(partition.clone());
        }
        let topic = self.metadata.image().topic_by_id(slot.topic_id)?.clone();
        self.find(&topic, id.partition).await.ok()
    }

    async fn obey(&self, partition: &Partition) -> Result<(), ChangeError> {
        let log = &partition.log;
        let image = self.metadata.image();
        // Without a topic the log is about to be removed.
        let Some(topic) = image.topic_by_id(log.topic_id()) else { return Ok(()) };
        let wanted = intake(topic, &*self.gate);
        if log.intake() != wanted {
            log.set_intake(wanted).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
