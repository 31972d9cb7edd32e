//! Records on their way to stable storage, and what happens when they are there.

use std::collections::BTreeMap;

use protocol::{ErrorCode, GenerationId, PartitionId, TopicName};

use super::{
    Command, Group, Now, Ticket, commit::PendingCommit, delete::PendingDeletion, static_member::Replacement,
};
use crate::record_log::{KeyValue, RecordLogError};

/// Names one write of a group; later ones are larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriteId(pub u64);

pub(super) type OffsetKey = (TopicName, PartitionId);

#[derive(Debug)]
pub(super) enum Pending {
    /// The assignment of this generation.
    Assignment(GenerationId),
    Replacement(Replacement),
    /// That the group has no members.
    Emptied,
    Commit(PendingCommit),
    Deletion(PendingDeletion),
}

/// Why a write failed, as far as clients are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WriteFailure {
    Unavailable,
    TooLarge,
}

impl WriteFailure {
    pub(super) fn for_group(self) -> ErrorCode {
        match self {
            Self::Unavailable => ErrorCode::COORDINATOR_NOT_AVAILABLE,
            Self::TooLarge => ErrorCode::UNKNOWN_SERVER_ERROR,
        }
    }

    pub(super) fn for_commit(self) -> ErrorCode {
        match self {
            Self::Unavailable => ErrorCode::COORDINATOR_NOT_AVAILABLE,
            Self::TooLarge => ErrorCode::INVALID_COMMIT_OFFSET_SIZE,
        }
    }
}

impl From<RecordLogError> for WriteFailure {
    fn from(error: RecordLogError) -> Self {
        match error {
            RecordLogError::Unavailable(_) | RecordLogError::Corrupt(_) => Self::Unavailable,
            RecordLogError::TooLarge => Self::TooLarge,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Writes {
    last: u64,
    pending: BTreeMap<WriteId, Pending>,
    /// Who waits until this write and all before it have ended.
    waiting: Vec<(WriteId, Ticket)>,
}

impl Writes {
    pub(super) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    pub(super) fn wait_for_all(&mut self, ticket: Ticket) {
        self.waiting.push((WriteId(self.last), ticket));
    }

    /// Those whose writes have ended, in the order in which they came.
    pub(super) fn take_settled(&mut self) -> Vec<Ticket> {
        let first_pending = self.pending.first_key_value().map(|(write, _)| *write);
        let is_settled = |write: WriteId| first_pending.is_none_or(|pending| pending > write);
        let settled = self.waiting.extract_if(.., |(write, _)| is_settled(*write));
        settled.map(|(_, ticket)| ticket).collect()
    }
}

impl Group {
    /// Asks for `records` to be stored; `pending` happens when they are. Records that cannot be written down fail
    /// at once.
    pub(super) fn write(
        &mut self,
        now: Now,
        pending: Pending,
        records: Result<Vec<KeyValue>, protocol::codec::EncodeError>,
        out: &mut Vec<Command>,
    ) {
        let Ok(records) = records else {
            return self.finish(now, pending, Err(WriteFailure::TooLarge), out);
        };
        self.writes.last += 1;
        let write = WriteId(self.writes.last);
        self.writes.pending.insert(write, pending);
        out.push(Command::Write(write, records));
    }

    /// Asks for the group's metadata, as it is now, to be stored.
    pub(super) fn write_group(&mut self, now: Now, pending: Pending, out: &mut Vec<Command>) {
        let record = self.snapshot().record(&self.id);
        self.write(now, pending, record.map(|record| vec![record]), out);
    }

    pub(super) fn on_written(
        &mut self,
        now: Now,
        write: WriteId,
        result: Result<(), RecordLogError>,
        out: &mut Vec<Command>,
    ) {
        if let Some(pending) = self.writes.pending.remove(&write) {
            self.finish(now, pending, result.map_err(WriteFailure::from), out);
            self.answer_settled(out);
        }
    }

    fn finish(
        &mut self,
        now: Now,
        pending: Pending,
        result: Result<(), WriteFailure>,
        out: &mut Vec<Command>,
    ) {
        match pending {
            Pending::Assignment(generation) => self.on_assignment_written(now, generation, result, out),
            Pending::Replacement(replacement) => self.on_replacement_written(now, replacement, result, out),
            Pending::Emptied => self.on_emptied_written(out),
            Pending::Commit(commit) => self.on_commit_written(commit, result, out),
            Pending::Deletion(deletion) => self.on_deletion_written(now, deletion, result, out),
        }
    }
}

/// One ticket for several outcomes of a deletion.
#[derive(Debug)]
pub(super) enum DeletionAnswer {
    /// OffsetDelete: these codes when it succeeds.
    Offsets(Ticket, Vec<ErrorCode>),
    Group(Ticket),
    Swept(Ticket),
}
