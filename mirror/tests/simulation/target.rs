//! The target: replicas, one merged topic with its translation table, and a receiver that outlives connections.

use std::time::{Duration, Instant};

use mirror::{
    link::{
        block::{Block, BlockHeader, HEADER_SIZE, Unpacker},
        limits::ReceiverSettings,
        receiver::{
            Apply, ApplyFailure, Command, Event, LocalPosition, Mode, PartitionKey, PartitionState, Receiver,
        },
        wire::{Decoder, Hello, ToTarget, VERSION},
    },
    ownership::HomeGeneration,
    position::{Position, SourceOffset, TargetOffset},
    translation::{Run, Table, provenance, reconcile},
};
use protocol::{LeaderEpoch, Offset, PartitionId, ProducerId, batch::BatchHeader};
use rand::{Rng, rngs::StdRng};

use crate::{
    control,
    log::Log,
    network::{Host, Network},
    peer::{Happening, Peer},
    world::{GENERATION, LINK, MERGED, TOPICS, Trace, Works, batch, topic_id, topic_name},
};

const PROVENANCE: ProducerId = ProducerId(7_000);
const REDIAL: Duration = Duration::from_millis(50);

pub(crate) struct Target {
    /// By source topic; that of the merged topic has other writers, too.
    pub(crate) logs: Vec<Log>,
    pub(crate) table: Table,
    /// The table as its file has it.
    stored_table: Table,
    process: Option<Process>,
    pub(crate) lives: u64,
    /// Spoils something on purpose.
    pub(crate) fault: Fault,
    epoch_instant: Instant,
}

/// Bugs that the simulation has to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// The table's runs are one offset off.
    TranslationOffByOne,
}

struct Process {
    peer: Peer,
    receiver: Receiver,
    decoder: Decoder,
    unpacker: Unpacker,
}

impl Target {
    pub(crate) fn new(epoch_instant: Instant, fault: Fault) -> Self {
        let start = source(Offset::ZERO);
        Self {
            logs: vec![Log::default(); TOPICS],
            table: Table::new(start),
            stored_table: Table::new(start),
            process: None,
            lives: 0,
            fault,
            epoch_instant,
        }
    }

    pub(crate) fn start(&mut self, now: Duration, seed: u64) {
        self.lives += 1;
        let peer = Peer::new(Host::Target, seed.wrapping_add(self.lives << 32), self.epoch_instant);
        let receiver = Receiver::new(ReceiverSettings::default());
        let mut process = Process {
            peer,
            receiver,
            decoder: Decoder::new(),
            unpacker: Unpacker::new().expect("zstd is there"),
        };
        for topic in 0..TOPICS {
            let mode = if topic == MERGED { Mode::Merged } else { Mode::Replica };
            let assigned = Event::Assigned {
                key: key(topic),
                name: topic_name(topic),
                generation: HomeGeneration(GENERATION),
                mode,
            };
            process.receiver.handle(now, assigned);
        }
        process.peer.dial(now);
        self.process = Some(process);
    }

    /// What was not synced is gone; of the table, what its file did not have yet.
    pub(crate) fn crash(&mut self, random: &mut StdRng) {
        self.process = None;
        self.logs.iter_mut().for_each(Log::crash);
        // The file may have got further than its last sync.
        if random.random() {
            self.stored_table = self.table.clone();
        }
        self.table = self.stored_table.clone();
        let log = &self.logs[MERGED];
        let from = self.table.target_end().map_or(Offset::ZERO, |end| end.offset()).min(log.end());
        let headers = log.batches().iter().map(|batch| batch.header);
        let rest: Vec<BatchHeader> = headers.filter(|header| header.last_offset() >= from).collect();
        let _reconciled = reconcile(&mut self.table, PROVENANCE, target(log.end()), rest)
            .expect("log and table belong together");
    }

    pub(crate) fn is_up(&self) -> bool {
        self.process.is_some()
    }

    pub(crate) fn peer(&mut self) -> Option<&mut Peer> {
        self.process.as_mut().map(|process| &mut process.peer)
    }

    /// States of all partitions, for a message when a run does not end.
    pub(crate) fn states(&self, now: Duration) -> Vec<String> {
        let partitions = self.process.iter().flat_map(|process| process.receiver.partitions(now));
        partitions.map(|view| format!("{view:?}")).collect()
    }

