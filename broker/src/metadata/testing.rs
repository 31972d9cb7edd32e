//! What tests of metadata stand on: a log in memory, ids that count, a broker to answer as.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use bytestring::ByteString;
use parking_lot::Mutex;
use protocol::{
    BrokerId, Offset, Uuid,
    codec::{Api, Encoder},
};
use tokio::sync::{Semaphore, watch};

use super::{BrokerEndpoint, Change, IdSource, Image, Metadata, MetadataError, Mode, NewTopic, OpenError};
use crate::{
    api::RequestContext,
    record_log::{Appending, KeyValue, RecordLog, RecordLogError},
    settings::{Settings, TopicSettings},
};

/// Keeps batches of records; appends can be held back and made to fail.
pub(crate) struct MemoryLog {
    batches: Mutex<Vec<Vec<KeyValue>>>,
    fault: Mutex<Option<RecordLogError>>,
    permits: Semaphore,
    /// Appends that have begun, stored or not.
    begun: watch::Sender<usize>,
}

impl MemoryLog {
    pub(crate) fn new() -> Arc<Self> {
        Self::holding(Vec::new())
    }

    pub(crate) fn holding(records: Vec<KeyValue>) -> Arc<Self> {
        let permits = Semaphore::new(Semaphore::MAX_PERMITS);
        let begun = watch::Sender::new(0);
        Arc::new(Self { batches: Mutex::new(vec![records]), fault: Mutex::new(None), permits, begun })
    }

    /// From now on, appends wait for [`MemoryLog::release`].
    pub(crate) fn hold(&self) {
        self.permits.forget_permits(usize::MAX);
    }

    /// Lets one append go on.
    pub(crate) fn release(&self) {
        self.permits.add_permits(1);
    }

    /// Appends that have begun so far.
    pub(crate) fn begun(&self) -> usize {
        *self.begun.borrow()
    }

    /// Waits until so many appends have begun.
    pub(crate) async fn until_begun(&self, appends: usize) {
        let mut begun = self.begun.subscribe();
        begun.wait_for(|begun| *begun >= appends).await.expect("the sender lives as long as the log");
    }

    pub(crate) fn fail_with(&self, fault: Option<RecordLogError>) {
        *self.fault.lock() = fault;
    }

    pub(crate) fn records(&self) -> Vec<KeyValue> {
        self.batches.lock().iter().flatten().cloned().collect()
    }

    /// Appends so far.
    pub(crate) fn appends(&self) -> usize {
        self.batches.lock().len() - 1
    }
}

impl RecordLog for MemoryLog {
    fn append(&self, records: Vec<KeyValue>) -> Appending<'_> {
        Box::pin(async move {
            self.begun.send_modify(|begun| *begun += 1);
            self.permits.acquire().await.expect("it is never closed").forget();
            if let Some(fault) = self.fault.lock().clone() {
                return Err(fault);
            }
            let mut batches = self.batches.lock();
            let base = batches.iter().map(Vec::len).sum::<usize>();
            batches.push(records);
            Ok(Offset(i64::try_from(base).expect("a test's log is short")))
        })
    }

    fn replay(&self, each: &mut dyn FnMut(Offset, i64, KeyValue)) -> Result<(), RecordLogError> {
        if let Some(fault) = self.fault.lock().clone() {
            return Err(fault);
        }
        (0i64..).zip(self.records()).for_each(|(offset, record)| each(Offset(offset), 0, record));
        Ok(())
    }
}

/// Ids that count up from one no other source in the process gives.
pub(crate) fn counting_ids() -> Arc<dyn IdSource> {
    static SOURCES: AtomicU64 = AtomicU64::new(1);
    let source = SOURCES.fetch_add(1, Ordering::Relaxed);
    let next = AtomicU64::new(1);
    Arc::new(move || Uuid::from_u64_pair(source, next.fetch_add(1, Ordering::Relaxed)))
}

pub(crate) const BROKER: BrokerId = BrokerId(1_001);

pub(crate) async fn open_with(log: &Arc<MemoryLog>, topics: TopicSettings) -> Result<Metadata, OpenError> {
    Metadata::open(log.clone(), BROKER, topics, counting_ids()).await
}

pub(crate) async fn open(log: &Arc<MemoryLog>) -> Metadata {
    open_with(log, Settings::default().topics).await.expect("the log is sound")
}

/// A broker's metadata with these topics: one partition, no settings.
pub(crate) async fn with_topics(names: &[&'static str]) -> Metadata {
    let metadata = open(&MemoryLog::new()).await;
    for name in names {
        metadata.create_topic(NewTopic::named(*name)).await.expect("the name is free");
    }
    metadata
}

pub(crate) async fn commit(metadata: &Metadata, change: Change) -> Result<Arc<Image>, MetadataError> {
    metadata.propose(vec![change], Mode::Commit).await.pop().expect("one outcome")
}

pub(crate) fn endpoint() -> BrokerEndpoint {
    BrokerEndpoint {
        id: BROKER,
        host: ByteString::from_static("broker.example"),
        port: 9_092,
        rack: Some(ByteString::from_static("r1")),
    }
}

pub(crate) fn context(version: i16) -> RequestContext {
    RequestContext { version, client_id: None, peer: ([127, 0, 0, 1], 40_000).into() }
}

/// The message as the other side reads it; every field the version cannot carry must be allowed to be missing.
pub(crate) fn over_the_wire<M: Api>(message: &M, version: i16) -> M {
    let mut to = Encoder::new();
    message.write(&mut to, version).expect("the answer fits its version");
    M::read(to.into_bytes(), version).expect("what was written is read")
}
