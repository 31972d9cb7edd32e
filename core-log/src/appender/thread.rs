//! The appender's thread.

use std::{collections::HashMap, io, sync::Arc, thread::JoinHandle};

use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use super::{Command, round::Round};
use crate::{
    ChangeError, CleanReport, LogEnds,
    errors::OfflineReason,
    flush::{self, Flusher, Flushing, Purpose},
    janitor::Job,
    journal::Journal,
    log::Log,
    names,
    shared::Shared,
    storage, writer,
};

pub(crate) fn spawn(
    shared: Arc<Shared>,
    commands: mpsc::Receiver<Command>,
    flusher: Flusher,
) -> io::Result<JoinHandle<()>> {
    let appender = Appender {
        journal: Journal::new(Arc::clone(&shared)),
        flusher,
        shared,
        commands,
        touched: HashMap::new(),
        cooling: HashMap::new(),
        closed: false,
    };
    std::thread::Builder::new().name("log-appender".to_owned()).spawn(|| appender.run())
}

struct Appender {
    shared: Arc<Shared>,
    journal: Journal,
    flusher: Flusher,
    commands: mpsc::Receiver<Command>,
    /// Logs whose durable mark is behind, by key.
    touched: HashMap<u64, Arc<Log>>,
    /// Logs that were touched before the last checkpoint: idle if they are not by the next.
    cooling: HashMap<u64, Arc<Log>>,
    closed: bool,
}

impl Appender {
    /// Ends when the directory is closed, or dropped, which is no better than a crash.
    fn run(mut self) {
        let mut next = None;
        while !self.closed {
            let Some(command) = next.take().or_else(|| self.commands.blocking_recv()) else { return };
            next = self.handle(command);
        }
        // What is still queued is dropped, and its senders learn that the directory is closed.
        self.commands.close();
    }

    /// Returns a command that was taken from the queue but not handled.
    fn handle(&mut self, command: Command) -> Option<Command> {
        while let Some(job) = self.flusher.done() {
            self.flushed(job);
        }
        match command {
            Command::Append { appends, ack, answer } => {
                let mut round = Round::default();
                round.add(appends, ack, answer);
                let next = self.gather(&mut round);
                for log in round.run(self.shared.clock.wall_ms(), &mut self.journal, &mut self.flusher) {
                    self.touch(log);
                }
                return next;
            }
            Command::Truncate { log, offset, answer } => {
                // One that is offline is not truncated, and keeps its blocks.
                let cleared = log.offline().map_or_else(|| self.clear_journal(&log), |_| Ok(()));
                let truncated = match cleared {
                    Ok(()) => writer::truncate(&log, &mut log.writer.lock(), offset),
                    Err(error) => Err(error.into()),
                };
                let _ = answer.send(truncated);
                self.touch(log);
            }
            Command::AdvanceStart { log, offset, answer } => {
                let _ = answer.send(writer::advance_start(&log, &mut log.writer.lock(), offset));
                self.touch(log);
            }
            Command::SetIntake { log, intake, answer } => {
                let _ = answer.send(writer::set_intake(&log, &mut log.writer.lock(), intake));
                self.touch(log);
            }
            Command::ForgetProducers { log, answer } => {
                let _ = answer.send(writer::forget_producers(&log, &mut log.writer.lock()));
                self.touch(log);
            }
            Command::StartAt { log, offset, answer } => {
                let now_ms = self.shared.clock.wall_ms();
                let _ = answer.send(writer::start_at(&log, &mut log.writer.lock(), offset, now_ms));
                self.touch(log);
            }
            Command::Clean { log, answer } => {
                let now_ms = self.shared.clock.wall_ms();
                let report = writer::clean(&log, &mut log.writer.lock(), now_ms);
                if report.as_ref().is_ok_and(|report: &CleanReport| report.segments_deleted > 0) {
                    self.touch(Arc::clone(&log));
                }
                let _ = answer.send(report);
            }
            Command::Remove { log, answer } => {
                let _ = answer.send(self.remove(&log));
            }
            Command::Checkpoint { answer } => {
                self.checkpoint(answer);
            }
            // What it brought was taken in above.
            Command::Flushed => {}
            Command::Close { logs, answer } => {
                self.closed = true;
                self.land_all();
                let _ = answer.send(self.close(&logs));
            }
        }
        None
    }

