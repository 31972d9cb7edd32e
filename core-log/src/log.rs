//! The handle of one partition's log: what readers see, and where changes are asked for.
//!
//! The appender thread alone changes a log, under [`Log::writer`]. It publishes in an order that readers rely on: bytes,
//! then the segment's size, then the segment list, then the ends. A reader takes the ends first and the list after.

use std::{
    path::Path,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use protocol::{LeaderEpoch, Offset, ProducerId, TopicId, TopicPartition};

use crate::{
    Intake, LogConfig,
    appender::Command,
    batches::{Batches, ReadError, ReadLimit, TimestampOffset},
    ends::LogEnds,
    epochs::LeaderEpochs,
    errors::{ChangeError, OfflineReason},
    read,
    recent::RecentOfLog,
    search,
    segment::Segment,
    shared::Shared,
    watch::{Waiter, Watch, Watchers},
    writer::Writer,
};

/// How often a reader starts again when segments vanish or are cut under it.
const READ_ATTEMPTS: usize = 8;

/// A hundred thousand idle logs are normal.
const _: () = assert!(size_of::<Log>() <= 1024);

/// One partition's log.
pub struct Log {
    id: TopicPartition,
    topic_id: TopicId,
    pub(crate) key: u64,
    pub(crate) dir: Arc<Path>,
    pub(crate) shared: Arc<Shared>,
    /// Weak: logs do not keep the appender of a closed directory alive.
    commands: mpsc::WeakSender<Command>,
    config: Mutex<LogConfig>,
    ends: Mutex<LogEnds>,
    segments: ArcSwap<Vec<Arc<Segment>>>,
    /// Grows before and after a truncation, so that readers notice that bytes changed under them.
    cuts: AtomicU64,
    pub(crate) recent: Arc<RecentOfLog>,
    pub(crate) epochs: Mutex<LeaderEpochs>,
    watchers: Arc<Watchers>,
    offline: OnceLock<(OfflineReason, Arc<str>)>,
    /// The appender's own; nobody else waits for it.
    pub(crate) writer: Mutex<Writer>,
}

/// A log as it was found on disk.
pub(crate) struct Opened {
    pub(crate) ends: LogEnds,
    pub(crate) segments: Vec<Arc<Segment>>,
    pub(crate) epochs: LeaderEpochs,
    pub(crate) writer: Writer,
    pub(crate) offline: Option<OfflineReason>,
}

impl Log {
    pub(crate) fn new(
        id: TopicPartition,
        topic_id: TopicId,
        config: LogConfig,
        dir: Arc<Path>,
        shared: Arc<Shared>,
        commands: mpsc::WeakSender<Command>,
        opened: Opened,
    ) -> Self {
        let log = Self {
            id,
            topic_id,
            key: shared.next_id(),
            dir,
            shared,
            commands,
            config: Mutex::new(config),
            ends: Mutex::new(opened.ends),
            segments: ArcSwap::from_pointee(opened.segments),
            cuts: AtomicU64::new(0),
            recent: Arc::default(),
            epochs: Mutex::new(opened.epochs),
            watchers: Arc::default(),
            offline: OnceLock::new(),
            writer: Mutex::new(opened.writer),
        };
        if let Some(reason) = opened.offline {
            log.take_offline(reason);
        }
        log
    }

    pub fn id(&self) -> &TopicPartition {
        &self.id
    }

    pub fn topic_id(&self) -> TopicId {
        self.topic_id
    }

    pub fn ends(&self) -> LogEnds {
        *self.ends.lock()
    }

    pub fn config(&self) -> LogConfig {
        *self.config.lock()
    }

    /// Takes effect with the next append or retention pass. The intake stays what it is: [`Self::set_intake`] changes it.
    pub fn configure(&self, config: LogConfig) {
        let mut held = self.config.lock();
        *held = LogConfig { intake: held.intake, ..config };
    }

    /// Whom the log takes batches from.
    pub fn intake(&self) -> Intake {
        self.config.lock().intake
    }

    /// Bytes of all segments' batches.
    pub fn size_bytes(&self) -> u64 {
        self.segments.load().iter().map(|segment| segment.size()).sum()
    }

    /// Why the log takes and gives nothing any more, if so.
    pub fn offline(&self) -> Option<Arc<str>> {
        self.offline.get().map(|(_, text)| Arc::clone(text))
    }

    pub fn offline_reason(&self) -> Option<&OfflineReason> {
        self.offline.get().map(|(reason, _)| reason)
    }

    /// Wakes the waiter whenever [`Self::ends`] changed or the log went offline, until the guard is dropped.
    pub fn watch(&self, waiter: &Arc<Waiter>) -> Watch {
        self.watchers.register(waiter)
    }

    /// Whole batches from the one that holds `from`, out of memory. `None`: they are not all there, so use
    /// [`Self::read`], off the runtime threads.
    pub fn read_recent(&self, from: Offset, limit: ReadLimit) -> Option<Result<Batches, ReadError>> {
        let ends = match self.readable(from) {
            Ok(ends) => ends,
            Err(error) => return Some(Err(error)),
        };
        let limit = within(limit, ends);
        if from >= limit.until {
            return Some(Ok(Batches::empty_at(from)));
        }
        self.recent.read(from, limit).map(Ok)
    }

    /// Whole batches from the one that holds `from`, out of the segment files. Blocking.
    ///
    /// Of the batches below `limit.until`, as many as fit into `limit.max_bytes`; fewer where a segment ends.
    pub fn read(&self, from: Offset, limit: ReadLimit) -> Result<Batches, ReadError> {
        self.attempt(|| {
            let limit = within(limit, self.readable(from)?);
            if from >= limit.until {
                return Ok(Some(Batches::empty_at(from)));
            }
            read::read(&self.shared, &self.segments.load_full(), from, limit)
        })
    }

    /// The first record, in offset order, whose timestamp is at least `timestamp`. Blocking.
    pub fn find_by_timestamp(&self, timestamp: i64) -> Result<Option<TimestampOffset>, ReadError> {
        self.attempt(|| {
            let ends = self.online()?;
            search::first_at_or_after(&self.shared, &self.segments.load_full(), ends, timestamp).map(Some)
        })
    }

    /// The first of the records with the largest timestamp. Blocking.
    pub fn max_timestamp(&self) -> Result<Option<TimestampOffset>, ReadError> {
        self.attempt(|| {
            let ends = self.online()?;
            search::largest(&self.shared, &self.segments.load_full(), ends).map(Some)
        })
    }

    /// The largest epoch of at most `epoch` and the offset where it ends (KIP-101, KIP-320).
    pub fn epoch_end(&self, epoch: LeaderEpoch) -> Option<(LeaderEpoch, Offset)> {
        let log_end = self.ends().log_end;
        self.epochs.lock().end_for(epoch, log_end)
    }

    /// The epoch of the record at `offset`, or of the last one before it.
    pub fn epoch_at(&self, offset: Offset) -> Option<LeaderEpoch> {
        self.epochs.lock().epoch_at(offset)
    }

    pub fn latest_epoch(&self) -> Option<LeaderEpoch> {
        self.epochs.lock().latest()
    }

    /// Takes all from `offset` on out of the log, durably. Answers the new log end, where the last whole batch below `offset`
    /// ends: less than `offset` if that lies within a batch or a gap.
    pub async fn truncate_to(self: &Arc<Self>, offset: Offset) -> Result<Offset, ChangeError> {
        self.ask(|log, answer| Command::Truncate { log, offset, answer }).await
    }

    /// Moves the log start up to `offset`, at most to the high watermark, durably; deletes what lies below. Answers the
    /// log start, which never goes back.
    pub async fn advance_start(self: &Arc<Self>, offset: Offset) -> Result<Offset, ChangeError> {
        self.ask(|log, answer| Command::AdvanceStart { log, offset, answer }).await
    }

    /// From now on the log takes batches from these alone. What was queued before has its outcome and is on stable storage
    /// when this returns; what is queued later obeys. Answers the ends, of which the durable one is the log end.
    pub async fn set_intake(self: &Arc<Self>, intake: Intake) -> Result<LogEnds, ChangeError> {
        self.ask(|log, answer| Command::SetIntake { log, intake, answer }).await
    }

    /// Forgets all that is known of producers, open transactions too, durably: recovery does not look below this point for
    /// them again. Answers the largest producer id that was known.
    pub async fn forget_producers(self: &Arc<Self>) -> Result<Option<ProducerId>, ChangeError> {
        self.ask(|log, answer| Command::ForgetProducers { log, answer }).await
    }

    /// Has an empty log begin at `offset`, durably. [`ChangeError::OutOfRange`] for a log that has records, and for an offset
    /// below the log end.
    pub async fn start_at(self: &Arc<Self>, offset: Offset) -> Result<LogEnds, ChangeError> {
        self.ask(|log, answer| Command::StartAt { log, offset, answer }).await
    }

    async fn ask<T>(
        self: &Arc<Self>,
        command: impl FnOnce(Arc<Self>, oneshot::Sender<Result<T, ChangeError>>) -> Command,
    ) -> Result<T, ChangeError> {
        let commands = self.commands.upgrade().ok_or(ChangeError::Closed)?;
        let (sender, answer) = oneshot::channel();
        let command = command(Arc::clone(self), sender);
        commands.send(command).await.map_err(|_| ChangeError::Closed)?;
        drop(commands);
        answer.await.map_err(|_| ChangeError::Closed)?
    }

    /// Runs a read again when a deletion or truncation came between. `None`: what it looked for was gone.
    fn attempt<T>(&self, mut read: impl FnMut() -> Result<Option<T>, ReadError>) -> Result<T, ReadError> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let (cuts, log_start) = (self.cuts.load(Ordering::Acquire), self.ends().log_start);
            let result = read();
            let undisturbed =
                || self.cuts.load(Ordering::Acquire) == cuts && self.ends().log_start == log_start;
            match result {
                Ok(Some(found)) if self.cuts.load(Ordering::Acquire) == cuts => return Ok(found),
                Err(error) if attempts >= READ_ATTEMPTS || undisturbed() => return Err(error),
                Ok(None) if attempts >= READ_ATTEMPTS => {
                    return Err(std::io::Error::other("segments change").into());
                }
                _ => {}
            }
        }
    }

    fn online(&self) -> Result<LogEnds, ReadError> {
        match self.offline() {
            Some(reason) => Err(ReadError::Offline(reason)),
            None => Ok(self.ends()),
        }
    }

    fn readable(&self, from: Offset) -> Result<LogEnds, ReadError> {
        let ends = self.online()?;
        if from < ends.log_start || from > ends.log_end {
            return Err(ReadError::OutOfRange { log_start: ends.log_start, log_end: ends.log_end });
        }
        Ok(ends)
    }
}

