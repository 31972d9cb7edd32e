//! One log directory on one disk: its logs, its appender, its checkpoints.

use std::{collections::HashMap, io, path::Path, sync::Arc, thread::JoinHandle};

use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use protocol::{TopicId, TopicPartition};

use crate::{
    Ack, Append, ChangeError, Clock, Log, LogConfig, LogDirSettings, OfflineReason, OpenError, Storage,
    Ticket,
    appender::{self, Command},
    flush,
    janitor::{self, Janitor, Job},
    journal,
    marks::Marks,
    names,
    partition_metadata::{PARTITION_METADATA, format_partition_metadata},
    recovery,
    shared::Shared,
    storage::{self, DirLock, LockError, Space},
};

/// A log directory that this process holds. Dropping it without [`LogDir::close`] is like a crash: the next one to open it
/// has to scan.
pub struct LogDir {
    pub(crate) shared: Arc<Shared>,
    /// Taken out only when the directory is dropped.
    commands: Option<mpsc::Sender<Command>>,
    logs: Mutex<HashMap<TopicPartition, Arc<Slot>>>,
    /// The last shutdown left all logs as they should be.
    clean: bool,
    threads: Vec<JoinHandle<()>>,
    /// Until the directory is closed.
    lock: Mutex<Option<DirLock>>,
}

/// Held while its log is opened, which may take long; so one log does not keep others waiting.
#[derive(Default)]
struct Slot {
    log: Mutex<Option<Arc<Log>>>,
}

/// What a retention pass did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CleanReport {
    pub logs: usize,
    pub segments_deleted: usize,
    pub bytes_deleted: u64,
    /// Logs that could not be cleaned.
    pub failures: usize,
}

impl LogDir {
    /// Takes the directory, which is made if need be. Reads its checkpoints; logs are looked at when [`Self::log`] asks.
    pub fn open(
        storage: Arc<dyn Storage>,
        clock: Arc<dyn Clock>,
        root: &Path,
        settings: LogDirSettings,
    ) -> Result<Arc<Self>, OpenError> {
        let failed = |error| OpenError::Io { path: root.to_owned(), error };
        make_root(&*storage, root).map_err(failed)?;
        let lock = storage.lock(root).map_err(|error| match error {
            LockError::Held { .. } => OpenError::Locked(error.to_string()),
            LockError::Io { source, .. } => failed(source),
        })?;
        let marks = Marks::read(&*storage, root)?;
        let clean = take_clean_marker(&*storage, root).map_err(failed)?;
        let (janitor, jobs) = Janitor::new(Arc::clone(&storage));
        let (sender, commands) = mpsc::channel(settings.queue_max.max(1));
        let interval = settings.checkpoint_interval;
        let shared = Arc::new(Shared::new(
            Arc::clone(&storage),
            Arc::clone(&clock),
            root.to_owned(),
            settings,
            marks,
            janitor,
        ));
        journal::redo(&shared).map_err(failed)?;
        sweep(&shared).map_err(failed)?;
        let (flusher, flushing) = flush::spawn(sender.downgrade()).map_err(failed)?;
        let threads = vec![
            janitor::spawn(jobs, storage, clock, sender.downgrade(), interval).map_err(failed)?,
            appender::spawn(Arc::clone(&shared), commands, flusher).map_err(failed)?,
            flushing,
        ];
        Ok(Arc::new(Self {
            shared,
            commands: Some(sender),
            logs: Mutex::default(),
            clean,
            threads,
            lock: Mutex::new(Some(lock)),
        }))
    }

    /// The log of a partition. One that has no directory is empty, and the first append makes it. A directory that belongs
    /// to another topic id is set aside and deleted. Blocking: a log may have to be recovered.
    pub fn log(
        self: &Arc<Self>,
        id: &TopicPartition,
        topic_id: TopicId,
        config: LogConfig,
    ) -> Result<Arc<Log>, OpenError> {
        let id = TopicPartition { topic: id.topic.detached(), partition: id.partition };
        let slot = Arc::clone(self.logs.lock().entry(id.clone()).or_default());
        let mut held = slot.log.lock();
        if let Some(log) = &*held {
            let removed = matches!(log.offline_reason(), Some(OfflineReason::Removed));
            if log.topic_id() == topic_id && !removed {
                log.configure(config);
                return Ok(Arc::clone(log));
            }
            self.remove_blocking(log)?;
            *held = None;
        }
        let log = Arc::new(self.open_log(id, topic_id, config)?);
        *held = Some(Arc::clone(&log));
        Ok(log)
    }

