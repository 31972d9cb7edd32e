//! A group's writes on their way to the log: one append at a time, in order; those that wait meanwhile go together.

use std::{collections::VecDeque, future, pin::Pin, sync::Arc};

use super::{core::WriteId, limits};
use crate::record_log::{KeyValue, RecordLog, RecordLogError};

type Append = Pin<Box<dyn Future<Output = Result<(), RecordLogError>> + Send>>;

pub(super) struct WriteQueue {
    log: Arc<dyn RecordLog>,
    waiting: VecDeque<(WriteId, Vec<KeyValue>)>,
    under_way: Option<(Vec<WriteId>, Append)>,
}

/// Writes that shared an append share its fate.
pub(super) struct Finished {
    pub(super) writes: Vec<WriteId>,
    pub(super) result: Result<(), RecordLogError>,
}

impl WriteQueue {
    pub(super) fn new(log: Arc<dyn RecordLog>) -> Self {
        Self { log, waiting: VecDeque::new(), under_way: None }
    }

    pub(super) fn push(&mut self, write: WriteId, records: Vec<KeyValue>) {
        self.waiting.push_back((write, records));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.under_way.is_none()
    }

    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() < limits::WRITES_MAX
    }

    /// The next append that ends; never, when nothing is to be written. May be dropped and asked for again.
    pub(super) async fn finished(&mut self) -> Finished {
        if self.under_way.is_none() {
            self.under_way = self.start();
        }
        let Some((_, append)) = &mut self.under_way else { return future::pending().await };
        let result = append.await;
        let writes = self.under_way.take().map(|(writes, _)| writes).unwrap_or_default();
        Finished { writes, result }
    }

    fn start(&mut self) -> Option<(Vec<WriteId>, Append)> {
        let (first, mut records) = self.waiting.pop_front()?;
        let mut writes = vec![first];
        let mut bytes = size_of(&records);
        while let Some((write, more)) = self.waiting.pop_front() {
            bytes += size_of(&more);
            if bytes > limits::APPEND_BYTES_MAX {
                self.waiting.push_front((write, more));
                break;
            }
            writes.push(write);
            records.extend(more);
        }
        let log = self.log.clone();
        Some((writes, Box::pin(async move { log.append(records).await.map(drop) })))
    }
}

fn size_of(records: &[KeyValue]) -> usize {
    /// A record's own fields beside key and value, generously.
    const OVERHEAD: usize = 32;
    let size = |record: &KeyValue| {
        OVERHEAD + record.key.len() + record.value.as_ref().map_or(0, |value| value.len())
    };
    records.iter().map(size).sum()
}
