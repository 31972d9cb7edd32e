//! Many members that join, sync, commit, crash, come back and leave in random order, on a log that fails and a process
//! that restarts; then calm, in which everything must heal.
//!
//! Checked beside [`Group::assert_invariants`], which holds after every event:
//! * a generation has one leader, and whoever gets an assignment gets the one of the generation it named;
//! * whoever is alive in the end is a member of one stable generation, and nobody waits for an answer;
//! * committed offsets are those of the last acknowledged commit, and what the log says is what the group shows;
//! * a seed decides everything.

use super::*;

const CLIENTS: usize = 6;

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Phase {
    Out,
    Joining(Ticket),
    Syncing(Ticket, GenerationId),
    In(GenerationId),
}

/// What a consumer library does.
#[derive(Debug)]
struct Consumer {
    name: String,
    instance: Option<InstanceId>,
    modern: bool,
    metadata: u64,
    id: MemberId,
    phase: Phase,
    commit: Option<(Ticket, i64)>,
}

struct World {
    bench: Bench,
    dice: Dice,
    consumers: Vec<Consumer>,
    leaders: BTreeMap<GenerationId, String>,
    /// The last offset that was announced as durable.
    announced: Option<i64>,
    commits: i64,
    trace: Vec<String>,
}

impl Consumer {
    fn new(number: usize) -> Self {
        Self {
            name: format!("c{number}"),
            instance: (number % 3 == 2).then(|| InstanceId(format!("s{number}").into())),
            modern: number.is_multiple_of(2),
            metadata: 0,
            id: MemberId::default(),
            phase: Phase::Out,
            commit: None,
        }
    }

    fn who(&self) -> Identity {
        Identity { member_id: self.id.clone(), instance_id: self.instance.clone() }
    }

    fn join(&self) -> Join {
        Join {
            who: self.who(),
            rebalance_timeout_ms: 20_000,
            protocols: vec![protocol("range", &self.metadata.to_string())],
            member_id_required: self.modern,
            may_skip_assignment: self.modern,
            ..newcomer(&self.name)
        }
    }

    /// Starts over: as a new process, or because it was told that it is unknown.
    fn forget(&mut self) {
        self.id = MemberId::default();
        self.phase = Phase::Out;
        self.commit = None;
    }
}

impl World {
    fn new(seed: u64) -> Self {
        Self {
            bench: Bench::with_rules(Rules { members_max: CLIENTS, ..rules() }),
            dice: Dice(seed),
            consumers: (0..CLIENTS).map(Consumer::new).collect(),
            leaders: BTreeMap::new(),
            announced: None,
            commits: 0,
            trace: Vec::new(),
        }
    }

    fn storm(&mut self, steps: usize) {
        for _ in 0..steps {
            let at = usize::try_from(self.dice.roll(CLIENTS as u64)).unwrap();
            match self.dice.roll(100) {
                0..=39 => self.step(at),
                40..=54 => {
                    let ms = self.dice.roll(2_500);
                    self.bench.pass(ms);
                }
                55..=79 => drop(self.bench.store_one()),
                80..=82 => drop(self.bench.fail_one()),
                83..=87 => self.consumers[at].forget(),
                88..=90 => self.leave(at),
                91..=93 => self.consumers[at].metadata += 1,
                94 => {
                    let survivors = usize::try_from(self.dice.roll(3)).unwrap();
                    self.restart(survivors);
                }
                _ => self.commit(at),
            }
            self.hear_all();
        }
    }

    /// Everybody behaves, the disk works: all must come together.
    fn calm(&mut self) {
        for _ in 0..400 {
            for at in 0..CLIENTS {
                self.step(at);
            }
            self.bench.store();
            self.hear_all();
            self.bench.pass(500);
        }
    }

    /// What a consumer does next when nothing disturbs it.
    fn step(&mut self, at: usize) {
        let (phase, who) = (self.consumers[at].phase.clone(), self.consumers[at].who());
        match phase {
            Phase::Out => {
                let ticket = self.bench.join(self.consumers[at].join());
                self.consumers[at].phase = Phase::Joining(ticket);
            }
            Phase::In(generation) => {
                let error = self.bench.heartbeat_as(who, generation);
                self.on_error(at, error);
            }
            Phase::Joining(_) | Phase::Syncing(..) => {}
        }
    }

    fn commit(&mut self, at: usize) {
        let consumer = &self.consumers[at];
        let (Phase::In(generation), None) = (&consumer.phase, &consumer.commit) else { return };
        self.commits += 1;
        let author = client(consumer.who(), generation.0);
        let ticket = self.bench.commit(author, &[("t", 0, self.commits)]);
        self.consumers[at].commit = Some((ticket, self.commits));
    }

    fn leave(&mut self, at: usize) {
        if !self.consumers[at].id.as_str().is_empty() {
            let who = self.consumers[at].who();
            self.bench.leave(vec![who]);
            self.consumers[at].forget();
        }
    }

    fn restart(&mut self, survivors: usize) {
        self.bench.restart(survivors);
        self.leaders.clear();
        let survived = self.bench.offset("t", 0);
        // A commit that was cut off may have survived; one that was announced must have.
        assert!(survived == self.announced || (survivors > 0 && survived > self.announced));
        self.announced = survived;
        self.bench.announced.clear();
        for consumer in &mut self.consumers {
            consumer.commit = None;
            if let Phase::Joining(_) | Phase::Syncing(..) = consumer.phase {
                consumer.phase = Phase::Out;
            }
        }
    }