    /// Queues appends to one or more logs; waits only for room in the queue. The order of submits is the order of appends.
    pub async fn submit(&self, appends: Vec<Append>, ack: Ack) -> Ticket {
        let (answer, ticket) = Ticket::new(appends.len());
        // When the queue is closed, the ticket says so.
        let _ = self.commands().send(Command::Append { appends, ack, answer }).await;
        ticket
    }

    /// Like [`Self::submit`], off the runtime.
    pub fn submit_blocking(&self, appends: Vec<Append>, ack: Ack) -> Ticket {
        let (answer, ticket) = Ticket::new(appends.len());
        let _ = self.commands().blocking_send(Command::Append { appends, ack, answer });
        ticket
    }

    /// Takes the log out of the directory: when this returns, a log of the same name is a new one.
    pub async fn remove(&self, log: &Arc<Log>) -> io::Result<()> {
        let (sender, answer) = oneshot::channel();
        let command = Command::Remove { log: Arc::clone(log), answer: sender };
        let closed = || io::Error::other(ChangeError::Closed);
        self.commands().send(command).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())??;
        let mut logs = self.logs.lock();
        let held = logs.get(log.id()).is_some_and(|slot| {
            let held = slot.log.try_lock();
            held.is_some_and(|held| held.as_ref().is_some_and(|held| Arc::ptr_eq(held, log)))
        });
        if held {
            logs.remove(log.id());
        }
        Ok(())
    }

    /// The logs that have a directory, and the topic ids that these say they belong to. Blocking.
    pub fn names(&self) -> io::Result<Vec<(TopicPartition, Option<TopicId>)>> {
        let names = self.shared.storage.list(&self.shared.root)?;
        let logs = names.iter().filter_map(|name| names::parse_dir(name.to_str()?));
        // An unreadable topic id is as good as none.
        let named = logs.map(|id| {
            let topic_id = recovery::topic_id(&self.shared, &self.dir_of(&id)).unwrap_or_default();
            (id, topic_id)
        });
        Ok(named.collect())
    }

    /// Whether the directory was left by [`Self::close`]: otherwise logs may have lost what was never promised.
    pub fn was_closed(&self) -> bool {
        self.clean
    }

    pub fn root(&self) -> &Path {
        &self.shared.root
    }

    /// Room on the directory's disk. Blocking.
    pub fn space(&self) -> io::Result<Space> {
        self.shared.storage.space(&self.shared.root)
    }

    /// One retention pass over all open logs.
    pub async fn clean(&self) -> CleanReport {
        let mut total = CleanReport::default();
        for log in self.open_logs() {
            let (sender, answer) = oneshot::channel();
            if self.commands().send(Command::Clean { log: Arc::clone(&log), answer: sender }).await.is_err() {
                break;
            }
            match answer.await.unwrap_or(Err(ChangeError::Closed)) {
                Ok(report) => {
                    total.logs += report.logs;
                    total.segments_deleted += report.segments_deleted;
                    total.bytes_deleted += report.bytes_deleted;
                }
                Err(error) => {
                    tracing::warn!(log = %log.id(), %error, "log not cleaned");
                    total.failures += 1;
                }
            }
        }
        total
    }

    /// Syncs what is not yet and writes the durable marks. Happens by itself within the checkpoint interval.
    pub async fn checkpoint(&self) -> Result<(), ChangeError> {
        self.ask(|answer| Command::Checkpoint { answer: Some(answer) }).await
    }

    /// Finishes what is queued, syncs, leaves what lets the next one open the directory without a scan, and lets go of the
    /// directory.
    pub async fn close(&self) -> Result<(), ChangeError> {
        let logs = self.open_logs();
        let closed = self.ask(|answer| Command::Close { logs, answer }).await;
        self.lock.lock().take();
        closed
    }

    async fn ask(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<(), ChangeError>>) -> Command,
    ) -> Result<(), ChangeError> {
        let (sender, answer) = oneshot::channel();
        self.commands().send(command(sender)).await.map_err(|_| ChangeError::Closed)?;
        answer.await.map_err(|_| ChangeError::Closed)?
    }

    fn commands(&self) -> &mpsc::Sender<Command> {
        self.commands.as_ref().expect("the sender is taken only when the directory is dropped")
    }

    /// Never waits: logs that are being opened right now are left out, and have nothing to be kept yet.
    fn open_logs(&self) -> Vec<Arc<Log>> {
        let slots: Vec<_> = self.logs.lock().values().cloned().collect();
        slots.iter().filter_map(|slot| slot.log.try_lock()?.clone()).collect()
    }

    pub(crate) fn dir_of(&self, id: &TopicPartition) -> std::path::PathBuf {
        self.shared.root.join(id.to_string())
    }

    fn open_log(&self, id: TopicPartition, topic_id: TopicId, config: LogConfig) -> Result<Log, OpenError> {
        let dir: Arc<Path> = Arc::from(self.dir_of(&id));
        let failed = |error| OpenError::Io { path: dir.to_path_buf(), error };
        let has_mark = self.shared.marks.lock().recovery_point(&id).is_some();
        let there = match recovery::topic_id(&self.shared, &dir) {
            // As when the power goes while a directory is made: nothing in it was promised. Kept all the same: who knows.
            Err(error) if error.kind() == io::ErrorKind::InvalidData && !has_mark => {
                let aside = self.keep_as_stray(&id).map_err(failed)?;
                tracing::warn!(log = %id, %error, aside = %aside.display(), "directory without a whole topic id set aside");
                None
            }
            there => there.map_err(failed)?,
        };
        if there.is_some_and(|there| there != topic_id && topic_id != TopicId::ZERO) {
            self.set_aside(&dir, &id, there.unwrap_or_default()).map_err(failed)?;
        }
        let found = recovery::find(&self.shared, &dir).map_err(failed)?;
        if found.is_some() && there.is_none() && topic_id != TopicId::ZERO {
            let content = format_partition_metadata(topic_id);
            let path = dir.join(PARTITION_METADATA);
            storage::replace_file(&*self.shared.storage, &path, content.as_bytes()).map_err(failed)?;
        }
        let opened = recovery::open(&self.shared, &id, &dir, found, self.clean)?;
        let shared = Arc::clone(&self.shared);
        Ok(Log::new(id, topic_id, config, dir, shared, self.commands().downgrade(), opened))
    }

    /// Whether somebody has this log open.
    pub(crate) fn is_open(&self, id: &TopicPartition) -> bool {
        self.logs.lock().contains_key(id)
    }

    pub(crate) fn set_aside(&self, dir: &Path, id: &TopicPartition, topic_id: TopicId) -> io::Result<()> {
        let aside = appender::set_aside_dir(&self.shared, dir, id, topic_id)?;
        let mut marks = self.shared.marks.lock();
        marks.forget(id);
        marks.write(&*self.shared.storage)?;
        self.shared.janitor.send(Job::RemoveDir(aside));
        Ok(())
    }

    fn remove_blocking(&self, log: &Arc<Log>) -> Result<(), OpenError> {
        let (sender, answer) = oneshot::channel();
        let command = Command::Remove { log: Arc::clone(log), answer: sender };
        self.commands().blocking_send(command).map_err(|_| OpenError::Closed)?;
        let removed = answer.blocking_recv().map_err(|_| OpenError::Closed)?;
        removed.map_err(|error| OpenError::Io { path: log.dir.to_path_buf(), error })
    }
}

