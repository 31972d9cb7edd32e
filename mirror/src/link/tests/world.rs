//! A source and a target in memory, and a network that delivers streams whole and in any order.

use std::collections::{BTreeMap, VecDeque};

use bytes::{Bytes, BytesMut};
use rand::{Rng, SeedableRng, rngs::StdRng};

use protocol::{LeaderEpoch, Offset, PartitionId, batch::BatchHeader};

use super::{GENERATION, Make, TOPIC, hello, topic};
use crate::link::{
    Handle,
    block::{Block, BlockHeader, Codec, CodecChoice, Packer, Unpacker},
    limits::{ReceiverSettings, SenderSettings},
    receiver::{self, ApplyFailure, LocalPosition, Mode, PartitionKey, PartitionView, Receiver, Stall},
    sender::{self, ReadBatches, Sender, SourceEnds, SourceView},
    wire::{Control, Decoder, ToSource, ToTarget, encode},
};

/// One partition's log.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) start: Offset,
    pub(super) batches: Vec<Bytes>,
    /// How much of it is on stable storage.
    pub(super) synced: usize,
}

impl Log {
    pub(super) fn end(&self) -> Offset {
        self.batches.last().map_or(self.start, |batch| header(batch).next_offset())
    }

    fn synced_end(&self) -> Offset {
        let last = self.synced.checked_sub(1).and_then(|at| self.batches.get(at));
        last.map_or(self.start, |batch| header(batch).next_offset())
    }

    /// Power is lost.
    fn crash(&mut self) {
        self.batches.truncate(self.synced);
    }

    fn trim(&mut self, to: Offset) {
        let gone = self.batches.iter().take_while(|batch| header(batch).next_offset() <= to).count();
        self.batches.drain(..gone);
        self.synced -= gone.min(self.synced);
        self.start = to;
    }
}

fn header(batch: &Bytes) -> BatchHeader {
    BatchHeader::parse_whole(batch).unwrap()
}

/// Everything that one seed decides.
pub(super) struct World {
    pub(super) random: StdRng,
    now: std::time::Duration,
    pub(super) sources: BTreeMap<PartitionId, Log>,
    pub(super) targets: BTreeMap<PartitionId, Log>,
    sender: Option<Sender>,
    pub(super) receiver: Receiver,
    receiver_settings: ReceiverSettings,
    packer: Packer,
    unpacker: Unpacker,
    open: BTreeMap<Handle, PartitionId>,
    to_source: BytesMut,
    to_target: BytesMut,
    source_decoder: Decoder,
    target_decoder: Decoder,
    /// Streams under way.
    blocks: Vec<Block>,
    /// What drivers have been asked for; done one at a time, in order for each side.
    sender_work: VecDeque<sender::Command>,
    receiver_work: VecDeque<receiver::Command>,
    pub(super) full: bool,
    credit_window: u64,
    pub(super) seen: Seen,
}

/// What happened, so that a test can show that it tests something.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Seen {
    pub(super) ahead_of_predecessor: u64,
    pub(super) fragments: u64,
    pub(super) compressed: u64,
    pub(super) started_later: u64,
    pub(super) starts_advanced: u64,
    pub(super) no_space: u64,
    pub(super) lost_applies: u64,
}

