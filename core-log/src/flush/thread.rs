//! The flusher's thread, and the appender's end of it.

use std::{
    io,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::JoinHandle,
};

use tokio::sync::{mpsc, oneshot};

use protocol::Offset;

use super::{Flight, on_all};
use crate::{ChangeError, appender::Command, log::Log};

/// Jobs that are under way at once: one for each file of the journal, and checkpoints; more make the appender wait.
const JOBS_MAX: usize = 16;

/// Logs to be flushed, and what for.
pub(crate) struct Job {
    pub(crate) logs: Vec<Flushing>,
    pub(crate) purpose: Purpose,
}

pub(crate) struct Flushing {
    pub(crate) log: Arc<Log>,
    /// `None`: nothing was due.
    pub(crate) flight: Option<Arc<Flight>>,
    /// What is durable once it has landed, unless the log was cut meanwhile.
    pub(crate) end: Offset,
    pub(crate) cuts: u64,
}

pub(crate) enum Purpose {
    /// A file of the journal can be used again.
    Journal { file: usize },
    /// Durable marks move.
    Checkpoint { answer: Option<oneshot::Sender<Result<(), ChangeError>>> },
}

/// The appender's end. Dropped, the thread ends after what it was given.
pub(crate) struct Flusher {
    jobs: SyncSender<Job>,
    done: Receiver<Job>,
    under_way: usize,
}

impl Flusher {
    pub(crate) fn start(&mut self, job: Job) -> io::Result<()> {
        self.jobs.send(job).map_err(|_| io::Error::other("the flusher has ended"))?;
        self.under_way += 1;
        Ok(())
    }

    pub(crate) fn is_full(&self) -> bool {
        self.under_way >= JOBS_MAX
    }

    /// A job that is done, if one is.
    pub(crate) fn done(&mut self) -> Option<Job> {
        let job = self.done.try_recv().ok()?;
        self.under_way -= 1;
        Some(job)
    }

    /// The next job that is done; `None`: none is under way.
    pub(crate) fn await_done(&mut self) -> Option<Job> {
        if self.under_way == 0 {
            return None;
        }
        let job = self.done.recv().ok()?;
        self.under_way -= 1;
        Some(job)
    }
}

/// `commands`: where the appender is told that there is something to be taken in.
pub(crate) fn spawn(commands: mpsc::WeakSender<Command>) -> io::Result<(Flusher, JoinHandle<()>)> {
    let (jobs, due) = sync_channel::<Job>(JOBS_MAX);
    let (finished, done) = sync_channel(JOBS_MAX);
    let work = move || {
        for job in due {
            on_all(&job.logs, |flushing| {
                if let Some(flight) = &flushing.flight {
                    flight.settle(&flushing.log);
                }
            });
            if finished.send(job).is_err() {
                return;
            }
            if let Some(commands) = commands.upgrade() {
                // An appender that is gone takes nothing in.
                let _ = commands.blocking_send(Command::Flushed);
            }
        }
    };
    let thread = std::thread::Builder::new().name("log-flusher".to_owned()).spawn(work)?;
    Ok((Flusher { jobs, done, under_way: 0 }, thread))
}
