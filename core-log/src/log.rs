//! The handle of one partition's log.
#![allow(unused_variables, clippy::unimplemented, clippy::unused_async)]
use std::sync::Arc;

use protocol::{LeaderEpoch, Offset, TopicId, TopicPartition};

use crate::{
    LogConfig,
    batches::{Batches, ReadError, ReadLimit, TimestampOffset},
    ends::LogEnds,
    errors::{ChangeError, OfflineReason},
    watch::{Waiter, Watch, Watchers},
};

#[derive(Debug)]
pub struct Log {
    id: TopicPartition,
    topic_id: TopicId,
    watchers: Arc<Watchers>,
}

impl Log {
    pub fn id(&self) -> &TopicPartition {
        &self.id
    }
    pub fn topic_id(&self) -> TopicId {
        self.topic_id
    }
    pub fn ends(&self) -> LogEnds {
        unimplemented!()
    }
    pub fn config(&self) -> LogConfig {
        unimplemented!()
    }
    /// Memory only; `None`: not all in memory, use `read` off the runtime threads.
    pub fn read_recent(&self, from: Offset, limit: ReadLimit) -> Option<Result<Batches, ReadError>> {
        unimplemented!()
    }
    /// Blocking.
    pub fn read(&self, from: Offset, limit: ReadLimit) -> Result<Batches, ReadError> {
        unimplemented!()
    }
    pub fn watch(&self, waiter: &Arc<Waiter>) -> Watch {
        self.watchers.register(waiter)
    }
    /// Blocking.
    pub fn find_by_timestamp(&self, timestamp: i64) -> Result<Option<TimestampOffset>, ReadError> {
        unimplemented!()
    }
    /// Blocking.
    pub fn max_timestamp(&self) -> Result<Option<TimestampOffset>, ReadError> {
        unimplemented!()
    }
    pub fn epoch_end(&self, epoch: LeaderEpoch) -> Option<(LeaderEpoch, Offset)> {
        unimplemented!()
    }
    pub fn latest_epoch(&self) -> Option<LeaderEpoch> {
        unimplemented!()
    }
    /// Answers the new log end: `offset`, or the base of the batch that `offset` lies within.
    pub async fn truncate_to(&self, offset: Offset) -> Result<Offset, ChangeError> {
        unimplemented!()
    }
    /// Answers the log start, which never goes back.
    pub async fn advance_start(&self, offset: Offset) -> Result<Offset, ChangeError> {
        unimplemented!()
    }
    pub fn configure(&self, config: LogConfig) {
        unimplemented!()
    }
    pub fn size_bytes(&self) -> u64 {
        unimplemented!()
    }
    pub fn offline(&self) -> Option<Arc<str>> {
        unimplemented!()
    }
    pub fn offline_reason(&self) -> Option<OfflineReason> {
        unimplemented!()
    }
}
