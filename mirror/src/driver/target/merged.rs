//! Records into a log that others write too: stamped with where they come from, and entered in the translation table.
//!
//! The log is the truth: a batch's origin is in the batch, so what the table lacks after a crash is read from the log. The
//! table is written and synced after the batches are durable and before the source hears of it.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Weak},
};

use bytes::BytesMut;
use parking_lot::Mutex;

use core_log::{Appended, ReadLimit, Storage};
use protocol::{
    LeaderEpoch, Offset, ProducerId,
    batch::{BatchError, BatchHeader},
};

use super::{
    apply::{Applier, Outcome, end_of},
    landing::{readable, stop_reason},
};
use crate::{
    driver::workers::Workers,
    link::receiver::{Apply, ApplyFailure, LocalPosition, PartitionKey, Stall},
    ports::{Arrival, BatchSink, SinkPartition},
    position::{SourceOffset, TargetOffset},
    stop::StopReason,
    translation::{
        Run, TableError, TableFile, TableKey, TargetLog,
        provenance::{Relay, stamp},
    },
};

/// Read from the log at once when the table is compared with it.
const READ_BYTES: usize = 4 << 20;

/// The translation tables of a link. Of each there is one at a time: a second one would not know what the first appends.
#[derive(Clone)]
pub(crate) struct Tables {
    link: String,
    storage: Arc<dyn Storage>,
    directory: PathBuf,
    sink: Arc<dyn BatchSink>,
    workers: Workers,
    /// Those that are open; who opens one holds its lock.
    open: Arc<Mutex<HashMap<PartitionKey, Arc<Opening>>>>,
}

type Opening = tokio::sync::Mutex<Weak<MergedPlace>>;

/// A log with other writers, and the table of what came from this source.
pub(crate) struct MergedPlace {
    sink: Arc<dyn SinkPartition>,
    table: Mutex<TableFile>,
    provenance: ProducerId,
}

impl Tables {
    /// Of the link `FROM:TO`, below `directory`.
    pub(crate) fn new(
        link: String,
        directory: PathBuf,
        storage: Arc<dyn Storage>,
        sink: Arc<dyn BatchSink>,
        workers: Workers,
    ) -> Self {
        Self { link, storage, directory, sink, workers, open: Arc::default() }
    }

    /// The table of a partition, brought up to its log; a new one where there is none.
    pub(super) async fn open(
        &self,
        key: PartitionKey,
        sink: Arc<dyn SinkPartition>,
    ) -> Result<Arc<MergedPlace>, StopReason> {
        let opening = Arc::clone(self.open.lock().entry(key).or_default());
        let mut open = opening.lock().await;
        match open.upgrade() {
            Some(place) => Ok(place),
            None => {
                let place = Arc::new(self.bring_up(key, sink).await?);
                *open = Arc::downgrade(&place);
                Ok(place)
            }
        }
    }

    async fn bring_up(
        &self,
        key: PartitionKey,
        sink: Arc<dyn SinkPartition>,
    ) -> Result<MergedPlace, StopReason> {
        let mut table = match self.find(key).await? {
            Some(table) => table,
            None => self.create(key).await?,
        };
        let end = sink.ends().log_end;
        let mut at = table.table().target_end().map_or(sink.ends().log_start, TargetOffset::offset);
        at = at.max(sink.ends().log_start);
        let target_end = TargetOffset::new(end);
        loop {
            let headers;
            (headers, at) = match at < end {
                true => headers_from(&*sink, at, end).await?,
                false => (Vec::new(), at),
            };
            table = self.on_worker(move || table.reconcile(target_end, headers).map(|_| table)).await?;
            if at >= end {
                let provenance = table.provenance();
                return Ok(MergedPlace { sink, table: Mutex::new(table), provenance });
            }
        }
    }

    async fn find(&self, key: PartitionKey) -> Result<Option<TableFile>, StopReason> {
        let (storage, path, key) = (Arc::clone(&self.storage), self.path(key), self.key(key));
        self.on_worker(move || TableFile::open(storage, &path, &key)).await
    }