    fn hear_all(&mut self) {
        let announced = self.bench.announced_offsets();
        self.announced = announced.last().copied().or(self.announced);
        assert_eq!(self.bench.offset("t", 0), self.announced, "the last word counts");
        for at in 0..CLIENTS {
            let Some((ticket, offset)) = self.consumers[at].commit else { continue };
            let Some(Answer::Commit(codes)) = self.bench.take(ticket) else { continue };
            self.consumers[at].commit = None;
            match codes.map(|codes| codes[0]) {
                Ok(ErrorCode::NONE) => assert!(announced.contains(&offset), "acknowledged, not announced"),
                Ok(error) | Err(error) => self.on_error(at, error),
            }
        }
        (0..CLIENTS).for_each(|at| self.hear(at));
        let line =
            format!("{} {:?} {}", self.bench.ms, self.bench.group.state(), self.bench.group.generation());
        self.trace.push(line);
    }

    fn hear(&mut self, at: usize) {
        match self.consumers[at].phase.clone() {
            Phase::Joining(ticket) => match self.bench.take(ticket) {
                Some(Answer::Join(Ok(joined))) => self.on_joined(at, joined),
                Some(Answer::Join(Err(refused))) => {
                    self.consumers[at].phase = Phase::Out;
                    if refused.error == ErrorCode::MEMBER_ID_REQUIRED {
                        self.consumers[at].id = refused.member_id;
                    } else {
                        self.on_error(at, refused.error);
                    }
                }
                _ => {}
            },
            Phase::Syncing(ticket, generation) => match self.bench.take(ticket) {
                Some(Answer::Sync(Ok(synced))) => {
                    let expected = format!("{generation} for ");
                    let assignment = String::from_utf8(synced.assignment.to_vec()).unwrap();
                    assert!(assignment.starts_with(&expected), "{assignment:?} in generation {generation}");
                    self.consumers[at].phase = Phase::In(generation);
                }
                Some(Answer::Sync(Err(error))) => {
                    self.consumers[at].phase = Phase::Out;
                    self.on_error(at, error);
                }
                _ => {}
            },
            Phase::Out | Phase::In(_) => {}
        }
    }

    fn on_joined(&mut self, at: usize, joined: Joined) {
        let consumer = &mut self.consumers[at];
        consumer.id = joined.member_id.clone();
        let leads = joined.leader == joined.member_id && !joined.skip_assignment;
        let mut given = Vec::new();
        if leads {
            let named = consumer.name.clone();
            let leader = self.leaders.entry(joined.generation).or_insert_with(|| named.clone());
            assert_eq!(*leader, named, "two leaders of generation {}", joined.generation);
            given = joined.members.iter().map(|member| member.member_id.clone()).collect();
            assert!(given.contains(&joined.member_id));
        }
        let assign = |id: MemberId| (id.clone(), Bytes::from(format!("{} for {id}", joined.generation)));
        let ticket = self.bench.ask(Request::Sync(Sync {
            who: self.consumers[at].who(),
            generation: joined.generation,
            protocol_type: Some("consumer".into()),
            protocol: joined.protocol,
            assignments: given.into_iter().map(assign).collect(),
        }));
        self.consumers[at].phase = Phase::Syncing(ticket, joined.generation);
    }

    fn on_error(&mut self, at: usize, error: ErrorCode) {
        match error {
            ErrorCode::NONE => {}
            ErrorCode::UNKNOWN_MEMBER_ID | ErrorCode::FENCED_INSTANCE_ID => self.consumers[at].forget(),
            ErrorCode::REBALANCE_IN_PROGRESS
            | ErrorCode::ILLEGAL_GENERATION
            | ErrorCode::COORDINATOR_NOT_AVAILABLE
            | ErrorCode::GROUP_MAX_SIZE_REACHED => {
                // A join or sync that waits stays; a heartbeat or commit says that it is time to join again.
                if let Phase::In(_) = self.consumers[at].phase {
                    self.consumers[at].phase = Phase::Out;
                }
            }
            other => panic!("a consumer does not expect {other:?}"),
        }
    }

    fn check_healed(&mut self, seed: u64) {
        let generation = self.bench.group.generation();
        assert_eq!(self.bench.group.state(), GroupState::Stable, "seed {seed}");
        for consumer in &self.consumers {
            assert_eq!(consumer.phase, Phase::In(generation), "seed {seed}: {} is lost", consumer.name);
        }
        assert_eq!(self.bench.group.member_count(), CLIENTS, "seed {seed}");
        assert_eq!(self.bench.unanswered(), 0, "seed {seed}: somebody waits for ever");
        let shown = self.bench.offsets();
        assert_eq!(replayed(&self.bench.stored).offsets, *shown, "seed {seed}: the log says otherwise");
    }
}

fn run(seed: u64) -> Vec<String> {
    let mut world = World::new(seed);
    for _ in 0..3 {
        world.storm(400);
        world.calm();
        world.check_healed(seed);
    }
    world.trace
}

#[test]
fn whatever_happens_the_group_heals_and_loses_nothing() {
    for seed in 0..60 {
        run(seed);
    }
}

#[test]
fn a_seed_decides_everything() {
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}
