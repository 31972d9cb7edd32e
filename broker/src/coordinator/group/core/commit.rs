//! OffsetCommit: where a consumer will go on reading.

use protocol::{ErrorCode, GenerationId, LeaderEpoch};

use super::{
    Answer, Author, Command, Commit, CommittedOffset, Group, GroupEvent, Identity, Now, OffsetCommitted,
    OffsetToCommit, State, Ticket,
    members::detached,
    writes::{OffsetKey, Pending, WriteFailure},
};
use crate::coordinator::group::records;

/// Offsets that are being written.
#[derive(Debug)]
pub(super) struct PendingCommit {
    ticket: Ticket,
    offsets: Vec<(OffsetKey, CommittedOffset)>,
    /// For every offset of the request, also those that were refused.
    codes: Vec<ErrorCode>,
}

impl Group {
    pub(super) fn on_commit(&mut self, now: Now, ticket: Ticket, commit: Commit, out: &mut Vec<Command>) {
        if let Err(error) = self.check_commit(&commit.author) {
            return out.push(Command::Answer(ticket, Answer::Commit(Err(error))));
        }
        // A commit shows that its member is alive.
        if let Author::Client { who, .. } = &commit.author
            && matches!(self.state, State::Stable { .. } | State::Preparing { .. })
        {
            self.renew_session(now, &who.member_id);
        }
        let expire_ms = (commit.retention_ms >= 0).then(|| now.wall_ms.saturating_add(commit.retention_ms));
        // What comes from outside was taken there.
        let is_bounded = matches!(commit.author, Author::Client { .. });
        let mut offsets = Vec::with_capacity(commit.offsets.len());
        let mut codes = Vec::with_capacity(commit.offsets.len());
        for offset in &commit.offsets {
            if is_bounded && offset.metadata.len() > self.rules.offset_metadata_bytes_max {
                codes.push(ErrorCode::OFFSET_METADATA_TOO_LARGE);
            } else {
                codes.push(ErrorCode::NONE);
                offsets.push(kept(offset, now, expire_ms));
            }
        }
        if offsets.is_empty() {
            return out.push(Command::Answer(ticket, Answer::Commit(Ok(codes))));
        }
        let write = |(key, offset): &(OffsetKey, CommittedOffset)| records::offset(&self.id, key, offset);
        let records = offsets.iter().map(write).collect();
        for (key, _) in &offsets {
            self.offsets.depart(key);
        }
        self.write(now, Pending::Commit(PendingCommit { ticket, offsets, codes }), records, out);
    }

    pub(super) fn on_commit_written(
        &mut self,
        commit: PendingCommit,
        result: Result<(), WriteFailure>,
        out: &mut Vec<Command>,
    ) {
        let PendingCommit { ticket, offsets, mut codes } = commit;
        if let Err(failure) = result {
            for (key, _) in &offsets {
                self.offsets.arrive(key, None);
            }
            for code in codes.iter_mut().filter(|code| !code.is_error()) {
                *code = failure.for_commit();
            }
            return out.push(Command::Answer(ticket, Answer::Commit(Ok(codes))));
        }
        let mut committed = Vec::with_capacity(offsets.len());
        for (key, offset) in offsets {
            committed.push(GroupEvent::Committed(OffsetCommitted {
                group: self.id.clone(),
                topic: key.0.clone(),
                partition: key.1,
                offset: offset.offset,
                leader_epoch: offset.leader_epoch,
                metadata: offset.metadata.clone(),
                commit_ms: offset.commit_ms,
            }));
            self.offsets.arrive(&key, Some(offset));
        }
        out.push(Command::Answer(ticket, Answer::Commit(Ok(codes))));
        out.push(Command::Announce(committed));
    }

    fn check_commit(&self, author: &Author) -> Result<(), ErrorCode> {
        if matches!(self.state, State::Dead) {
            return Err(ErrorCode::COORDINATOR_NOT_AVAILABLE);
        }
        match author {
            Author::Client { who, generation, missing_group } => {
                self.check_client(who, *generation, *missing_group)
            }
            Author::Outside if matches!(self.state, State::Empty) => Ok(()),
            Author::Outside => Err(ErrorCode::NON_EMPTY_GROUP),
        }
    }

    fn check_client(
        &self,
        who: &Identity,
        generation: GenerationId,
        missing_group: ErrorCode,
    ) -> Result<(), ErrorCode> {
        // No generation: a consumer that assigns itself, or a tool. They may write while nobody else is there.
        let is_outside_generations = generation < GenerationId(0);
        if is_outside_generations && matches!(self.state, State::Empty) {
            return Ok(());
        }
        if !self.exists() {
            return Err(missing_group);
        }
        let is_anonymous = who.member_id.as_str().is_empty() && who.instance_id.is_none();
        if is_outside_generations && is_anonymous {
            return Err(ErrorCode::UNKNOWN_MEMBER_ID);
        }
        self.check_member(who)?;
        if generation != self.generation {
            return Err(ErrorCode::ILLEGAL_GENERATION);
        }
        if matches!(self.state, State::Completing { .. }) {
            // The member knows the new generation but not its assignment yet: what it commits was not for it to read.
            return Err(ErrorCode::REBALANCE_IN_PROGRESS);
        }
        Ok(())
    }
}

/// An offset as kept: without the frame that it arrived in.
fn kept(offset: &OffsetToCommit, now: Now, expire_ms: Option<i64>) -> (OffsetKey, CommittedOffset) {
    let committed = CommittedOffset {
        offset: offset.offset,
        // Records with an expiry of their own have no field for the epoch.
        leader_epoch: if expire_ms.is_some() { LeaderEpoch::NONE } else { offset.leader_epoch },
        metadata: detached(&offset.metadata),
        commit_ms: now.wall_ms,
        expire_ms,
    };
    ((offset.topic.detached(), offset.partition), committed)
}
