//! Events in, commands out: one file per kind of situation, and a simulation of many members at once.

mod committing;
mod deleting;
mod expiring;
mod invariants;
mod joining;
mod leaving;
mod loading;
mod sessions;
mod settling;
mod simulation;
mod static_members;
mod syncing;

use std::collections::VecDeque;

use protocol::{LeaderEpoch, Offset, PartitionId, Uuid};

use super::*;
use crate::coordinator::group::records::{self, Record};

pub(super) fn rules() -> Rules {
    Rules {
        initial_rebalance_delay_ms: 3_000,
        session_timeout_min_ms: 6_000,
        session_timeout_max_ms: 1_800_000,
        new_member_timeout_ms: 300_000,
        members_max: usize::MAX,
        offset_metadata_bytes_max: 16,
        offsets_retention_ms: 1_000_000,
    }
}

/// A group with a hand on its clock and its log.
pub(super) struct Bench {
    pub(super) group: Group,
    pub(super) ms: u64,
    tickets: u64,
    answers: BTreeMap<Ticket, Answer>,
    asked: BTreeSet<Ticket>,
    writes: VecDeque<(WriteId, Vec<KeyValue>)>,
    pub(super) stored: Vec<KeyValue>,
    pub(super) announced: Vec<GroupEvent>,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::with_rules(rules())
    }

    pub(super) fn with_rules(rules: Rules) -> Self {
        Self::of(Group::new(GroupId::from("g"), Arc::new(rules)))
    }

    pub(super) fn of(group: Group) -> Self {
        Self {
            group,
            ms: 0,
            tickets: 0,
            answers: BTreeMap::new(),
            asked: BTreeSet::new(),
            writes: VecDeque::new(),
            stored: Vec::new(),
            announced: Vec::new(),
        }
    }

    /// Wall clock and monotonic clock do not start at the same number: mixing them up must show.
    pub(super) fn now(&self) -> Now {
        Now {
            monotonic: Duration::from_millis(self.ms),
            wall_ms: i64::try_from(self.ms).unwrap() + 1_000_000_000,
        }
    }

    pub(super) fn ask(&mut self, request: Request) -> Ticket {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.asked.insert(ticket);
        self.handle(Event::Request(ticket, request));
        ticket
    }

    /// Lets time pass, stopping at every deadline on the way.
    pub(super) fn pass(&mut self, ms: u64) {
        let until = self.ms + ms;
        while let Some(deadline) = self.group.next_deadline() {
            let at = u64::try_from(deadline.as_millis()).unwrap();
            if at > until {
                break;
            }
            self.ms = self.ms.max(at);
            self.handle(Event::DeadlinePassed);
        }
        self.ms = until;
    }

    /// Every write that waits reaches stable storage.
    pub(super) fn store(&mut self) {
        while self.store_one() {}
    }

    pub(super) fn store_one(&mut self) -> bool {
        let Some((write, records)) = self.writes.pop_front() else { return false };
        self.stored.extend(records);
        self.handle(Event::Written(write, Ok(())));
        true
    }

    pub(super) fn fail_one(&mut self) -> bool {
        let Some((write, _)) = self.writes.pop_front() else { return false };
        self.handle(Event::Written(write, Err(RecordLogError::Unavailable("disk".into()))));
        true
    }

    /// Of the commits that were announced, in order.
    pub(super) fn announced_offsets(&self) -> Vec<i64> {
        let offset = |event: &GroupEvent| match event {
            GroupEvent::Committed(committed) => Some(committed.offset.0),
            GroupEvent::Removed(_) | GroupEvent::GroupRemoved { .. } | GroupEvent::Emptied { .. } => None,
        };
        self.announced.iter().filter_map(offset).collect()
    }

    pub(super) fn writes_waiting(&self) -> usize {
        self.writes.len()
    }

    /// The process dies and another reads what it stored; of the writes under way, `survivors` made it.
    pub(super) fn restart(&mut self, survivors: usize) {
        for (_, records) in self.writes.drain(..).take(survivors) {
            self.stored.extend(records);
        }
        self.asked.clear();
        self.answers.clear();
        let (rules, now, mut wishes) = (self.group.rules.clone(), self.now(), Vec::new());
        self.group = Group::loaded(GroupId::from("g"), rules, replayed(&self.stored), now, &mut wishes);
        assert!(wishes.is_empty());
        self.group.assert_invariants();
    }

    pub(super) fn take(&mut self, ticket: Ticket) -> Option<Answer> {
        self.answers.remove(&ticket)
    }

    pub(super) fn unanswered(&self) -> usize {
        self.asked.len()
    }

    fn handle(&mut self, event: Event) {
        let mut wishes = Vec::new();
        self.group.handle(self.now(), event, &mut wishes);
        for wish in wishes {
            match wish {
                Command::Answer(ticket, answer) => {
                    assert!(self.asked.remove(&ticket), "{ticket:?} is answered twice: {answer:?}");
                    self.answers.insert(ticket, answer);
                }
                Command::Write(write, records) => self.writes.push_back((write, records)),
                Command::Announce(committed) => self.announced.extend(committed),
            }
        }
        self.group.assert_invariants();
    }
}

