//! Time, the work that is under way, and the script of a run: all of it from one seed.

use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    time::{Duration, Instant},
};

use mirror::{
    link::{receiver::Apply, sender::Event as SenderEvent},
    translation::TargetLog,
};
use protocol::{
    Offset, TopicId, TopicName, Uuid,
    batch::{BatchBuilder, Compression},
};
use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::{
    network::{Conditions, Host, Network},
    peer::Happening,
    source::Source,
    target::{Fault, Target, source, target},
};

pub(crate) const LINK: &str = "a:b";
pub(crate) const GENERATION: u64 = 1;
/// Replicas, and last the one that is merged with what others write.
pub(crate) const TOPICS: usize = 3;
pub(crate) const MERGED: usize = 2;

/// The script ends here; then everything is up, the network calm, and the logs have to become equal.
const SCRIPT: Duration = Duration::from_secs(6);
const APPENDS: usize = 60;
/// What is still to come must come by then.
const LIMIT: Duration = Duration::from_secs(120);
const VALUE_BYTES_MAX: usize = 4_000;

pub(crate) fn topic_id(topic: usize) -> TopicId {
    TopicId(Uuid::from_u128(0xa000 + topic as u128))
}

pub(crate) fn topic_name(topic: usize) -> TopicName {
    format!("topic-{topic}").into()
}

/// What happens later.
#[derive(Debug)]
pub(crate) enum Work {
    Append { topic: usize },
    SourceSynced { life: u64 },
    ReadDone { link: u64, event: SenderEvent },
    Apply { life: u64, apply: Box<Apply> },
    TargetSynced { life: u64, topic: usize },
    TableStored,
    LocalWrite,
    Redial { life: u64 },
    Crash(Host),
    Restart(Host),
    Cut(bool),
    Calm,
}

struct Due {
    at: Duration,
    number: u64,
    work: Work,
}

/// What is under way, and how long it takes.
pub(crate) struct Works {
    queue: BinaryHeap<Reverse<Due>>,
    random: StdRng,
    numbers: u64,
    redial_at: Option<Duration>,
    pub(crate) closed: Vec<String>,
}

impl Works {
    fn new(seed: u64) -> Self {
        Self {
            queue: BinaryHeap::new(),
            random: StdRng::seed_from_u64(seed),
            numbers: 0,
            redial_at: None,
            closed: Vec::new(),
        }
    }

    pub(crate) fn fresh_number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    pub(crate) fn read(&mut self, now: Duration, link: u64, event: SenderEvent) {
        let takes = self.micros(500);
        self.push(now + takes, Work::ReadDone { link, event });
    }

    pub(crate) fn apply(&mut self, now: Duration, life: u64, apply: Apply) {
        let takes = self.micros(1_000);
        self.push(now + takes, Work::Apply { life, apply: Box::new(apply) });
    }

    pub(crate) fn sync(&mut self, now: Duration, life: u64, topic: usize) {
        let takes = self.micros(5_000);
        self.push(now + takes, Work::TargetSynced { life, topic });
    }

    /// One redial at a time.
    pub(crate) fn redial(&mut self, at: Duration, life: u64) {
        if self.redial_at.is_none() {
            self.redial_at = Some(at);
            self.push(at, Work::Redial { life });
        }
    }

    /// A core that closes a connection between two honest ends has found a bug.
    pub(crate) fn closed_by_core(&mut self, reason: &str) {
        self.closed.push(reason.to_owned());
    }

    fn micros(&mut self, most: u64) -> Duration {
        Duration::from_micros(self.random.random_range(1..=most))
    }

    fn push(&mut self, at: Duration, work: Work) {
        let number = self.fresh_number();
        self.queue.push(Reverse(Due { at, number, work }));
    }

    fn next_at(&self) -> Option<Duration> {
        self.queue.peek().map(|Reverse(due)| due.at)
    }

    fn due(&mut self, now: Duration) -> Option<Work> {
        let due = self.next_at().is_some_and(|at| at <= now);
        due.then(|| self.queue.pop().map(|Reverse(due)| due.work)).flatten()
    }
}

/// All that happened, as one number; and as text where a test fails.
#[derive(Default)]
pub(crate) struct Trace {
    hasher: DefaultHasher,
    pub(crate) events: u64,
    verbose: bool,
}

impl Trace {
    pub(crate) fn note(&mut self, now: Duration, what: fmt::Arguments<'_>) {
        let line = format!("{now:?} {what}");
        if self.verbose {
            eprintln!("{line}");
        }
        line.hash(&mut self.hasher);
        self.events += 1;
    }

    pub(crate) fn happening(&mut self, now: Duration, host: Host, happening: &Happening) {
        match happening {
            Happening::Control(bytes) => self.note(now, format_args!("{host:?} control {}", bytes.len())),
            Happening::Block(bytes) => self.note(now, format_args!("{host:?} block {}", bytes.len())),
            other => self.note(now, format_args!("{host:?} {other:?}")),
        }
    }
}

