//! Where the group coordinator keeps its state: the partitions of `__consumer_offsets`, created on first use.

use std::{future::Future, pin::Pin, sync::Arc};

use core_log::{Clock, LogDir};
use protocol::PartitionId;

use crate::{
    coordinator::group::OffsetsTopic,
    metadata::{InternalTopic, Metadata},
    partition::{Partitions, leader_epoch},
    record_log::{RecordLog, RecordLogError},
    stored_records::StoredRecords,
};

pub(crate) struct OffsetsPartitions {
    pub(crate) metadata: Metadata,
    pub(crate) partitions: Partitions,
    pub(crate) log_dir: Arc<LogDir>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Used when the topic is created; afterwards the topic says.
    pub(crate) partitions_wanted: i32,
}

impl OffsetsPartitions {
    fn topic(&self) -> InternalTopic {
        InternalTopic::ConsumerOffsets { partitions: self.partitions_wanted }
    }

    async fn open_partition(&self, index: PartitionId) -> Result<Arc<dyn RecordLog>, RecordLogError> {
        let unavailable =
            |error: &dyn std::fmt::Display| RecordLogError::Unavailable(error.to_string().into());
        let topic =
            self.metadata.ensure_internal_topic(self.topic()).await.map_err(|error| unavailable(&error))?;
        let epoch = leader_epoch(&topic, index)
            .ok_or_else(|| RecordLogError::Unavailable("no such partition of the offsets topic".into()))?;
        let partition = self.partitions.find(&topic, index).await.map_err(|error| unavailable(&error))?;
        let records =
            StoredRecords::new(self.log_dir.clone(), partition.log.clone(), self.clock.clone(), epoch);
        Ok(Arc::new(records))
    }
}

impl OffsetsTopic for OffsetsPartitions {
    fn partition_count(&self) -> i32 {
        let image = self.metadata.image();
        image.topic(self.topic().name()).map_or(self.partitions_wanted, |topic| topic.partition_count())
    }

    fn exists(&self) -> bool {
        self.metadata.image().topic(self.topic().name()).is_some()
    }

    fn open(
        &self,
        partition: PartitionId,
    ) -> Pin<Box<dyn Future<Output = Result<Arc<dyn RecordLog>, RecordLogError>> + Send + '_>> {
        Box::pin(self.open_partition(partition))
    }
}