/// The appender's side.
impl Log {
    pub(crate) fn segments(&self) -> Arc<Vec<Arc<Segment>>> {
        self.segments.load_full()
    }

    pub(crate) fn publish_segments(&self, segments: Vec<Arc<Segment>>) {
        self.segments.store(Arc::new(segments));
    }

    pub(crate) fn publish_ends(&self, ends: LogEnds) {
        let before = std::mem::replace(&mut *self.ends.lock(), ends);
        if before != ends {
            self.watchers.wake_all();
        }
    }

    pub(crate) fn obey(&self, intake: Intake) {
        self.config.lock().intake = intake;
    }

    pub(crate) fn cuts(&self) -> u64 {
        self.cuts.load(Ordering::Acquire)
    }

    pub(crate) fn mark_cut(&self) {
        self.cuts.fetch_add(1, Ordering::AcqRel);
    }

    /// For good: only a restart may bring the log back.
    pub(crate) fn take_offline(&self, reason: OfflineReason) -> Arc<str> {
        let (_, text) = self.offline.get_or_init(|| {
            if !matches!(reason, OfflineReason::Removed) {
                tracing::error!(log = %self.id, %reason, "log goes offline");
            }
            let text = Arc::from(reason.to_string());
            (reason, text)
        });
        self.recent.clear();
        self.watchers.wake_all();
        Arc::clone(text)
    }
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log").field("id", &self.id).field("ends", &self.ends()).finish_non_exhaustive()
    }
}

fn within(limit: ReadLimit, ends: LogEnds) -> ReadLimit {
    ReadLimit { until: limit.until.min(ends.log_end), ..limit }
}