/// What members do.
impl Bench {
    pub(super) fn join(&mut self, join: Join) -> Ticket {
        let fresh = Uuid::from_u128(u128::from(self.tickets) + 1);
        self.ask(Request::Join(join, fresh))
    }

    #[track_caller]
    pub(super) fn joined(&mut self, ticket: Ticket) -> Joined {
        match self.take(ticket) {
            Some(Answer::Join(Ok(joined))) => joined,
            other => panic!("not joined: {other:?}"),
        }
    }

    #[track_caller]
    pub(super) fn refused(&mut self, ticket: Ticket) -> JoinRefused {
        match self.take(ticket) {
            Some(Answer::Join(Err(refused))) => refused,
            other => panic!("not refused: {other:?}"),
        }
    }

    pub(super) fn sync(
        &mut self,
        member: &MemberId,
        generation: GenerationId,
        given: &[(&MemberId, &str)],
    ) -> Ticket {
        let given = given.iter().map(|(id, text)| ((*id).clone(), Bytes::copy_from_slice(text.as_bytes())));
        self.ask(Request::Sync(Sync {
            who: who(member),
            generation,
            protocol_type: None,
            protocol: None,
            assignments: given.collect(),
        }))
    }

    #[track_caller]
    pub(super) fn synced(&mut self, ticket: Ticket) -> String {
        match self.take(ticket) {
            Some(Answer::Sync(Ok(synced))) => String::from_utf8(synced.assignment.to_vec()).unwrap(),
            other => panic!("not synced: {other:?}"),
        }
    }

    #[track_caller]
    pub(super) fn sync_error(&mut self, ticket: Ticket) -> ErrorCode {
        match self.take(ticket) {
            Some(Answer::Sync(Err(error))) => error,
            other => panic!("not refused: {other:?}"),
        }
    }

    #[track_caller]
    pub(super) fn heartbeat(&mut self, member: &MemberId, generation: GenerationId) -> ErrorCode {
        self.heartbeat_as(who(member), generation)
    }

    #[track_caller]
    pub(super) fn heartbeat_as(&mut self, who: Identity, generation: GenerationId) -> ErrorCode {
        let ticket = self.ask(Request::Heartbeat(Heartbeat { who, generation }));
        match self.take(ticket) {
            Some(Answer::Heartbeat(error)) => error,
            other => panic!("no heartbeat: {other:?}"),
        }
    }

    #[track_caller]
    pub(super) fn leave(&mut self, leavers: Vec<Identity>) -> Vec<ErrorCode> {
        let ticket = self.ask(Request::Leave(leavers));
        match self.take(ticket) {
            Some(Answer::Leave(Ok(codes))) => codes,
            other => panic!("not left: {other:?}"),
        }
    }

    #[track_caller]
    pub(super) fn describe(&mut self) -> Option<Description> {
        let ticket = self.ask(Request::Describe);
        match self.take(ticket) {
            Some(Answer::Description(description)) => description,
            other => panic!("no description: {other:?}"),
        }
    }

    #[track_caller]
    pub(super) fn offsets(&mut self) -> Arc<OffsetsByTopic> {
        let ticket = self.ask(Request::Offsets);
        match self.take(ticket) {
            Some(Answer::Offsets(offsets)) => offsets,
            other => panic!("no offsets: {other:?}"),
        }
    }

    #[track_caller]
    pub(super) fn offset(&mut self, topic: &str, partition: i32) -> Option<i64> {
        let offsets = self.offsets();
        Some(offsets.get(topic)?.get(&PartitionId(partition))?.offset.0)
    }

