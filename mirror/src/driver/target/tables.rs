//! The translation tables of a node: made, opened, brought up to their logs, and found by the name of the source's topic.
//!
//! The log is the truth: a batch's origin is in the batch, so what a table lacks after a crash, or has lost to a damaged file,
//! is read from the log.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Weak},
};

use parking_lot::Mutex;

use core_log::{ReadLimit, Storage};
use protocol::{
    Offset, PartitionId, TopicName,
    batch::{BatchError, BatchHeader},
};

use super::{landing::stop_reason, merged::MergedPlace, shelf::Shelf};
use crate::{
    driver::workers::Workers,
    ports::{BatchSink, SinkPartition},
    position::{SourceOffset, TargetOffset},
    stop::StopReason,
    translation::{Healed, TableError, TableFile, TableKey, TableLabel},
};

/// Read from the log at once when a table is compared with it.
const READ_BYTES: usize = 4 << 20;

/// Of each table there is one at a time: a second one would not know what the first appends.
pub(crate) struct Tables {
    storage: Arc<dyn Storage>,
    directory: PathBuf,
    sink: Arc<dyn BatchSink>,
    workers: Workers,
    /// Those that are open; who opens one holds its lock.
    open: Mutex<HashMap<TableKey, Arc<Opening>>>,
    /// All that there are, once somebody asked for one by name.
    shelf: tokio::sync::Mutex<Option<Shelf>>,
}

type Opening = tokio::sync::Mutex<Weak<MergedPlace>>;

impl Tables {
    /// Those of each link are in a directory below `directory`.
    pub(crate) fn new(
        directory: PathBuf,
        storage: Arc<dyn Storage>,
        sink: Arc<dyn BatchSink>,
        workers: Workers,
    ) -> Self {
        Self {
            storage,
            directory,
            sink,
            workers,
            open: Mutex::default(),
            shelf: tokio::sync::Mutex::default(),
        }
    }

    /// The table of a partition of what the source calls `topic`, brought up to its log; a new one where there is none.
    pub(super) async fn open(
        &self,
        key: TableKey,
        topic: &TopicName,
        sink: Arc<dyn SinkPartition>,
    ) -> Result<Arc<MergedPlace>, StopReason> {
        let opening = Arc::clone(self.open.lock().entry(key.clone()).or_default());
        let mut open = opening.lock().await;
        match open.upgrade() {
            Some(place) => Ok(place),
            None => {
                let place = Arc::new(self.bring_up(key, topic, sink).await?);
                *open = Arc::downgrade(&place);
                Ok(place)
            }
        }
    }

    /// The tables of a partition of what the source of a link calls `topic`, the one made last first: the source may have made
    /// its topic anew, or it was merged into another one here before.
    pub(super) async fn named(
        &self,
        link: &str,
        topic: &str,
        partition: PartitionId,
    ) -> Result<Vec<TableLabel>, StopReason> {
        let mut shelf = self.shelf.lock().await;
        let shelf = match &mut *shelf {
            Some(shelf) => shelf,
            None => {
                let (storage, directory) = (Arc::clone(&self.storage), self.directory.clone());
                shelf.insert(self.on_worker(move || Shelf::read(&*storage, &directory)).await?)
            }
        };
        shelf.find(link, topic, partition)
    }

    async fn bring_up(
        &self,
        key: TableKey,
        topic: &TopicName,
        sink: Arc<dyn SinkPartition>,
    ) -> Result<MergedPlace, StopReason> {
        let mut table = match self.find(key.clone(), topic.clone()).await? {
            Some(table) => table,
            None => self.create(key.clone(), topic.clone()).await?,
        };
        let (start, end) = (sink.ends().log_start, sink.ends().log_end);
        let mut at = table.table().target_end().map_or(start, TargetOffset::offset).max(start);
        let target_end = TargetOffset::new(end);
        loop {
            let headers;
            (headers, at) = match at < end {
                true => headers_from(&*sink, at, end).await?,
                false => (Vec::new(), at),
            };
            table = self.on_worker(move || table.reconcile(target_end, headers).map(|_| table)).await?;
            if at >= end {
                break;
            }
        }
        let heal = move || table.heal(TargetOffset::new(start)).map(|healed| (table, healed));
        let (table, healed) = self.on_worker(heal).await?;
        if let Some(healed) = healed {
            warn_of_damage(&key, topic, &healed);
        }
        if let Some(shelf) = &mut *self.shelf.lock().await {
            shelf.put(table.label());
        }
        Ok(MergedPlace::new(sink, table))
    }

    async fn find(&self, key: TableKey, topic: TopicName) -> Result<Option<TableFile>, StopReason> {
        let (storage, path) = (Arc::clone(&self.storage), self.path(&key));
        self.on_worker(move || TableFile::open(storage, &path, &key, &topic)).await
    }

    async fn create(&self, key: TableKey, topic: TopicName) -> Result<TableFile, StopReason> {
        let provenance = self.sink.producer_id().await.map_err(|error| stop_reason(&error))?;
        let (storage, path) = (Arc::clone(&self.storage), self.path(&key));
        self.on_worker(move || {
            make_directory(&*storage, path.parent().unwrap_or(Path::new("")))?;
            let label = TableLabel { key, topic, provenance };
            TableFile::create(storage, &path, label, SourceOffset::ZERO)
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

    fn path(&self, key: &TableKey) -> PathBuf {
        self.directory.join(directory_name(&key.link)).join(key.file_name())
    }
}

/// A colon is no character for a file name everywhere.
pub(super) fn directory_name(link: &str) -> String {
    link.replace(':', "+")
}

fn warn_of_damage(key: &TableKey, topic: &TopicName, healed: &Healed) {
    let Healed { path, kept, at, what, found_runs, found_offsets } = healed;
    tracing::warn!(
        link = key.link, %topic, partition = %key.partition, file = %path.display(), byte = at, what,
        found_runs, found_offsets, kept = %kept.display(),
        "a translation table was damaged: what it had lost was found again in the log; check the disk"
    );
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

pub(super) fn table_failed(error: &TableError) -> StopReason {
    match error.is_lost() {
        true => StopReason::TranslationLost { what: error.to_string() },
        false => StopReason::TargetOffline { what: error.to_string() },
    }
}