    /// Takes all appends that wait, up to a bound, so that a sync is never far away.
    fn gather(&mut self, round: &mut Round) -> Option<Command> {
        while round.bytes() < self.shared.settings.round_bytes_max {
            match self.commands.try_recv() {
                Ok(Command::Append { appends, ack, answer }) => round.add(appends, ack, answer),
                Ok(other) => return Some(other),
                Err(_) => break,
            }
        }
        None
    }

    fn touch(&mut self, log: Arc<Log>) {
        if self.touched.is_empty() && self.cooling.is_empty() {
            self.remind();
        }
        self.touched.insert(log.key, log);
    }

    /// Has a checkpoint asked for when the interval is over.
    fn remind(&self) {
        if !self.shared.settings.checkpoint_interval.is_zero() {
            self.shared.janitor.send(Job::CheckpointDue);
        }
    }

    /// Has the flusher sync what is not; the durable marks move when it has.
    fn checkpoint(&mut self, answer: Option<oneshot::Sender<Result<(), ChangeError>>>) {
        let touched = std::mem::take(&mut self.touched);
        for log in std::mem::replace(&mut self.cooling, touched).into_values() {
            if !self.cooling.contains_key(&log.key) {
                thin_out(&log);
            }
        }
        let logs = self.cooling.values().filter_map(|log| log.writer.lock().take_off(log, true)).collect();
        if !self.cooling.is_empty() {
            self.remind();
        }
        while self.flusher.is_full() {
            self.land_next();
        }
        let job = flush::Job { logs, purpose: Purpose::Checkpoint { answer } };
        if let Err(error) = self.flusher.start(job) {
            tracing::error!(%error, "checkpoint not written");
        }
    }

    fn land_all(&mut self) {
        while self.land_next() {}
    }

    fn land_next(&mut self) -> bool {
        let job = self.flusher.await_done();
        job.map(|job| self.flushed(job)).is_some()
    }

    /// One log's failure does not keep the others' marks from moving.
    fn flushed(&mut self, job: flush::Job) {
        let mut result = Ok(());
        for flushing in &job.logs {
            landed(flushing);
        }
        match job.purpose {
            Purpose::Journal { file } => self.journal.flushed(file),
            Purpose::Checkpoint { answer } => {
                for Flushing { log, flight, end, cuts } in &job.logs {
                    let epochs = flight.as_ref().is_none_or(|flight| flight.settle(log).epochs_written);
                    match log.offline() {
                        Some(_) if matches!(log.offline_reason(), Some(OfflineReason::Removed)) => {}
                        Some(reason) => result = Err(ChangeError::Offline(reason)),
                        // Epochs of sealed segments are scanned no more once the mark has passed them.
                        None if !epochs => result = Err(io::Error::other("leader epochs not written").into()),
                        None if log.cuts() == *cuts => {
                            self.shared.marks.lock().set_recovery_point(log.id(), *end)
                        }
                        // A truncation has written its own.
                        None => {}
                    }
                }
                let written = self.shared.marks.lock().write(&*self.shared.storage);
                let result = written.map_err(ChangeError::from).and(result);
                match answer {
                    Some(answer) => drop(answer.send(result)),
                    None => result.unwrap_or_else(|error| tracing::error!(%error, "checkpoint not whole")),
                }
            }
        }
    }

    /// So that redo brings nothing back of a log that is about to be cut or removed.
    fn clear_journal(&mut self, log: &Log) -> io::Result<()> {
        if self.journal.names(log) {
            self.land_all();
            self.journal.clear(log)?;
        }
        Ok(())
    }

