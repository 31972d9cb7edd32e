//! The appender's thread.

use std::{collections::HashMap, io, sync::Arc, thread::JoinHandle};

use tokio::sync::mpsc;

use super::{Command, round::Round};
use crate::{
    ChangeError, CleanReport, errors::OfflineReason, janitor::Job, log::Log, names, shared::Shared, storage,
    writer,
};

pub(crate) fn spawn(shared: Arc<Shared>, commands: mpsc::Receiver<Command>) -> io::Result<JoinHandle<()>> {
    let appender =
        Appender { shared, commands, touched: HashMap::new(), cooling: HashMap::new(), closed: false };
    std::thread::Builder::new().name("log-appender".to_owned()).spawn(|| appender.run())
}

struct Appender {
    shared: Arc<Shared>,
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
        match command {
            Command::Append { appends, ack, answer } => {
                let mut round = Round::default();
                round.add(appends, ack, answer);
                let next = self.gather(&mut round);
                for log in round.run(self.shared.clock.wall_ms()) {
                    self.touch(log);
                }
                return next;
            }
            Command::Truncate { log, offset, answer } => {
                let _ = answer.send(writer::truncate(&log, &mut log.writer.lock(), offset));
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
                let written = self.checkpoint();
                match answer {
                    Some(answer) => drop(answer.send(written)),
                    None => written.unwrap_or_else(|error| tracing::error!(%error, "checkpoint not written")),
                }
            }
            Command::Close { logs, answer } => {
                self.closed = true;
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

    /// Syncs what is not, then moves the durable marks. One log's failure does not keep the others' from moving.
    fn checkpoint(&mut self) -> Result<(), ChangeError> {
        let mut first_error = None;
        let touched = std::mem::take(&mut self.touched);
        for log in std::mem::replace(&mut self.cooling, touched).into_values() {
            if !self.cooling.contains_key(&log.key) {
                thin_out(&log);
            }
        }
        for log in self.cooling.values() {
            if let Err(error) = mark_durable(log) {
                tracing::warn!(log = %log.id(), %error, "durable mark not moved");
                first_error.get_or_insert(error);
            }
        }
        if !self.cooling.is_empty() {
            self.remind();
        }
        self.shared.marks.lock().write(&*self.shared.storage)?;
        first_error.map_or(Ok(()), Err)
    }

    fn remove(&mut self, log: &Arc<Log>) -> io::Result<()> {
        let mut writer = log.writer.lock();
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
        let mut first_error = None;
        for log in logs {
            let mut writer = log.writer.lock();
            let removed = matches!(log.offline_reason(), Some(OfflineReason::Removed));
            let rested = match log.offline() {
                Some(_) if removed => Ok(()),
                Some(reason) => Err(ChangeError::Offline(reason)),
                None => writer::rest(log, &mut writer),
            };
            if let Err(error) = rested {
                tracing::error!(log = %log.id(), %error, "not shut down cleanly");
                first_error.get_or_insert(error);
            }
        }
        let (storage, root) = (&*self.shared.storage, &self.shared.root);
        self.shared.marks.lock().write(storage)?;
        match first_error {
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

fn mark_durable(log: &Log) -> Result<(), ChangeError> {
    let mut writer = log.writer.lock();
    if !writer.made {
        return Ok(());
    }
    writer::sync(log, &mut writer).map_err(ChangeError::Offline)?;
    // Epochs of sealed segments are scanned no more once the mark has passed them.
    writer.write_epochs(log)?;
    log.shared.marks.lock().set_recovery_point(log.id(), log.ends().durable_end);
    Ok(())
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