pub(super) const PARTITIONS: i32 = 3;

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let receiver_settings = ReceiverSettings {
            credit_window: random.random_range(0..6_000_000),
            batch_bytes_max: 3 << 20,
            apply_bytes_max: random.random_range(1..3_000_000),
            applies_bytes_max: random.random_range(1..5_000_000),
            ..ReceiverSettings::default()
        };
        let choice = [CodecChoice::Auto, CodecChoice::Lz4, CodecChoice::Off][random.random_range(0..3)];
        // Some sources have deleted their first records before the mirror began.
        let start = if random.random() { Offset(random.random_range(0..100)) } else { Offset(0) };
        let logs = |start| {
            let log = |partition| (PartitionId(partition), Log { start, ..Log::default() });
            (0..PARTITIONS).map(log).collect()
        };
        let mut world = Self {
            now: std::time::Duration::ZERO,
            sources: logs(start),
            targets: logs(Offset(0)),
            sender: None,
            receiver: Receiver::new(receiver_settings.clone()),
            credit_window: receiver_settings.credit_window.max(wire_bound()),
            receiver_settings,
            packer: Packer::new(choice).unwrap(),
            unpacker: Unpacker::new().unwrap(),
            open: BTreeMap::new(),
            to_source: BytesMut::new(),
            to_target: BytesMut::new(),
            source_decoder: Decoder::new(),
            target_decoder: Decoder::new(),
            blocks: Vec::new(),
            sender_work: VecDeque::new(),
            receiver_work: VecDeque::new(),
            full: false,
            seen: Seen::default(),
            random,
        };
        world.assign();
        world
    }

    pub(super) fn key(partition: PartitionId) -> PartitionKey {
        PartitionKey { topic_id: TOPIC, partition }
    }

    pub(super) fn view(&self, partition: PartitionId) -> PartitionView {
        self.receiver.partition(self.now, Self::key(partition)).unwrap()
    }

    fn assign(&mut self) {
        for partition in (0..PARTITIONS).map(PartitionId) {
            let (key, name) = (Self::key(partition), topic(1).name);
            self.receive(receiver::Event::Assigned {
                key,
                name,
                generation: GENERATION,
                mode: Mode::Replica,
            });
        }
    }

    pub(super) fn append(&mut self) {
        let partition = PartitionId(self.random.random_range(0..PARTITIONS));
        let size = match self.random.random_range(0..20) {
            0 => self.random.random_range(0..2_500_000),
            1..5 => self.random.random_range(0..300_000),
            _ => self.random.random_range(0..3000),
        };
        let records = self.random.random_range(1..3);
        let log = self.sources.get_mut(&partition).unwrap();
        let make = Make::at(log.end().0).records(records).value_bytes(size / records);
        let batch = if self.random.random() { make.noise() } else { make };
        log.batches.push(batch.build());
        if self.random.random_range(0..3) > 0 {
            self.sync_source(partition);
        }
    }

    pub(super) fn sync_source(&mut self, partition: PartitionId) {
        let log = self.sources.get_mut(&partition).unwrap();
        log.synced = log.batches.len();
        self.tell_ends(partition);
    }

    fn tell_ends(&mut self, partition: PartitionId) {
        let ends = self.source_ends(partition);
        let handles: Vec<Handle> =
            self.open.iter().filter(|(_, at)| **at == partition).map(|(handle, _)| *handle).collect();
        handles.into_iter().for_each(|handle| self.send(sender::Event::Ends { handle, ends }));
    }

    /// The source forgets what the target has, and only that: else the mirror stops, as it should.
    pub(super) fn trim_source(&mut self, partition: PartitionId) {
        let to = self.targets[&partition].synced_end();
        if to > self.sources[&partition].start && to <= self.sources[&partition].synced_end() {
            self.sources.get_mut(&partition).unwrap().trim(to);
            self.tell_ends(partition);
        }
    }

    fn source_ends(&self, partition: PartitionId) -> SourceEnds {
        let log = &self.sources[&partition];
        SourceEnds { log_start: log.start, end: log.synced_end() }
    }

    pub(super) fn connect(&mut self) {
        self.disconnect();
        let settings = SenderSettings {
            live_bytes_max: self.random.random_range(0..2_000_000),
            batch_bytes_max: 3 << 20,
            ..SenderSettings::default()
        };
        self.sender = Some(Sender::new(settings, hello("source")));
        self.send(sender::Event::Topic(topic(PARTITIONS as usize)));
        self.send(sender::Event::CatalogComplete);
        self.receive(receiver::Event::Connected { hello: hello("target") });
    }

    pub(super) fn disconnect(&mut self) {
        let applies = |command: &&receiver::Command| matches!(command, receiver::Command::Apply(_));
        self.seen.lost_applies += self.receiver_work.iter().filter(applies).count() as u64;
        self.sender = None;
        self.sender_work.clear();
        self.open.clear();
        self.blocks.clear();
        (self.to_source, self.to_target) = (BytesMut::new(), BytesMut::new());
        (self.source_decoder, self.target_decoder) = (Decoder::new(), Decoder::new());
        self.receive(receiver::Event::Disconnected);
    }

    /// The target loses power: what was not synced is gone, and so is all that its receiver knew.
    pub(super) fn crash_target(&mut self) {
        self.disconnect();
        self.receiver_work.clear();
        self.targets.values_mut().for_each(Log::crash);
        self.receiver = Receiver::new(self.receiver_settings.clone());
        self.assign();
    }

    /// The source loses power: nothing of what it sent may be gone.
    pub(super) fn crash_source(&mut self) {
        self.disconnect();
        self.sources.values_mut().for_each(Log::crash);
    }

    fn send(&mut self, event: sender::Event) {
        let Some(sender) = &mut self.sender else { return };
        sender.handle(self.now, event);
        self.sender_work.extend(std::iter::from_fn(|| sender.poll_command()));
    }

    fn receive(&mut self, event: receiver::Event) {
        self.receiver.handle(self.now, event);
        self.receiver_work.extend(std::iter::from_fn(|| self.receiver.poll_command()));
        assert!(self.receiver.unapplied_bytes() <= self.credit_window, "credit bounds what waits");
    }

    /// Something small happens. `false`: nothing was to be done.
    pub(super) fn step(&mut self) -> bool {
        let mut busy = false;
        match self.random.random_range(0..6) {
            0 => busy |= self.work_for_sender(),
            1 => busy |= self.work_for_receiver(),
            2 => busy |= self.deliver_block(),
            3 => busy |= self.pump_control(),
            4 => busy |= self.sync_target(),
            _ => busy |= self.pass_time(),
        }
        busy
    }

    fn pass_time(&mut self) -> bool {
        self.now += std::time::Duration::from_micros(self.random.random_range(1..3000));
        let sender = self.sender.as_ref().and_then(Sender::poll_timeout);
        let due = [sender, self.receiver.poll_timeout()].into_iter().flatten().min();
        if let Some(sender) = &mut self.sender {
            sender.handle_timeout(self.now);
        }
        self.receiver.handle_timeout(self.now);
        self.receiver_work.extend(std::iter::from_fn(|| self.receiver.poll_command()));
        due.is_some_and(|due| due <= self.now)
    }

    fn pump_control(&mut self) -> bool {
        let mut busy = false;
        if let Some(sender) = &mut self.sender
            && let Some(message) = sender.poll_control(self.now)
        {
            encode(&message, &mut self.to_target).unwrap();
        }
        if let Some(message) = self.receiver.poll_control() {
            encode(&message, &mut self.to_source).unwrap();
        }
        for message in transfer::<ToTarget>(&mut self.random, &mut self.to_target, &mut self.target_decoder) {
            self.receive(receiver::Event::Message(message));
            busy = true;
        }
        for message in transfer::<ToSource>(&mut self.random, &mut self.to_source, &mut self.source_decoder) {
            self.send(sender::Event::Message(message));
            busy = true;
        }
        busy
    }

    fn deliver_block(&mut self) -> bool {
        if self.blocks.is_empty() {
            return false;
        }
        let block = self.blocks.swap_remove(self.random.random_range(0..self.blocks.len()));
        let number = block.header.number;
        let partition = block.header.partition;
        let overtaken = |other: &Block| other.header.partition == partition && other.header.number < number;
        self.seen.ahead_of_predecessor += u64::from(self.blocks.iter().any(overtaken));
        self.receive(receiver::Event::Block(block));
        self.send(sender::Event::Finished { number });
        true
    }

    fn work_for_sender(&mut self) -> bool {
        let Some(command) = self.sender_work.pop_front() else { return false };
        match command {
            sender::Command::Open { handle, partition, last_epoch, .. } => {
                self.open.insert(handle, partition);
                let ends = self.source_ends(partition);
                let epoch_end = last_epoch.map(|_| (LeaderEpoch(0), ends.end));
                self.send(sender::Event::Opened { handle, result: Ok(SourceView { ends, epoch_end }) });
            }
            sender::Command::Release { handle } => {
                self.open.remove(&handle);
            }
            sender::Command::Read { read, handle, from, until, bytes_max } => {
                let Some(partition) = self.open.get(&handle) else { return true };
                let pieces = self.read(*partition, from, until, bytes_max);
                self.send(sender::Event::Read { read, result: Ok(ReadBatches { pieces }) });
            }
            sender::Command::Send(block) => {
                let number = block.header.number;
                let packed = self.packer.pack(block);
                let header = BlockHeader::parse(&packed.encoded_header).unwrap();
                self.seen.fragments += u64::from(header.is_fragment());
                self.seen.compressed += u64::from(header.codec != Codec::Plain);
                self.blocks.push(Block { header, payload: super::concat(&packed.payload) });
                self.send(sender::Event::Packed { number, wire_bytes: packed.wire_bytes() });
            }
            sender::Command::Acked { partition, durable_end, .. } => {
                assert!(durable_end <= self.targets[&partition].synced_end(), "an ack is a promise");
            }
            other @ (sender::Command::Ownership(_) | sender::Command::Close(_)) => panic!("{other:?}"),
        }
        true
    }

    /// Batches joined to pieces by chance.
    fn read(&mut self, partition: PartitionId, from: Offset, until: Offset, bytes_max: usize) -> Vec<Bytes> {
        let mut pieces: Vec<Bytes> = Vec::new();
        let mut bytes = 0;
        for batch in &self.sources[&partition].batches {
            let place = header(batch);
            if place.next_offset() <= from || place.base_offset >= until {
                continue;
            }
            if bytes > 0 && bytes + batch.len() > bytes_max {
                break;
            }
            bytes += batch.len();
            match pieces.last_mut() {
                Some(last) if self.random.random() => *last = super::concat(&[last.clone(), batch.clone()]),
                _ => pieces.push(batch.clone()),
            }
        }
        pieces
    }

    fn work_for_receiver(&mut self) -> bool {
        let Some(command) = self.receiver_work.pop_front() else { return false };
        let event = match command {
            receiver::Command::Locate { key, .. } => {
                receiver::Event::Located { key, result: Ok(self.locate(key.partition)) }
            }
            receiver::Command::StartAt { key, offset } => {
                let log = self.targets.get_mut(&key.partition).unwrap();
                assert!(log.batches.is_empty());
                log.start = offset;
                self.seen.started_later += 1;
                receiver::Event::Started { key, result: Ok(()) }
            }
            receiver::Command::Apply(apply) => self.apply(&apply),
            receiver::Command::AdvanceStart { key, to } => {
                assert!(to <= self.sources[&key.partition].start, "never above what the source has");
                let log = self.targets.get_mut(&key.partition).unwrap();
                assert!(to <= log.synced_end(), "only after the data is there");
                log.trim(to);
                self.seen.starts_advanced += 1;
                receiver::Event::StartAdvanced { key, to, result: Ok(()) }
            }
            receiver::Command::Close(error) => panic!("{error}"),
            _ => return true,
        };
        self.receive(event);
        true
    }

    fn locate(&self, partition: PartitionId) -> LocalPosition {
        let log = &self.targets[&partition];
        LocalPosition {
            log_start: log.start,
            next_offset: log.end(),
            durable_end: log.synced_end(),
            last_epoch: log.batches.last().map(|_| LeaderEpoch(0)),
            fresh: log.batches.is_empty() && log.start == Offset::ZERO,
        }
    }

    fn apply(&mut self, apply: &receiver::Apply) -> receiver::Event {
        let batches = self.unpacker.unpack(&apply.blocks, apply.rules).unwrap();
        let log = self.targets.get_mut(&apply.key.partition).unwrap();
        let fits = if self.full { self.random.random_range(0..=batches.len()) } else { batches.len() };
        let full = fits < batches.len();
        for batch in batches.into_iter().take(fits) {
            let batch = batch.freeze();
            assert_eq!(header(&batch).base_offset, log.end(), "nothing twice, nothing left out");
            log.batches.push(batch);
        }
        self.seen.no_space += u64::from(full);
        let result = if full { Err(ApplyFailure::Wait(Stall::NoSpace)) } else { Ok(()) };
        receiver::Event::Applied { apply: apply.apply, end: log.end(), result }
    }

    fn sync_target(&mut self) -> bool {
        let partition = PartitionId(self.random.random_range(0..PARTITIONS));
        let log = self.targets.get_mut(&partition).unwrap();
        if log.synced == log.batches.len() {
            return false;
        }
        log.synced = log.batches.len();
        let end = log.synced_end();
        self.receive(receiver::Event::Durable { key: Self::key(partition), end });
        true
    }

    pub(super) fn is_done(&self) -> bool {
        let equal = |partition: &PartitionId| {
            let (source, target) = (&self.sources[partition], &self.targets[partition]);
            source.batches == target.batches
                && source.start == target.start
                && target.synced == target.batches.len()
        };
        self.sources.keys().all(equal)
    }
}

/// The smallest window that the receiver of this world takes.
fn wire_bound() -> u64 {
    crate::link::limits::wire_bytes_of_batch(3 << 20)
}

/// Moves some bytes of a control stream over.
fn transfer<M: Control>(random: &mut StdRng, stream: &mut BytesMut, decoder: &mut Decoder) -> Vec<M> {
    if stream.is_empty() {
        return Vec::new();
    }
    let bytes = random.random_range(1..=stream.len());
    decoder.push(stream.split_to(bytes).freeze());
    std::iter::from_fn(|| decoder.next_message().unwrap()).collect()
}