impl Drop for LogDir {
    fn drop(&mut self) {
        // Without senders the appender ends; it finishes the round it is in.
        self.commands = None;
        self.shared.janitor.stop();
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for LogDir {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogDir").field("root", &self.shared.root).finish_non_exhaustive()
    }
}

/// Makes the directory and what is missing above it, durably: all that is promised stands below these names.
fn make_root(storage: &dyn Storage, root: &Path) -> io::Result<()> {
    let mut made = Vec::new();
    for dir in root.ancestors().filter(|dir| !dir.as_os_str().is_empty()) {
        if storage.exists(dir)? {
            break;
        }
        made.push(dir);
    }
    storage.create_dir(root)?;
    for dir in made {
        let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
        storage.sync_dir(parent.unwrap_or(Path::new(".")))?;
    }
    Ok(())
}

/// Whether the last shutdown was clean. From here on a crash must be seen as one.
fn take_clean_marker(storage: &dyn Storage, root: &Path) -> io::Result<bool> {
    let marker = root.join(names::CLEAN_SHUTDOWN);
    let clean = storage.exists(&marker)?;
    if clean {
        storage.remove_file(&marker)?;
        storage.sync_dir(root)?;
    }
    Ok(clean)
}

/// Directories of removed logs that were not deleted in time.
fn sweep(shared: &Shared) -> io::Result<()> {
    for name in shared.storage.list(&shared.root)? {
        if name.to_str().is_some_and(names::is_removed_dir) {
            shared.janitor.send(Job::RemoveDir(shared.root.join(name)));
        }
    }
    Ok(())
}
