//! One group's state machine: the classic group protocol and the offsets that the group has committed.
//!
//! ```text
//!              first join              all joined, or time is up            leader's assignment is durable
//!     Empty ---------------> Preparing ---------------------> Completing ------------------------> Stable
//!       ^                    |   ^  ^                             |                                  |
//!       +--- nobody joined --+   |  +-- join, leave, silence -----+                                  |
//!       |                        +-- join, leave, silence -------------------------------------------+
//!       +--> Dead (its deletion is being written) --> Empty, as new
//! ```
//!
//! Plain synchronous code: an [`Event`] and a clock reading go in, [`Command`]s come out, [`Group::next_deadline`]
//! says when to come back unasked. It follows the rules of Kafka's `GroupMetadataManager`, `ClassicGroup` and
//! `OffsetMetadataManager`.
//!
//! Promises:
//! 1. Every request gets exactly one [`Command::Answer`]; one that waits (a join, a sync, a write) is answered
//!    by a later event at the latest when its deadline passes.
//! 2. What a read shows is on stable storage: records become visible when [`Event::Written`] says so, in the
//!    order in which they were asked for.
//! 3. A generation's assignment is stored before anybody learns of it.
//! 4. No request, and no record read back from the log, can make it panic.

mod commit;
mod deadlines;
mod delete;
mod describe;
mod event;
mod expire;
mod heartbeat;
mod join;
mod leave;
mod load;
mod members;
mod offsets;
mod rebalance;
mod request;
mod settle;
mod silence;
mod snapshot;
mod static_member;
mod sync;
mod writes;

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use bytestring::ByteString;

use protocol::{ErrorCode, GenerationId, GroupId, MemberId, TopicName};

use self::{
    deadlines::{Deadline, Deadlines},
    members::Members,
    offsets::Offsets,
    writes::Writes,
};
pub use self::{event::*, load::LoadedGroup, request::*, writes::WriteId};
use crate::record_log::{KeyValue, RecordLogError};

/// A reading of both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// For deadlines.
    pub monotonic: Duration,
    /// For timestamps that are stored.
    pub wall_ms: i64,
}

impl Now {
    fn after_ms(self, ms: i32) -> Duration {
        self.monotonic + Duration::from_millis(u64::try_from(ms).unwrap_or(0))
    }
}

#[derive(Debug)]
pub enum Event {
    Request(Ticket, Request),
    /// The records of a [`Command::Write`] are on stable storage, or they are not.
    Written(WriteId, Result<(), RecordLogError>),
    DeadlinePassed,
}

#[derive(Debug)]
pub enum Command {
    Answer(Ticket, Answer),
    /// Append these records, all or none, after those of every earlier write.
    Write(WriteId, Vec<KeyValue>),
    /// These are durable: tell whoever follows them.
    Announce(Vec<GroupEvent>),
}

/// What the operator's settings say about every group.
#[derive(Clone, Debug)]
pub struct Rules {
    pub initial_rebalance_delay_ms: i32,
    pub session_timeout_min_ms: i32,
    pub session_timeout_max_ms: i32,
    /// How long a member that was never answered may wait.
    pub new_member_timeout_ms: i32,
    pub members_max: usize,
    pub offset_metadata_bytes_max: usize,
    pub offsets_retention_ms: i64,
}

#[derive(Debug)]
enum State {
    Empty,
    /// Waits for members to join the next generation.
    Preparing {
        /// Set while the first members of an empty group gather.
        gathering: Option<Gathering>,
    },
    /// Waits for the leader's assignment, then for it to be durable.
    Completing {
        unsynced: BTreeSet<MemberId>,
        /// The leader's assignment while it is being written.
        assignment: Option<BTreeMap<MemberId, Bytes>>,
    },
    Stable {
        unsynced: BTreeSet<MemberId>,
    },
    /// Its deletion is being written.
    Dead,
}

/// The first join of an empty group waits a little, so that members that start together share a generation.
#[derive(Clone, Copy, Debug)]
struct Gathering {
    delay_ms: i32,
    remaining_ms: i32,
    somebody_joined: bool,
}

#[derive(Debug)]
pub struct Group {
    id: GroupId,
    rules: Arc<Rules>,
    state: State,
    /// Wall clock of the last change of state; unknown for groups that old brokers stored.
    state_since_ms: Option<i64>,
    generation: GenerationId,
    protocol_type: Option<ByteString>,
    protocol: Option<ByteString>,
    leader: Option<MemberId>,
    members: Members,
    /// What the members of a consumer group read; `None` when that cannot be told.
    subscribed: Option<BTreeSet<TopicName>>,
    offsets: Offsets,
    writes: Writes,
    deadlines: Deadlines,
}

impl Group {
    /// A group that nothing is known of.
    pub fn new(id: GroupId, rules: Arc<Rules>) -> Self {
        Self {
            id: id.detached(),
            rules,
            state: State::Empty,
            state_since_ms: None,
            generation: GenerationId(0),
            protocol_type: None,
            protocol: None,
            leader: None,
            members: Members::default(),
            subscribed: None,
            offsets: Offsets::default(),
            writes: Writes::default(),
            deadlines: Deadlines::default(),
        }
    }