    pub(super) fn commit(&mut self, author: Author, offsets: &[(&str, i32, i64)]) -> Ticket {
        let offsets = offsets.iter().map(|(topic, partition, offset)| OffsetToCommit {
            topic: TopicName::from(*topic),
            partition: PartitionId(*partition),
            offset: Offset(*offset),
            leader_epoch: LeaderEpoch(7),
            metadata: "note".into(),
        });
        self.ask(Request::Commit(Commit { author, retention_ms: -1, offsets: offsets.collect() }))
    }

    #[track_caller]
    pub(super) fn committed(&mut self, ticket: Ticket) -> Result<Vec<ErrorCode>, ErrorCode> {
        match self.take(ticket) {
            Some(Answer::Commit(codes)) => codes,
            other => panic!("no answer to a commit: {other:?}"),
        }
    }

    /// A stable group: members in the order given, the first one leads; each is assigned its own id.
    #[track_caller]
    pub(super) fn stable(&mut self, joins: &[Join]) -> Vec<MemberId> {
        let tickets: Vec<_> = joins.iter().map(|join| self.join(join.clone())).collect();
        while self.group.state() == GroupState::PreparingRebalance {
            self.pass(1_000);
        }
        let joined: Vec<_> = tickets.into_iter().map(|ticket| self.joined(ticket)).collect();
        let ids: Vec<_> = joined.iter().map(|joined| joined.member_id.clone()).collect();
        let generation = joined[0].generation;
        let leader = joined[0].leader.clone();
        let given: Vec<_> = ids.iter().map(|id| (id, id.as_str())).collect();
        for id in &ids {
            let ticket = self.sync(id, generation, if *id == leader { &given } else { &[] });
            self.store();
            // Followers that ask before the leader wait: their answers are of no interest here.
            self.take(ticket);
        }
        assert_eq!(self.group.state(), GroupState::Stable);
        ids
    }
}

/// What the records of one group say in the end.
pub(super) fn replayed(records: &[KeyValue]) -> LoadedGroup {
    let mut loaded = LoadedGroup::default();
    for record in records {
        match records::read(record).unwrap() {
            Record::Group { value, .. } => loaded.metadata = value,
            Record::Offset { topic, partition, value: Some(value), .. } => {
                loaded.offsets.entry(topic).or_default().insert(partition, value);
            }
            Record::Offset { topic, partition, value: None, .. } => {
                let partitions = loaded.offsets.entry(topic).or_default();
                partitions.remove(&partition);
            }
            Record::Foreign { .. } => panic!("a record that is not ours"),
        }
    }
    loaded.offsets.retain(|_, partitions| !partitions.is_empty());
    loaded
}

/// A member of versions before 4: it counts from its first join on.
pub(super) fn newcomer(client: &str) -> Join {
    Join {
        who: Identity::default(),
        client: Client { id: client.into(), host: "/10.0.0.1".into() },
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 60_000,
        protocol_type: "consumer".into(),
        protocols: vec![protocol("range", client)],
        member_id_required: false,
        may_skip_assignment: false,
    }
}

pub(super) fn static_newcomer(instance: &str) -> Join {
    Join {
        who: Identity { member_id: MemberId::default(), instance_id: Some(InstanceId(instance.into())) },
        ..newcomer(instance)
    }
}

pub(super) fn member(id: &MemberId, client: &str) -> Join {
    Join { who: who(id), ..newcomer(client) }
}

pub(super) fn who(id: &MemberId) -> Identity {
    Identity { member_id: id.clone(), instance_id: None }
}

pub(super) fn static_who(id: &MemberId, instance: &str) -> Identity {
    Identity { member_id: id.clone(), instance_id: Some(InstanceId(instance.into())) }
}

pub(super) fn protocol(name: &str, metadata: &str) -> Protocol {
    Protocol { name: name.into(), metadata: Bytes::copy_from_slice(metadata.as_bytes()) }
}

/// Metadata of a consumer that subscribes to these topics: version 0, no user data.
pub(super) fn subscription(topics: &[&str]) -> Bytes {
    let mut bytes = vec![0, 0];
    bytes.extend(i32::try_from(topics.len()).unwrap().to_be_bytes());
    for topic in topics {
        bytes.extend(i16::try_from(topic.len()).unwrap().to_be_bytes());
        bytes.extend(topic.as_bytes());
    }
    bytes.extend((-1i32).to_be_bytes());
    Bytes::from(bytes)
}

/// A consumer that assigns itself partitions.
pub(super) fn simple() -> Author {
    client(Identity::default(), -1)
}

pub(super) fn client(who: Identity, generation: i32) -> Author {
    Author::Client { who, generation: GenerationId(generation), missing_group: ErrorCode::GROUP_ID_NOT_FOUND }
}