    async fn create(&self, key: PartitionKey) -> Result<TableFile, StopReason> {
        let provenance = self.sink.producer_id().await.map_err(|error| stop_reason(&error))?;
        let (storage, path, key) = (Arc::clone(&self.storage), self.path(key), self.key(key));
        let directory = self.link_directory();
        self.on_worker(move || {
            make_directory(&*storage, &directory)?;
            TableFile::create(storage, &path, key, provenance, SourceOffset::ZERO)
        })
        .await
    }

    async fn on_worker<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> Result<T, TableError> + Send + 'static,
    ) -> Result<T, StopReason> {
        match self.workers.run(job).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(table_failed(&error)),
            Err(error) => Err(StopReason::TargetOffline { what: error.to_string() }),
        }
    }

    fn link_directory(&self) -> PathBuf {
        // A colon is no character for a file name everywhere.
        self.directory.join(self.link.replace(':', "+"))
    }

    fn path(&self, key: PartitionKey) -> PathBuf {
        self.link_directory().join(self.key(key).file_name())
    }

    fn key(&self, key: PartitionKey) -> TableKey {
        TableKey { link: self.link.clone(), topic_id: key.topic_id, partition: key.partition }
    }
}

impl MergedPlace {
    pub(super) fn sink(&self) -> &Arc<dyn SinkPartition> {
        &self.sink
    }

    pub(super) fn position(&self) -> LocalPosition {
        let table = self.table.lock();
        let next_offset = table.table().resume().offset();
        let fresh = table.table().target_end().is_none();
        // The log holds what the source's log held: nothing is asked of where it starts.
        LocalPosition {
            log_start: Offset::ZERO,
            next_offset,
            durable_end: next_offset,
            last_epoch: None,
            fresh,
        }
    }

    pub(super) fn translate(&self, position: SourceOffset) -> Option<(TargetOffset, SourceOffset)> {
        let table = self.table.lock();
        let all = TargetLog { start: TargetOffset::ZERO, end: TargetOffset::new(Offset(i64::MAX)) };
        let found = table.table().to_target(position, all)?;
        Some((found.position(), table.table().resume()))
    }

    /// Answers look-ups of either direction, within what consumers can read.
    pub(crate) fn with_table<T>(
        &self,
        look_up: impl FnOnce(&crate::translation::Table, TargetLog) -> T,
    ) -> T {
        look_up(self.table.lock().table(), readable(&*self.sink))
    }

    /// The source's log begins at `position` for us: nothing before it is mirrored.
    pub(super) async fn skip_to(
        self: Arc<Self>,
        position: Offset,
        workers: &Workers,
    ) -> Result<(), ApplyFailure> {
        self.on_table(workers, move |table| {
            table.skip_to(SourceOffset::new(position)).and_then(|()| table.sync())
        })
        .await
    }

    /// Appends to a log that others write too.
    pub(super) async fn merge(self: Arc<Self>, applier: &Applier, apply: Apply) -> Outcome {
        let (from, until) = (apply.rules.from, end_of(&apply));
        let failed = |end, failure| Outcome { end, result: Err(failure) };
        let batches = match applier.unpack(apply.blocks, apply.rules).await {
            Ok(batches) => batches,
            Err(failure) => return failed(from, failure),
        };
        let Stamped { batches, sources, stop } = self.stamp(batches);
        let bytes = batches.iter().map(BytesMut::len).sum();
        let leader_epoch = self.sink.latest_epoch().unwrap_or(LeaderEpoch(0));
        let settled = match batches.is_empty() {
            true => Vec::new(),
            false => self.sink.append(batches, Arrival::Merged { leader_epoch }).await.await,
        };
        let runs = runs(&sources, settled.iter().map_while(|outcome| outcome.as_ref().ok()));
        let end = runs.last().map_or(from, |run| run.source_end().offset());
        let result = applier.result(settled, bytes);
        let skip_to = SourceOffset::new(if result.is_ok() && stop.is_none() { until } else { end });
        let entered = self
            .on_table(&applier.workers, move |table| {
                table.append(&runs)?;
                table.skip_to(skip_to)?;
                // Whoever trims the log may do so at once, and then it cannot tell any more what the table has lost.
                table.sync()
            })
            .await;
        match (entered, result, stop) {
            (Err(failure), _, _) => failed(from, failure),
            (Ok(()), Err(failure), _) => failed(end, failure),
            (Ok(()), Ok(()), Some(reason)) => failed(end, ApplyFailure::Stop(reason)),
            (Ok(()), Ok(()), None) => Outcome { end: until, result: Ok(()) },
        }
    }

