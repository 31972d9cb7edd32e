//! Where batches come from: the partitions of this datacenter, read like a fetch reads them.

use std::sync::Arc;

use core_log::{Batches, LogEnds, ReadError, ReadLimit, Waiter, Watch};
use protocol::{LeaderEpoch, Offset, PartitionId, TopicId};

use super::{BoxFuture, PortError};

pub trait BatchSource: Send + Sync + 'static {
    /// Opens a partition; may recover a log, off the caller's thread.
    fn partition(
        &self,
        topic: TopicId,
        partition: PartitionId,
    ) -> BoxFuture<'_, Result<Arc<dyn SourcePartition>, PortError>>;
}

/// A partition that is read. Cheap to ask, except for [`Self::read`].
pub trait SourcePartition: Send + Sync + 'static {
    fn ends(&self) -> LogEnds;

    /// Why the log takes and gives nothing any more, if so.
    fn offline(&self) -> Option<Arc<str>>;

    /// Wakes the waiter whenever the ends changed or the log went offline, until the guard is dropped.
    fn watch(&self, waiter: &Arc<Waiter>) -> Watch;

    /// The largest epoch of at most `epoch` and the offset where it ends.
    fn epoch_end(&self, epoch: LeaderEpoch) -> Option<(LeaderEpoch, Offset)>;

    fn latest_epoch(&self) -> Option<LeaderEpoch>;

    /// Whole batches out of memory. `None`: not all there, use [`Self::read`].
    fn read_recent(&self, from: Offset, limit: ReadLimit) -> Option<Result<Batches, ReadError>>;

    /// Whole batches out of the segment files, read off the caller's thread.
    fn read(&self, from: Offset, limit: ReadLimit) -> BoxFuture<'_, Result<Batches, ReadError>>;
}