    pub(crate) fn timeout(&mut self) -> Option<Duration> {
        let process = self.process.as_mut()?;
        [process.peer.timeout(), process.receiver.poll_timeout()].into_iter().flatten().min()
    }

    pub(crate) fn handle_timeout(&mut self, now: Duration) {
        let Some(process) = &mut self.process else { return };
        process.peer.handle_timeout(now);
        if process.receiver.poll_timeout().is_some_and(|at| at <= now) {
            process.receiver.handle_timeout(now);
        }
    }

    pub(crate) fn redial(&mut self, now: Duration, life: u64) {
        if self.lives != life {
            return;
        }
        let Some(process) = &mut self.process else { return };
        // A closing connection says so when it is gone.
        if !process.peer.has_connection() {
            process.peer.dial(now);
        }
    }

    /// Somebody else writes to the merged topic.
    pub(crate) fn write_locally(&mut self, random: &mut StdRng) {
        let bytes = batch(random, 'L', Offset::ZERO);
        self.logs[MERGED].append(bytes, LeaderEpoch(0));
    }

    pub(crate) fn apply(&mut self, now: Duration, life: u64, apply: &Apply, works: &mut Works) {
        if self.lives != life || self.process.is_none() {
            return;
        }
        let topic = topic_of(apply.key);
        let result = self.append(topic, apply);
        works.sync(now, life, topic);
        let end = self.position(topic);
        let process = self.process.as_mut().expect("it runs");
        process.receiver.handle(now, Event::Applied { apply: apply.apply, end, result });
    }

    pub(crate) fn synced(&mut self, now: Duration, life: u64, topic: usize) {
        if self.lives != life || self.process.is_none() {
            return;
        }
        self.logs[topic].sync();
        let end = self.position(topic);
        let process = self.process.as_mut().expect("it runs");
        process.receiver.handle(now, Event::Durable { key: key(topic), end });
    }

    pub(crate) fn table_stored(&mut self) {
        self.stored_table = self.table.clone();
    }

    /// Does what there is to do at this instant; answers whether there was anything.
    pub(crate) fn drive(
        &mut self,
        now: Duration,
        network: &mut Network,
        works: &mut Works,
        trace: &mut Trace,
    ) -> bool {
        let life = self.lives;
        let mut progress = false;
        let Some(process) = &mut self.process else { return false };
        process.peer.drive(now, network);
        while let Some(happening) = process.peer.next_happening() {
            progress = true;
            trace.happening(now, Host::Target, &happening);
            process.happened(now, happening);
        }
        if !process.peer.has_connection() {
            works.redial(now + REDIAL, life);
        }
        while let Some(command) = self.process.as_mut().and_then(|process| process.receiver.poll_command()) {
            progress = true;
            self.obey(now, command, works, trace);
        }
        let Some(process) = &mut self.process else { return progress };
        while let Some(message) = process.receiver.poll_control() {
            progress = true;
            process.peer.send_control(control::encode(&message));
        }
        process.peer.drive(now, network);
        progress
    }

    fn obey(&mut self, now: Duration, command: Command, works: &mut Works, trace: &mut Trace) {
        let life = self.lives;
        let answer = match command {
            Command::Locate { key, mode } => {
                let local = self.locate(topic_of(key), mode);
                trace.note(now, format_args!("locate {key:?} {local:?}"));
                Some(Event::Located { key, result: Ok(local) })
            }
            Command::StartAt { key, offset } => {
                self.logs[topic_of(key)].begin_at(offset);
                Some(Event::Started { key, result: Ok(()) })
            }
            Command::Apply(apply) => {
                trace.note(
                    now,
                    format_args!("apply {:?} {:?} {}", apply.apply, apply.key, apply.blocks.len()),
                );
                works.apply(now, life, apply);
                None
            }
            Command::AdvanceStart { key, to } => {
                self.logs[topic_of(key)].advance_start(to);
                Some(Event::StartAdvanced { key, to, result: Ok(()) })
            }
            Command::Changed { key, state } => {
                trace.note(now, format_args!("{key:?} {state:?}"));
                assert!(!matches!(state, PartitionState::Stopped(_)), "{key:?} stopped: {state:?}");
                None
            }
            Command::Close(error) => {
                trace.note(now, format_args!("close: {error}"));
                works.closed_by_core(&error.to_string());
                let process = self.process.as_mut().expect("it runs");
                process.peer.close(now, &error.to_string());
                None
            }
            Command::Topic(_)
            | Command::TopicGone { .. }
            | Command::CatalogComplete
            | Command::GroupOffset(_)
            | Command::GroupGone(_)
            | Command::GroupsComplete
            | Command::Ownership(_) => None,
        };
        if let Some(answer) = answer {
            let process = self.process.as_mut().expect("it runs");
            process.receiver.handle(now, answer);
        }
    }

