//! Slow and timed work beside the appender: unlinking large files, and reminding it of the checkpoint.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use tokio::sync::mpsc;

use crate::{Clock, Storage, appender::Command};

/// Jobs that may wait; when more come, the appender does them itself.
const JOBS_MAX: usize = 256;

pub(crate) enum Job {
    RemoveFiles(Vec<PathBuf>),
    RemoveDir(PathBuf),
    /// The durable marks are behind: write them when the interval is over.
    CheckpointDue,
    Stop,
}

/// Hands jobs to the janitor's thread.
pub(crate) struct Janitor {
    storage: Arc<dyn Storage>,
    jobs: SyncSender<Job>,
}

/// The thread's end of it.
pub(crate) struct Jobs {
    jobs: Receiver<Job>,
}

impl Janitor {
    pub(crate) fn new(storage: Arc<dyn Storage>) -> (Self, Jobs) {
        let (sender, jobs) = sync_channel(JOBS_MAX);
        (Self { storage, jobs: sender }, Jobs { jobs })
    }

    /// Never waits for room.
    pub(crate) fn send(&self, job: Job) {
        match self.jobs.try_send(job) {
            Ok(()) => {}
            Err(TrySendError::Full(job) | TrySendError::Disconnected(job)) => do_job(&*self.storage, &job),
        }
    }

    /// Lets the thread end after what is queued.
    pub(crate) fn stop(&self) {
        // A thread that ended already has nothing to be told.
        let _ = self.jobs.send(Job::Stop);
    }
}

pub(crate) fn spawn(
    jobs: Jobs,
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    commands: mpsc::WeakSender<Command>,
    checkpoint_interval: Duration,
) -> std::io::Result<JoinHandle<()>> {
    let work = move || {
        let mut due: Option<Duration> = None;
        loop {
            let job = match due {
                None => jobs.jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(due) => jobs.jobs.recv_timeout(due.saturating_sub(clock.monotonic())),
            };
            match job {
                Ok(Job::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(Job::CheckpointDue) => due = Some(clock.monotonic() + checkpoint_interval),
                Ok(job) => do_job(&*storage, &job),
                Err(RecvTimeoutError::Timeout) => {
                    due = None;
                    remind(&commands);
                }
            }
        }
    };
    std::thread::Builder::new().name("log-janitor".to_owned()).spawn(work)
}

fn remind(commands: &mpsc::WeakSender<Command>) {
    if let Some(commands) = commands.upgrade() {
        // An appender that is gone needs no checkpoint.
        let _ = commands.blocking_send(Command::Checkpoint { answer: None });
    }
}

/// What cannot be removed now goes when the directory is opened the next time.
fn do_job(storage: &dyn Storage, job: &Job) {
    match job {
        Job::RemoveFiles(files) => {
            for file in files {
                if let Err(error) = storage.remove_file(file) {
                    tracing::warn!(file = %file.display(), %error, "deleted file not removed");
                }
            }
        }
        Job::RemoveDir(dir) => {
            if let Err(error) = storage.remove_dir(dir) {
                tracing::warn!(dir = %dir.display(), %error, "deleted directory not removed");
            }
        }
        Job::CheckpointDue | Job::Stop => {}
    }
}
