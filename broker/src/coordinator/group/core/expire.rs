//! Offsets that nobody has needed for long enough (KIP-211), and groups of which nothing is left.
//!
//! Offsets of a group with members are kept while a member may be reading their topic. Those of an empty group expire
//! together, counted from when it became empty; those of a consumer that assigns itself one by one, from their commit.

use super::{
    Answer, Command, CommittedOffset, Group, Now, Removal, State, Ticket,
    delete::PendingDeletion,
    writes::{DeletionAnswer, OffsetKey},
};

/// From when an offset's retention is counted.
enum Since {
    Commit,
    Emptied(i64),
}

impl Group {
    pub(super) fn on_expire(&mut self, now: Now, ticket: Ticket, out: &mut Vec<Command>) {
        // What is being written now would change the answer: the next pass will see it.
        if !self.writes.is_empty() || matches!(self.state, State::Dead) {
            return out.push(Command::Answer(ticket, Answer::Swept(0)));
        }
        let keys = self.expired(now);
        let nothing_left = keys.len() == self.offsets.durable().values().map(|of| of.len()).sum::<usize>();
        let is_empty = matches!(self.state, State::Empty) && self.members.pending.is_empty();
        let group = self.exists() && is_empty && nothing_left;
        self.delete(
            now,
            PendingDeletion { keys, group, why: Removal::Expired, answer: DeletionAnswer::Swept(ticket) },
            out,
        );
    }

    fn expired(&self, now: Now) -> Vec<OffsetKey> {
        let Some(since) = self.retained_since() else { return Vec::new() };
        let mut expired = Vec::new();
        for (topic, partitions) in self.offsets.durable().iter() {
            if self.may_be_subscribed_to(topic) {
                continue;
            }
            let old = partitions.iter().filter(|(_, offset)| self.is_expired(offset, &since, now));
            expired.extend(old.map(|(partition, _)| (topic.clone(), *partition)));
        }
        expired
    }

    /// `None`: nothing expires now.
    fn retained_since(&self) -> Option<Since> {
        if self.protocol_type.is_none() {
            return Some(Since::Commit);
        }
        match self.state {
            State::Empty => Some(self.state_since_ms.map_or(Since::Commit, Since::Emptied)),
            State::Stable { .. } if self.is_consumer_group() && self.subscribed.is_some() => {
                Some(Since::Commit)
            }
            State::Preparing { .. } | State::Completing { .. } | State::Stable { .. } | State::Dead => None,
        }
    }

    fn is_expired(&self, offset: &CommittedOffset, since: &Since, now: Now) -> bool {
        if let Some(expire_ms) = offset.expire_ms {
            return now.wall_ms >= expire_ms;
        }
        let since_ms = match since {
            Since::Commit => offset.commit_ms,
            Since::Emptied(at_ms) => *at_ms,
        };
        now.wall_ms.saturating_sub(since_ms) >= self.rules.offsets_retention_ms
    }
}