/// One run.
pub(crate) struct World {
    seed: u64,
    now: Duration,
    network: Network,
    source: Source,
    target: Target,
    works: Works,
    random: StdRng,
    trace: Trace,
    script_over: bool,
}

/// What a run came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) trace: u64,
    pub(crate) events: u64,
    pub(crate) records: i64,
}

impl World {
    pub(crate) fn new(seed: u64, fault: Fault, verbose: bool) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let conditions = Conditions {
            delay: Duration::from_millis(random.random_range(1..80)),
            jitter: Duration::from_millis(random.random_range(0..20)),
            loss: if random.random() { random.random_range(0.0..0.05) } else { 0.0 },
            duplication: if random.random() { random.random_range(0.0..0.05) } else { 0.0 },
        };
        // Only differences from it are ever looked at.
        #[expect(
            clippy::disallowed_methods,
            reason = "quinn-proto takes instants; this one is virtual time zero"
        )]
        let epoch = Instant::now();
        let mut world = Self {
            seed,
            now: Duration::ZERO,
            network: Network::new(seed ^ 1, conditions),
            source: Source::new(epoch),
            target: Target::new(epoch, fault),
            works: Works::new(seed ^ 2),
            random,
            trace: Trace { verbose, ..Trace::default() },
            script_over: false,
        };
        world.write_script();
        world
    }

    /// Until the script is over and the logs are equal.
    pub(crate) fn run(mut self) -> Ended {
        self.source.start(self.seed);
        self.target.start(self.now, self.seed);
        loop {
            self.settle();
            if self.script_over && self.is_even() {
                break;
            }
            self.step();
        }
        assert!(
            self.works.closed.is_empty(),
            "seed {}: a core closed a connection: {:?}",
            self.seed,
            self.works.closed
        );
        self.check_bytes();
        self.check_translation();
        let records = self.source.logs.iter().map(|log| log.end().0).sum();
        Ended { trace: self.trace.hasher.finish(), events: self.trace.events, records }
    }

    fn write_script(&mut self) {
        for _ in 0..APPENDS {
            let (at, topic) = (self.moment(), self.random.random_range(0..TOPICS));
            self.works.push(at, Work::Append { topic });
        }
        for _ in 0..self.random.random_range(0..10) {
            let at = self.moment();
            self.works.push(at, Work::LocalWrite);
        }
        for _ in 0..self.random.random_range(0..3) {
            let at = self.moment();
            self.works.push(at, Work::TableStored);
        }
        for host in [Host::Source, Host::Target] {
            if self.random.random_bool(0.5) {
                let at = self.moment();
                let away = Duration::from_millis(self.random.random_range(1..500));
                self.works.push(at, Work::Crash(host));
                self.works.push(at + away, Work::Restart(host));
            }
        }
        if self.random.random_bool(0.3) {
            let at = self.moment();
            // Sometimes longer than a connection lives without hearing anything.
            let away = Duration::from_millis(self.random.random_range(10..5_000));
            self.works.push(at, Work::Cut(true));
            self.works.push(at + away, Work::Cut(false));
        }
        self.works.push(SCRIPT + Duration::from_secs(6), Work::Calm);
    }

    fn moment(&mut self) -> Duration {
        SCRIPT.mul_f64(self.random.random::<f64>())
    }

    fn settle(&mut self) {
        loop {
            let source = self.source.drive(self.now, &mut self.network, &mut self.works, &mut self.trace);
            let target = self.target.drive(self.now, &mut self.network, &mut self.works, &mut self.trace);
            if !source && !target {
                return;
            }
        }
    }

    fn step(&mut self) {
        let times =
            [self.network.next_arrival(), self.source.timeout(), self.target.timeout(), self.works.next_at()];
        let next = times.into_iter().flatten().min();
        let next = next.unwrap_or_else(|| {
            panic!("seed {}: nothing will ever happen again: {}", self.seed, self.state())
        });
        self.now = self.now.max(next);
        assert!(self.now < LIMIT, "seed {}: not even in time: {}", self.seed, self.state());
        while let Some(datagram) = self.network.arrived(self.now) {
            let peer = match datagram.to {
                Host::Source => self.source.peer(),
                Host::Target => self.target.peer(),
            };
            if let Some(peer) = peer {
                peer.receive(self.now, &datagram.bytes, &mut self.network);
            }
        }
        while let Some(work) = self.works.due(self.now) {
            self.work(work);
        }
        self.source.handle_timeout(self.now);
        self.target.handle_timeout(self.now);
    }

    fn work(&mut self, work: Work) {
        let now = self.now;
        match work {
            Work::Append { topic } => {
                if self.source.is_up() {
                    let epoch = self.source.epoch;
                    let bytes = batch(&mut self.random, 'S', Offset::ZERO);
                    self.source.logs[topic].append(bytes, epoch);
                    let takes = self.works.micros(3_000);
                    self.works.push(now + takes, Work::SourceSynced { life: self.source.lives });
                }
            }
            Work::SourceSynced { life } => {
                if self.source.is_up() && self.source.lives == life {
                    self.source.logs.iter_mut().for_each(crate::log::Log::sync);
                    self.source.tell_ends(now);
                }
            }
            Work::ReadDone { link, event } => self.source.read_done(now, link, event),
            Work::Apply { life, apply } => self.target.apply(now, life, &apply, &mut self.works),
            Work::TargetSynced { life, topic } => self.target.synced(now, life, topic),
            Work::TableStored => self.target.table_stored(),
            Work::LocalWrite => {
                if self.target.is_up() {
                    self.target.write_locally(&mut self.random);
                }
            }
            Work::Redial { life } => {
                self.works.redial_at = None;
                self.target.redial(now, life);
            }
            Work::Crash(host) => {
                self.trace.note(now, format_args!("{host:?} crashes"));
                match host {
                    Host::Source => self.source.crash(),
                    Host::Target => self.target.crash(&mut self.random),
                }
            }
            Work::Restart(host) => {
                self.trace.note(now, format_args!("{host:?} is back"));
                match host {
                    Host::Source => self.source.start(self.seed),
                    Host::Target => self.target.start(now, self.seed),
                }
            }
            Work::Cut(cut) => self.network.set_cut(cut),
            Work::Calm => {
                self.network.calm();
                self.script_over = true;
            }
        }
    }

    /// The target has all that the source will ever have.
    fn is_even(&self) -> bool {
        (0..TOPICS).all(|topic| {
            let end = self.source.logs[topic].durable_end();
            end == self.source.logs[topic].end()
                && match topic {
                    MERGED => self.target.table.resume().offset() == end,
                    _ => self.target.logs[topic].durable_end() == end,
                }
        })
    }

    fn check_bytes(&self) {
        for topic in (0..TOPICS).filter(|topic| *topic != MERGED) {
            let (ours, theirs) = (self.source.logs[topic].batches(), self.target.logs[topic].batches());
            assert!(ours == theirs, "seed {}: topic {topic} differs", self.seed);
        }
    }

    /// Every offset translates to where its record stands, and back: compared with the logs themselves.
    fn check_translation(&self) {
        let merged = &self.target.logs[MERGED];
        let mirrored = merged.batches().iter().filter(|batch| batch.header.has_producer_id());
        let mirrored: Vec<_> = mirrored.collect();
        let original = self.source.logs[MERGED].batches();
        assert_eq!(mirrored.len(), original.len(), "seed {}: batches of the merged topic", self.seed);
        let log = TargetLog { start: target(merged.start), end: target(merged.end()) };
        for (there, here) in mirrored.iter().zip(original) {
            assert_eq!(there.header.record_count, here.header.record_count, "seed {}: order", self.seed);
            // What stands after the fields that the relay changes: the records.
            assert!(there.bytes[57..] == here.bytes[57..], "seed {}: records of the merged topic", self.seed);
            for at in 0..i64::from(here.header.record_count) {
                let (from, to) = (here.header.base_offset.plus(at), there.header.base_offset.plus(at));
                let translated =
                    self.target.table.to_target(source(from), log).expect("something was mirrored");
                assert_eq!(translated.position(), target(to), "seed {}: source offset {from}", self.seed);
                let back = self.target.table.to_source(target(to), log).expect("something was mirrored");
                assert_eq!(back.position(), source(from), "seed {}: target offset {to}", self.seed);
            }
        }
    }

    fn state(&self) -> String {
        let ends = |logs: &[crate::log::Log]| {
            logs.iter()
                .map(|log| format!("{}/{}", log.durable_end(), log.end()))
                .collect::<Vec<_>>()
                .join(" ")
        };
        format!(
            "at {:?}; source {} target {} resume {:?}; {:#?}; closed {:?}",
            self.now,
            ends(&self.source.logs),
            ends(&self.target.logs),
            self.target.table.resume(),
            self.target.states(self.now),
            self.works.closed,
        )
    }
}

/// A batch as some producer would send it.
pub(crate) fn batch(random: &mut StdRng, writer: char, base: Offset) -> Vec<u8> {
    let compressions = [Compression::None, Compression::None, Compression::Lz4, Compression::Zstd];
    let mut builder = BatchBuilder::new()
        .base_offset(base)
        .compression(compressions[random.random_range(0..compressions.len())]);
    for _ in 0..random.random_range(1..6) {
        let length = random.random_range(0..VALUE_BYTES_MAX);
        let value: Vec<u8> = (0..length).map(|_| random.random_range(b'a'..b'f')).collect();
        let key = [writer as u8];
        builder = builder.record(1_700_000_000_000, Some(&key), Some(&value), &[]);
    }
    builder.build().expect("a small batch").to_vec()
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}