    fn remove(&mut self, log: &Arc<Log>) -> io::Result<()> {
        self.clear_journal(log)?;
        let mut writer = log.writer.lock();
        // It may fail: nobody will read what it was about.
        let _ = writer.settle(log);
        self.touched.remove(&log.key);
        self.cooling.remove(&log.key);
        if matches!(log.offline_reason(), Some(OfflineReason::Removed)) {
            return Ok(());
        }
        let aside = match writer.made {
            true => Some(set_aside(&self.shared, log)?),
            false => None,
        };
        log.take_offline(OfflineReason::Removed);
        writer.dirty = writer::Dirty::default();
        writer.active = None;
        for segment in log.segments().iter() {
            self.shared.files.forget(segment.id);
            self.shared.indexes.forget(segment.id);
        }
        let mut marks = self.shared.marks.lock();
        marks.forget(log.id());
        marks.write(&*self.shared.storage)?;
        drop(marks);
        if let Some(aside) = aside {
            self.shared.janitor.send(Job::RemoveDir(aside));
        }
        Ok(())
    }

    /// Leaves all as a clean shutdown does. The marker that says so only if all went well.
    fn close(&mut self, logs: &[Arc<Log>]) -> Result<(), ChangeError> {
        let first_error = Mutex::new(None);
        flush::on_all(logs, |log| {
            if let Err(error) = leave_clean(log) {
                tracing::error!(log = %log.id(), %error, "not shut down cleanly");
                first_error.lock().get_or_insert(error);
            }
        });
        let (storage, root) = (&*self.shared.storage, &self.shared.root);
        self.shared.marks.lock().write(storage)?;
        if first_error.lock().is_none() {
            self.journal.remove()?;
        }
        match first_error.into_inner() {
            Some(error) => Err(error),
            None => Ok(storage::replace_file(
                storage,
                &root.join(names::CLEAN_SHUTDOWN),
                names::CLEAN_SHUTDOWN_CONTENT,
            )?),
        }
    }
}

/// An idle log keeps little in memory.
fn thin_out(log: &Log) {
    let writer = log.writer.lock();
    let Some(active) = writer.active.as_ref().filter(|_| log.offline().is_none()) else { return };
    if let Err(error) = active.rest_if_large(&log.shared) {
        tracing::warn!(log = %log.id(), %error, "index of an idle log not written");
    }
}

fn leave_clean(log: &Log) -> Result<(), ChangeError> {
    let mut writer = log.writer.lock();
    match log.offline() {
        Some(_) if matches!(log.offline_reason(), Some(OfflineReason::Removed)) => Ok(()),
        Some(reason) => Err(ChangeError::Offline(reason)),
        None => writer::rest(log, &mut writer),
    }
}

/// What the flusher has synced is durable, and seen.
fn landed(Flushing { log, flight, end, cuts }: &Flushing) {
    let mut writer = log.writer.lock();
    if let Some(flight) = flight {
        writer.land(log, flight);
    }
    if log.offline().is_some() || log.cuts() != *cuts {
        return;
    }
    let ends = log.ends();
    let high_watermark = ends.high_watermark.max(*end);
    writer.publish(log, LogEnds { durable_end: ends.durable_end.max(*end), high_watermark, ..ends });
}

/// Gives the log's directory a name under which it is no log any more, durably.
pub(crate) fn set_aside(shared: &Shared, log: &Log) -> io::Result<std::path::PathBuf> {
    set_aside_dir(shared, &log.dir, log.id(), log.topic_id())
}

pub(crate) fn set_aside_dir(
    shared: &Shared,
    dir: &std::path::Path,
    id: &protocol::TopicPartition,
    topic_id: protocol::TopicId,
) -> io::Result<std::path::PathBuf> {
    for attempt in 0..names::ATTEMPTS_MAX {
        let aside = shared.root.join(names::removed_dir(id, topic_id, attempt));
        if shared.storage.exists(&aside)? {
            continue;
        }
        shared.storage.rename(dir, &aside)?;
        shared.storage.sync_dir(&shared.root)?;
        return Ok(aside);
    }
    Err(io::ErrorKind::AlreadyExists.into())
}
