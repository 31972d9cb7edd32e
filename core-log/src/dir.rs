//! One log directory.
#![allow(unused_variables, clippy::unimplemented, clippy::unused_async)]
use std::{io, path::Path, sync::Arc};

use protocol::{TopicId, TopicPartition};

use crate::{
    Clock, LogConfig, LogDirSettings, Storage,
    append::{Ack, Append, Ticket},
    errors::{ChangeError, OpenError},
    log::Log,
};

#[derive(Debug)]
pub struct LogDir {}

/// What a retention pass did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CleanReport {
    pub logs: usize,
    pub segments_deleted: usize,
    pub bytes_deleted: u64,
    pub failures: usize,
}

impl LogDir {
    pub fn open(
        storage: Arc<dyn Storage>,
        clock: Arc<dyn Clock>,
        root: &Path,
        settings: LogDirSettings,
    ) -> Result<Arc<LogDir>, OpenError> {
        unimplemented!()
    }
    pub fn log(
        self: &Arc<Self>,
        id: &TopicPartition,
        topic_id: TopicId,
        config: LogConfig,
    ) -> Result<Arc<Log>, OpenError> {
        unimplemented!()
    }
    pub async fn submit(&self, appends: Vec<Append>, ack: Ack) -> Ticket {
        unimplemented!()
    }
    /// Off the runtime: like `submit`.
    pub fn submit_blocking(&self, appends: Vec<Append>, ack: Ack) -> Ticket {
        unimplemented!()
    }
    pub async fn remove(&self, log: &Arc<Log>) -> io::Result<()> {
        unimplemented!()
    }
    pub fn names(&self) -> io::Result<Vec<(TopicPartition, Option<TopicId>)>> {
        unimplemented!()
    }
    pub async fn clean(&self) -> CleanReport {
        unimplemented!()
    }
    pub async fn checkpoint(&self) -> Result<(), ChangeError> {
        unimplemented!()
    }
    pub async fn close(&self) -> Result<(), ChangeError> {
        unimplemented!()
    }
}
