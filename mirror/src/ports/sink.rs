//! Where batches go: the partitions of this datacenter, appended to like a replica's or a relay's.

use std::sync::Arc;

use bytes::BytesMut;

use core_log::{AppendError, Appended, Batches, Intake, LogEnds, ReadError, ReadLimit, Waiter, Watch};
use protocol::{LeaderEpoch, Offset, PartitionId, ProducerId, TopicId};

use super::{BoxFuture, PortError};

/// How batches find their offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// Offsets and epochs stay as their headers say.
    Replica,
    /// The next offsets, under this epoch; accepted elsewhere, so sequences are not checked.
    Merged { leader_epoch: LeaderEpoch },
}

/// One outcome per batch, in order, once all of them are durable or failed.
pub type Settled = BoxFuture<'static, Vec<Result<Appended, AppendError>>>;

pub trait BatchSink: Send + Sync + 'static {
    /// Opens a partition; may recover a log, off the caller's thread.
    fn partition(
        &self,
        topic: TopicId,
        partition: PartitionId,
    ) -> BoxFuture<'_, Result<Arc<dyn SinkPartition>, PortError>>;
}

/// A partition that is written. Appends take effect in the order in which [`Self::append`] was called and awaited.
pub trait SinkPartition: Send + Sync + 'static {
    fn ends(&self) -> LogEnds;

    /// Why the log takes and gives nothing any more, if so.
    fn offline(&self) -> Option<Arc<str>>;

    /// Wakes the waiter whenever the ends changed or the log went offline, until the guard is dropped.
    fn watch(&self, waiter: &Arc<Waiter>) -> Watch;

    fn latest_epoch(&self) -> Option<LeaderEpoch>;

    /// Queues whole batches, and answers as soon as they have their place in the queue; what it answers tells later what
    /// became of them. So several appends of one partition share a sync.
    fn append(&self, batches: Vec<BytesMut>, arrival: Arrival) -> BoxFuture<'_, Settled>;

    /// Moves the log start up, at most to the high watermark. Answers the log start.
    fn advance_start(&self, offset: Offset) -> BoxFuture<'_, Result<Offset, PortError>>;

    /// Has an empty log begin at `offset`.
    fn start_at(&self, offset: Offset) -> BoxFuture<'_, Result<LogEnds, PortError>>;

    /// Takes all from `offset` on out of the log. Answers the new log end.
    fn truncate_to(&self, offset: Offset) -> BoxFuture<'_, Result<Offset, PortError>>;

    /// Whole batches, read off the caller's thread: a merged topic's own log says what was applied.
    fn read(&self, from: Offset, limit: ReadLimit) -> BoxFuture<'_, Result<Batches, ReadError>>;

    /// All that was queued before is durable when this answers; what comes later obeys.
    fn set_intake(&self, intake: Intake) -> BoxFuture<'_, Result<LogEnds, PortError>>;

    /// Forgets what is known of producers. Answers the largest producer id known before.
    fn forget_producers(&self) -> BoxFuture<'_, Result<Option<ProducerId>, PortError>>;
}