    /// Says in each batch where it comes from; leaves out what has no place here.
    fn stamp(&self, batches: Vec<BytesMut>) -> Stamped {
        let mut stamped = Stamped::default();
        for mut batch in batches {
            let header = match BatchHeader::parse(&batch) {
                Ok(header) => header,
                Err(error) => return stamped.until(unsupported(Offset::NONE, &error.to_string())),
            };
            match Relay::of(&header) {
                Relay::Skip => {}
                Relay::Transactional => {
                    let what = "part of a transaction, which a merged topic cannot keep whole";
                    return stamped.until(unsupported(header.base_offset, what));
                }
                Relay::Batch => {
                    if let Err(error) = stamp(&mut batch, self.provenance) {
                        return stamped.until(unsupported(header.base_offset, &error.to_string()));
                    }
                    stamped.sources.push(header.base_offset);
                    stamped.batches.push(batch);
                }
            }
        }
        stamped
    }

    async fn on_table(
        self: Arc<Self>,
        workers: &Workers,
        job: impl FnOnce(&mut TableFile) -> Result<(), TableError> + Send + 'static,
    ) -> Result<(), ApplyFailure> {
        match workers.run(move || job(&mut self.table.lock())).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) if error.is_no_space() => Err(ApplyFailure::Wait(Stall::NoSpace)),
            Ok(Err(error)) => Err(ApplyFailure::Stop(table_failed(&error))),
            Err(error) => Err(ApplyFailure::Stop(StopReason::TargetOffline { what: error.to_string() })),
        }
    }
}

/// Batches that may be appended, and where each was at the source.
#[derive(Default)]
struct Stamped {
    batches: Vec<BytesMut>,
    sources: Vec<Offset>,
    /// Why no more of them.
    stop: Option<StopReason>,
}

impl Stamped {
    fn until(mut self, reason: StopReason) -> Self {
        self.stop = Some(reason);
        self
    }
}

/// One run for each batch that was appended.
fn runs<'a>(sources: &[Offset], appended: impl Iterator<Item = &'a Appended>) -> Vec<Run> {
    let run = |(source, done): (&Offset, &Appended)| {
        let length = done.last_offset.plus(1) - done.base_offset;
        Run::new(SourceOffset::new(*source), TargetOffset::new(done.base_offset), length)
    };
    sources.iter().zip(appended).map(run).collect()
}

/// The headers of the batches from `at` on, and where to go on.
async fn headers_from(
    sink: &dyn SinkPartition,
    at: Offset,
    end: Offset,
) -> Result<(Vec<BatchHeader>, Offset), StopReason> {
    let limit = ReadLimit { max_bytes: READ_BYTES, until: end, at_least_one: true };
    let offline = |what: String| StopReason::TargetOffline { what };
    let read = sink.read(at, limit).await.map_err(|error| offline(error.to_string()))?;
    let mut headers = Vec::new();
    for piece in &read.pieces {
        let mut rest: &[u8] = piece;
        while !rest.is_empty() {
            let header = BatchHeader::parse(rest).map_err(|error: BatchError| offline(error.to_string()))?;
            rest = rest.get(header.size_bytes..).unwrap_or_default();
            headers.push(header);
        }
    }
    // Nothing below the end: the log has a gap there.
    let next = if read.is_empty() { end } else { read.next_offset };
    Ok((headers, next))
}

fn make_directory(storage: &dyn Storage, directory: &Path) -> Result<(), TableError> {
    let failed = |source| TableError::Io { path: directory.to_owned(), source: Arc::new(source) };
    storage.create_dir(directory).map_err(failed)?;
    directory.parent().map_or(Ok(()), |parent| storage.sync_dir(parent)).map_err(failed)
}

fn unsupported(offset: Offset, what: &str) -> StopReason {
    StopReason::UnsupportedBatch { offset, what: what.to_owned() }
}

fn table_failed(error: &TableError) -> StopReason {
    StopReason::TargetOffline { what: format!("translation table: {error}") }
}