    pub fn handle(&mut self, now: Now, event: Event, out: &mut Vec<Command>) {
        match event {
            Event::Request(ticket, request) => self.on_request(now, ticket, request, out),
            Event::Written(write, result) => self.on_written(now, write, result, out),
            Event::DeadlinePassed => self.on_deadlines(now, out),
        }
    }

    pub fn next_deadline(&self) -> Option<Duration> {
        self.deadlines.next()
    }

    /// Whether nothing would be lost by forgetting this group.
    pub fn is_blank(&self) -> bool {
        matches!(self.state, State::Empty) && !self.exists() && self.writes.is_empty()
    }

    pub fn state(&self) -> GroupState {
        match self.state {
            State::Empty => GroupState::Empty,
            State::Preparing { .. } => GroupState::PreparingRebalance,
            State::Completing { .. } => GroupState::CompletingRebalance,
            State::Stable { .. } => GroupState::Stable,
            State::Dead => GroupState::Dead,
        }
    }

    pub fn generation(&self) -> GenerationId {
        self.generation
    }

    pub fn member_count(&self) -> usize {
        self.members.len()
    }

    fn on_request(&mut self, now: Now, ticket: Ticket, request: Request, out: &mut Vec<Command>) {
        match request {
            Request::Join(join, fresh) => self.on_join(now, ticket, join, fresh, out),
            Request::Sync(sync) => self.on_sync(now, ticket, sync, out),
            Request::Heartbeat(heartbeat) => self.on_heartbeat(now, ticket, &heartbeat, out),
            Request::Leave(leavers) => self.on_leave(now, ticket, &leavers, out),
            Request::Commit(commit) => self.on_commit(now, ticket, commit, out),
            Request::DeleteOffsets(partitions) => self.on_delete_offsets(now, ticket, partitions, out),
            Request::DeleteGroup => self.on_delete_group(now, ticket, out),
            Request::Expire => self.on_expire(now, ticket, out),
            Request::ForgetTopic(topic) => self.on_forget_topic(now, ticket, &topic, out),
            Request::Describe => {
                out.push(Command::Answer(ticket, Answer::Description(self.describe())));
            }
            Request::Offsets => self.answer_offsets(ticket, out),
            Request::SettledOffsets => self.on_settled_offsets(ticket, out),
        }
    }

    /// Whether anybody could notice this group: by its members, its generation or its offsets.
    fn exists(&self) -> bool {
        self.generation != GenerationId(0)
            || self.protocol_type.is_some()
            || !self.members.is_empty()
            || !self.members.pending.is_empty()
            || self.offsets.holds_any()
    }

    fn is_leader(&self, member: &MemberId) -> bool {
        self.leader.as_ref() == Some(member)
    }

    fn change_state(&mut self, now: Now, state: State) {
        self.state = state;
        self.state_since_ms = Some(now.wall_ms);
    }

    /// Refuses strangers, and members whose instance id somebody else has taken over.
    fn check_member(&self, who: &Identity) -> Result<(), ErrorCode> {
        if let Some(instance) = &who.instance_id {
            match self.members.static_id(instance) {
                None => return Err(ErrorCode::UNKNOWN_MEMBER_ID),
                Some(owner) if *owner != who.member_id => return Err(ErrorCode::FENCED_INSTANCE_ID),
                Some(_) => {}
            }
        }
        if self.members.contains(&who.member_id) { Ok(()) } else { Err(ErrorCode::UNKNOWN_MEMBER_ID) }
    }

    /// The member was heard: its session starts anew.
    fn renew_session(&mut self, now: Now, member: &MemberId) {
        if let Some(found) = self.members.find(member) {
            let until = now.after_ms(found.session_timeout_ms);
            self.deadlines.set(Deadline::Session(member.detached()), until);
        }
    }

    /// Takes a member out, or an id that is pending, and answers whatever it waits for.
    fn remove_member(&mut self, id: &MemberId, out: &mut Vec<Command>) {
        self.deadlines.cancel(&Deadline::Session(id.clone()));
        if let State::Completing { unsynced, .. } | State::Stable { unsynced } = &mut self.state {
            unsynced.remove(id);
        }
        let Some((member, join)) = self.members.remove(id) else { return };
        if let Some(ticket) = join {
            out.push(refuse_join(ticket, ErrorCode::UNKNOWN_MEMBER_ID, MemberId::default()));
        }
        if let Some(ticket) = member.awaiting_sync {
            out.push(Command::Answer(ticket, Answer::Sync(Err(ErrorCode::UNKNOWN_MEMBER_ID))));
        }
        if self.is_leader(id) {
            self.leader = self.members.iter().next().map(|member| member.id.clone());
        }
    }
}

fn refuse_join(ticket: Ticket, error: ErrorCode, member_id: MemberId) -> Command {
    Command::Answer(ticket, Answer::Join(Err(JoinRefused { error, member_id })))
}