    fn locate(&self, topic: usize, mode: Mode) -> LocalPosition {
        let log = &self.logs[topic];
        match mode {
            Mode::Replica => LocalPosition {
                log_start: log.start,
                next_offset: log.end(),
                durable_end: log.durable_end(),
                last_epoch: log.last_epoch(),
                fresh: log.is_empty() && log.start == Offset::ZERO,
            },
            Mode::Merged => LocalPosition {
                log_start: Offset::ZERO,
                next_offset: self.table.resume().offset(),
                durable_end: self.table.resume().offset(),
                last_epoch: None,
                fresh: self.table.target_end().is_none(),
            },
        }
    }

    /// In offsets of the source: what is in the log.
    fn position(&self, topic: usize) -> Offset {
        if topic == MERGED { self.table.resume().offset() } else { self.logs[topic].end() }
    }

    fn append(&mut self, topic: usize, apply: &Apply) -> Result<(), ApplyFailure> {
        let unpacker = &mut self.process.as_mut().expect("it runs").unpacker;
        let offset = apply.blocks.first().map_or(Offset::ZERO, |block| block.header.first_offset);
        let batches = unpacker
            .unpack(&apply.blocks, apply.rules)
            .map_err(|error| ApplyFailure::Stop(error.stop_reason(offset)))?;
        for mut bytes in batches {
            match apply.mode {
                Mode::Replica => self.logs[topic].append_as_given(bytes.freeze()),
                Mode::Merged => {
                    let header = BatchHeader::parse(&bytes).expect("a checked batch");
                    provenance::stamp(&mut bytes, PROVENANCE).expect("a checked batch");
                    let base = self.logs[topic].append(bytes.to_vec(), LeaderEpoch(0));
                    let off = i64::from(self.fault == Fault::TranslationOffByOne);
                    let length = header.next_offset() - header.base_offset;
                    let run = Run::new(source(header.base_offset), target(base.plus(off)), length);
                    self.table.append(run).expect("runs ascend");
                }
            }
        }
        Ok(())
    }
}

impl Process {
    fn happened(&mut self, now: Duration, happening: Happening) {
        match happening {
            Happening::Connected => {
                self.decoder = Decoder::new();
                let hello = Hello {
                    version: VERSION,
                    link: LINK.to_owned(),
                    node: "target-1".to_owned(),
                    topology: String::new(),
                    digest: String::new(),
                    clock: 0,
                };
                self.receiver.handle(now, Event::Connected { hello });
            }
            Happening::Lost(_) => self.receiver.handle(now, Event::Disconnected),
            Happening::Control(bytes) => {
                self.decoder.push(bytes);
                while let Some(message) =
                    self.decoder.next_message::<ToTarget>().expect("our own messages are well-formed")
                {
                    self.receiver.handle(now, Event::Message(message));
                }
            }
            Happening::Block(bytes) => {
                let (header, payload) = bytes.split_first_chunk::<HEADER_SIZE>().expect("a header");
                let header = BlockHeader::parse(header).expect("our own blocks are well-formed");
                let payload = bytes.slice_ref(payload);
                self.receiver.handle(now, Event::Block(Block { header, payload }));
            }
            Happening::BlockTaken(_) => panic!("the target sends no blocks"),
        }
    }
}

pub(crate) fn key(topic: usize) -> PartitionKey {
    PartitionKey { topic_id: topic_id(topic), partition: PartitionId(0) }
}

pub(crate) fn source(offset: Offset) -> SourceOffset {
    Position::new(offset)
}

pub(crate) fn target(offset: Offset) -> TargetOffset {
    Position::new(offset)
}

fn topic_of(key: PartitionKey) -> usize {
    (0..TOPICS).find(|topic| topic_id(*topic) == key.topic_id).expect("a topic of ours")
}
