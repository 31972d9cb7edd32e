//! Both ends of a link over a log of core-log, wherever the log comes from.

use std::{io, sync::Arc};

use bytes::BytesMut;
use tokio::{runtime::Handle, sync::Semaphore};

use core_log::{
    Ack, Append, Batches, ChangeError, Intake, Log, LogDir, LogEnds, Place, ReadError, ReadLimit, Waiter,
    Watch,
};
use protocol::{LeaderEpoch, Offset, ProducerId};

use super::{Arrival, BoxFuture, PortError, Settled, SinkPartition, SourcePartition};

/// Reads of segment files for links, a few at once, off the runtime's threads.
#[derive(Clone)]
pub struct DiskReads {
    runtime: Handle,
    turns: Arc<Semaphore>,
}

impl DiskReads {
    /// Reads on blocking threads of `runtime`, at most `at_once`.
    pub fn new(runtime: Handle, at_once: usize) -> Self {
        Self { runtime, turns: Arc::new(Semaphore::new(at_once.max(1))) }
    }

    async fn read(&self, log: Arc<Log>, from: Offset, limit: ReadLimit) -> Result<Batches, ReadError> {
        let _turn = self.turns.acquire().await;
        let read = self.runtime.spawn_blocking(move || log.read(from, limit));
        read.await.unwrap_or_else(|_| Err(io::Error::other("the reads are shut down").into()))
    }
}

/// A log of this datacenter, as links read and write it.
pub struct LogPartition {
    log: Arc<Log>,
    dir: Arc<LogDir>,
    reads: DiskReads,
}

impl LogPartition {
    /// `dir` is the directory that `log` is in.
    pub fn new(log: Arc<Log>, dir: Arc<LogDir>, reads: DiskReads) -> Self {
        Self { log, dir, reads }
    }

    async fn submit(&self, appends: Vec<Append>) -> Settled {
        Box::pin(self.dir.submit(appends, Ack::Synced).await)
    }
}

impl SourcePartition for LogPartition {
    fn ends(&self) -> LogEnds {
        self.log.ends()
    }

    fn offline(&self) -> Option<Arc<str>> {
        self.log.offline()
    }

    fn watch(&self, waiter: &Arc<Waiter>) -> Watch {
        self.log.watch(waiter)
    }

    fn epoch_end(&self, epoch: LeaderEpoch) -> Option<(LeaderEpoch, Offset)> {
        self.log.epoch_end(epoch)
    }

    fn latest_epoch(&self) -> Option<LeaderEpoch> {
        self.log.latest_epoch()
    }

    fn read_recent(&self, from: Offset, limit: ReadLimit) -> Option<Result<Batches, ReadError>> {
        self.log.read_recent(from, limit)
    }

    fn read(&self, from: Offset, limit: ReadLimit) -> BoxFuture<'_, Result<Batches, ReadError>> {
        Box::pin(self.reads.read(Arc::clone(&self.log), from, limit))
    }
}

impl SinkPartition for LogPartition {
    fn ends(&self) -> LogEnds {
        self.log.ends()
    }

    fn offline(&self) -> Option<Arc<str>> {
        self.log.offline()
    }

    fn watch(&self, waiter: &Arc<Waiter>) -> Watch {
        self.log.watch(waiter)
    }

    fn latest_epoch(&self) -> Option<LeaderEpoch> {
        self.log.latest_epoch()
    }

    fn append(&self, batches: Vec<BytesMut>, arrival: Arrival) -> BoxFuture<'_, Settled> {
        let place = match arrival {
            Arrival::Replica => Place::AsGiven,
            Arrival::Merged { leader_epoch } => Place::Relayed { leader_epoch },
        };
        let appends =
            batches.into_iter().map(|batch| Append { log: Arc::clone(&self.log), batch, place }).collect();
        Box::pin(self.submit(appends))
    }

    fn advance_start(&self, offset: Offset) -> BoxFuture<'_, Result<Offset, PortError>> {
        Box::pin(async move { Ok(self.log.advance_start(offset).await?) })
    }

    fn start_at(&self, offset: Offset) -> BoxFuture<'_, Result<LogEnds, PortError>> {
        Box::pin(async move { Ok(self.log.start_at(offset).await?) })
    }

    fn truncate_to(&self, offset: Offset) -> BoxFuture<'_, Result<Offset, PortError>> {
        Box::pin(async move { Ok(self.log.truncate_to(offset).await?) })
    }

    fn read(&self, from: Offset, limit: ReadLimit) -> BoxFuture<'_, Result<Batches, ReadError>> {
        Box::pin(self.reads.read(Arc::clone(&self.log), from, limit))
    }

    fn set_intake(&self, intake: Intake) -> BoxFuture<'_, Result<LogEnds, PortError>> {
        Box::pin(async move { Ok(self.log.set_intake(intake).await?) })
    }

    fn forget_producers(&self) -> BoxFuture<'_, Result<Option<ProducerId>, PortError>> {
        Box::pin(async move { Ok(self.log.forget_producers().await?) })
    }
}

impl From<ChangeError> for PortError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::OutOfRange { .. } => Self::Refused(error.to_string().into()),
            ChangeError::Io(_) => Self::Unavailable(error.to_string().into()),
            ChangeError::Offline(reason) => Self::Offline(reason),
            ChangeError::Closed => Self::Closed,
        }
    }
}
