//! A sink that counts and forgets.

use std::{collections::HashMap, sync::Arc};

use bytes::BytesMut;
use core_log::{Appended, Batches, Intake, LogEnds, ReadError, ReadLimit, Waiter, Watch};
use mirror::ports::{Arrival, BatchSink, BoxFuture, PortError, Settled, SinkPartition};
use parking_lot::Mutex;
use protocol::{LeaderEpoch, Offset, PartitionId, ProducerId, TopicId, batch::BatchHeader};
use tokio::sync::watch;

pub(crate) struct Discard {
    ends: Arc<Mutex<HashMap<(TopicId, PartitionId), Offset>>>,
    bytes: watch::Sender<u64>,
}

struct DiscardPartition {
    key: (TopicId, PartitionId),
    ends: Arc<Mutex<HashMap<(TopicId, PartitionId), Offset>>>,
    bytes: watch::Sender<u64>,
}

impl Discard {
    pub(crate) fn new() -> (Arc<Self>, watch::Receiver<u64>) {
        let (bytes, seen) = watch::channel(0);
        (Arc::new(Self { ends: Arc::default(), bytes }), seen)
    }
}

impl BatchSink for Discard {
    fn partition(
        &self,
        topic: TopicId,
        partition: PartitionId,
    ) -> BoxFuture<'_, Result<Arc<dyn SinkPartition>, PortError>> {
        let (ends, bytes) = (Arc::clone(&self.ends), self.bytes.clone());
        let found = Arc::new(DiscardPartition { key: (topic, partition), ends, bytes });
        Box::pin(async { Ok(found as Arc<dyn SinkPartition>) })
    }

    fn producer_id(&self) -> BoxFuture<'_, Result<ProducerId, PortError>> {
        Box::pin(async { Ok(ProducerId(1)) })
    }
}

impl SinkPartition for DiscardPartition {
    fn ends(&self) -> LogEnds {
        let end = self.ends.lock().get(&self.key).copied().unwrap_or(Offset::ZERO);
        LogEnds { log_start: Offset::ZERO, ..LogEnds::empty_at(end) }
    }

    fn offline(&self) -> Option<Arc<str>> {
        None
    }

    fn watch(&self, _waiter: &Arc<Waiter>) -> Watch {
        panic!("nobody watches what is thrown away")
    }

    fn latest_epoch(&self) -> Option<LeaderEpoch> {
        (self.ends().log_end > Offset::ZERO).then_some(LeaderEpoch(0))
    }

    fn append(&self, batches: Vec<BytesMut>, _arrival: Arrival) -> BoxFuture<'_, Settled> {
        let mut done = Vec::new();
        let mut bytes = 0;
        for batch in &batches {
            let header = BatchHeader::parse(batch).unwrap();
            let (base_offset, last_offset) = (header.base_offset, header.last_offset());
            self.ends.lock().insert(self.key, header.next_offset());
            bytes += batch.len() as u64;
            let log_start = Offset::ZERO;
            done.push(Ok(Appended {
                base_offset,
                last_offset,
                append_time_ms: -1,
                log_start,
                duplicate: false,
            }));
        }
        self.bytes.send_modify(|count| *count += bytes);
        Box::pin(async { Box::pin(async { done }) as Settled })
    }

    fn advance_start(&self, offset: Offset) -> BoxFuture<'_, Result<Offset, PortError>> {
        Box::pin(async move { Ok(offset) })
    }

    fn start_at(&self, _offset: Offset) -> BoxFuture<'_, Result<LogEnds, PortError>> {
        Box::pin(async { Ok(self.ends()) })
    }

    fn truncate_to(&self, offset: Offset) -> BoxFuture<'_, Result<Offset, PortError>> {
        Box::pin(async move { Ok(offset) })
    }

    fn read(&self, from: Offset, _limit: ReadLimit) -> BoxFuture<'_, Result<Batches, ReadError>> {
        Box::pin(async move { Ok(Batches::empty_at(from)) })
    }

    fn set_intake(&self, _intake: Intake) -> BoxFuture<'_, Result<LogEnds, PortError>> {
        Box::pin(async { Ok(self.ends()) })
    }

    fn forget_producers(&self) -> BoxFuture<'_, Result<Option<ProducerId>, PortError>> {
        Box::pin(async { Ok(None) })
    }
}
