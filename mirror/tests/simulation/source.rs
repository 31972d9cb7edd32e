//! The source: logs that grow, and a sender for each connection.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use bytes::Bytes;
use mirror::{
    link::{
        Handle,
        block::{CodecChoice, PackedBlock, Packer},
        limits::SenderSettings,
        sender::{Command, Event, ReadBatches, ReadFailure, Sender, SourceEnds, SourceView},
        wire::{Decoder, Hello, ToSource, Topic, VERSION},
    },
    ownership::HomeGeneration,
    stop::StopReason,
};
use protocol::{LeaderEpoch, Offset, PartitionId};
use quinn_proto::StreamId;

use crate::{
    control,
    log::Log,
    network::{Host, Network},
    peer::{Happening, Peer},
    world::{GENERATION, LINK, TOPICS, Trace, Works, topic_id, topic_name},
};

/// The transport may hold so much, or twice its window.
const TRANSPORT_BYTES_MIN: u64 = 256 << 10;

pub(crate) struct Source {
    /// One partition in each topic. They survive crashes, as far as they are durable.
    pub(crate) logs: Vec<Log>,
    pub(crate) epoch: LeaderEpoch,
    process: Option<Process>,
    pub(crate) lives: u64,
    epoch_instant: Instant,
}

struct Process {
    peer: Peer,
    link: Option<Link>,
}

/// What lives as long as a connection.
struct Link {
    number: u64,
    sender: Sender,
    decoder: Decoder,
    packer: Packer,
    watched: BTreeMap<Handle, usize>,
    told: BTreeMap<Handle, SourceEnds>,
    streams: BTreeMap<StreamId, mirror::link::BlockNumber>,
    /// Packed, and without a stream: too many are open.
    waiting: VecDeque<(PackedBlock, i32)>,
    transport_window: u64,
}

impl Source {
    pub(crate) fn new(epoch_instant: Instant) -> Self {
        Self {
            logs: vec![Log::default(); TOPICS],
            epoch: LeaderEpoch(0),
            process: None,
            lives: 0,
            epoch_instant,
        }
    }

    pub(crate) fn start(&mut self, seed: u64) {
        self.lives += 1;
        let peer = Peer::new(Host::Source, seed.wrapping_add(self.lives << 32), self.epoch_instant);
        self.process = Some(Process { peer, link: None });
    }

    /// What was not synced is gone, and a new epoch begins.
    pub(crate) fn crash(&mut self) {
        self.process = None;
        self.logs.iter_mut().for_each(Log::crash);
        self.epoch.0 += 1;
    }

    pub(crate) fn is_up(&self) -> bool {
        self.process.is_some()
    }

    pub(crate) fn peer(&mut self) -> Option<&mut Peer> {
        self.process.as_mut().map(|process| &mut process.peer)
    }

    pub(crate) fn timeout(&mut self) -> Option<Duration> {
        let process = self.process.as_mut()?;
        let core = process.link.as_ref().and_then(|link| link.sender.poll_timeout());
        [process.peer.timeout(), core].into_iter().flatten().min()
    }

    pub(crate) fn handle_timeout(&mut self, now: Duration) {
        let Some(process) = &mut self.process else { return };
        process.peer.handle_timeout(now);
        if let Some(link) = &mut process.link
            && link.sender.poll_timeout().is_some_and(|at| at <= now)
        {
            link.sender.handle_timeout(now);
        }
    }

    /// A log's ends moved.
    pub(crate) fn tell_ends(&mut self, now: Duration) {
        let Some(link) = self.process.as_mut().and_then(|process| process.link.as_mut()) else { return };
        for (handle, topic) in &link.watched {
            let ends = ends(&self.logs[*topic]);
            if link.told.insert(*handle, ends) != Some(ends) {
                link.sender.handle(now, Event::Ends { handle: *handle, ends });
            }
        }
    }

    pub(crate) fn read_done(&mut self, now: Duration, link_number: u64, event: Event) {
        let Some(link) = self.process.as_mut().and_then(|process| process.link.as_mut()) else { return };
        if link.number == link_number {
            link.sender.handle(now, event);
        }
    }

    /// Does what there is to do at this instant; answers whether there was anything.
    pub(crate) fn drive(
        &mut self,
        now: Duration,
        network: &mut Network,
        works: &mut Works,
        trace: &mut Trace,
    ) -> bool {
        let Some(process) = &mut self.process else { return false };
        process.peer.drive(now, network);
        let mut progress = false;
        while let Some(happening) = process.peer.next_happening() {
            progress = true;
            trace.happening(now, Host::Source, &happening);
            process.happened(now, happening, works, &self.logs);
        }
        if let Some(link) = &mut process.link {
            let logs = &self.logs;
            progress |= link.commands(now, &mut process.peer, logs, works, trace);
            while let Some(message) = link.sender.poll_control(now) {
                progress = true;
                process.peer.send_control(control::encode(&message));
            }
        }
        process.peer.drive(now, network);
        progress
    }
}

impl Process {
    fn happened(&mut self, now: Duration, happening: Happening, works: &mut Works, logs: &[Log]) {
        match happening {
            Happening::Connected => {
                let mut link = Link::new(works.fresh_number());
                for topic in 0..logs.len() {
                    link.sender.handle(now, Event::Topic(topic_message(topic)));
                }
                link.sender.handle(now, Event::CatalogComplete);
                link.sender.handle(now, Event::GroupsComplete);
                self.link = Some(link);
            }
            Happening::Lost(_) => self.link = None,
            Happening::Control(bytes) => {
                let Some(link) = &mut self.link else { return };
                link.decoder.push(bytes);
                while let Some(message) =
                    link.decoder.next_message::<ToSource>().expect("our own messages are well-formed")
                {
                    link.sender.handle(now, Event::Message(message));
                }
            }
            Happening::BlockTaken(stream) => {
                let Some(link) = &mut self.link else { return };
                if let Some(number) = link.streams.remove(&stream) {
                    link.sender.handle(now, Event::Finished { number });
                }
            }
            Happening::Block(_) => panic!("the target sends no blocks"),
        }
    }
}

impl Link {
    fn new(number: u64) -> Self {
        let hello = Hello {
            version: VERSION,
            link: LINK.to_owned(),
            node: "source-1".to_owned(),
            topology: String::new(),
            digest: String::new(),
            clock: 0,
        };
        Self {
            number,
            sender: Sender::new(SenderSettings::default(), hello),
            decoder: Decoder::new(),
            packer: Packer::new(CodecChoice::Auto).expect("zstd is there"),
            watched: BTreeMap::new(),
            told: BTreeMap::new(),
            streams: BTreeMap::new(),
            waiting: VecDeque::new(),
            transport_window: 0,
        }
    }

    fn commands(
        &mut self,
        now: Duration,
        peer: &mut Peer,
        logs: &[Log],
        works: &mut Works,
        trace: &mut Trace,
    ) -> bool {
        let window = (2 * peer.bytes_in_flight_limit()).max(TRANSPORT_BYTES_MIN);
        if window != self.transport_window {
            self.transport_window = window;
            self.sender.handle(now, Event::TransportWindow { bytes: window });
        }
        let mut progress = false;
        while let Some((packed, priority)) = self.waiting.pop_front() {
            if let Some(packed) = self.send(peer, packed, priority) {
                self.waiting.push_front((packed, priority));
                break;
            }
            progress = true;
        }
        while let Some(command) = self.sender.poll_command() {
            progress = true;
            self.obey(now, command, peer, logs, works, trace);
        }
        progress
    }

    fn obey(
        &mut self,
        now: Duration,
        command: Command,
        peer: &mut Peer,
        logs: &[Log],
        works: &mut Works,
        trace: &mut Trace,
    ) {
        match command {
            Command::Open { handle, topic_id: id, partition, last_epoch } => {
                let topic =
                    (0..logs.len()).find(|topic| topic_id(*topic) == id && partition == PartitionId(0));
                let result = topic.ok_or(StopReason::UnknownTopic).map(|topic| {
                    self.watched.insert(handle, topic);
                    let log = &logs[topic];
                    self.told.insert(handle, ends(log));
                    SourceView {
                        ends: ends(log),
                        epoch_end: last_epoch.and_then(|epoch| log.epoch_end(epoch)),
                    }
                });
                trace.note(now, format_args!("open {handle:?} {topic:?}"));
                self.sender.handle(now, Event::Opened { handle, result });
            }
            Command::Release { handle } => {
                self.watched.remove(&handle);
                self.told.remove(&handle);
            }
            Command::Read { read, handle, from, until, bytes_max } => {
                trace.note(now, format_args!("read {handle:?} {from} {until}"));
                let result = self.read(handle, (from, until), bytes_max, logs);
                works.read(now, self.number, Event::Read { read, result });
            }
            Command::Send(block) => {
                trace.note(
                    now,
                    format_args!(
                        "send {:?} {} {}",
                        block.header.number, block.header.first_offset, block.header.last_offset
                    ),
                );
                let priority = block.priority;
                let packed = self.packer.pack(block);
                let (number, wire_bytes) = (packed.header.number, packed.wire_bytes());
                self.sender.handle(now, Event::Packed { number, wire_bytes });
                if let Some(packed) = self.send(peer, packed, priority) {
                    self.waiting.push_back((packed, priority));
                }
            }
            Command::Acked { topic_id: id, durable_end, .. } => {
                let topic = (0..logs.len()).find(|topic| topic_id(*topic) == id).expect("a topic of ours");
                assert!(
                    durable_end <= logs[topic].durable_end(),
                    "the target acknowledged what was never here"
                );
                trace.note(now, format_args!("acked {topic} {durable_end}"));
            }
            Command::Ownership(_) => {}
            Command::Close(error) => {
                trace.note(now, format_args!("close: {error}"));
                works.closed_by_core(&error.to_string());
                peer.close(now, &error.to_string());
            }
        }
    }

    fn read(
        &self,
        handle: Handle,
        (from, until): (Offset, Offset),
        bytes_max: usize,
        logs: &[Log],
    ) -> Result<ReadBatches, ReadFailure> {
        let topic = self.watched.get(&handle).ok_or(ReadFailure::Gone)?;
        let log = &logs[*topic];
        if from < log.start || from > log.end() {
            return Err(ReadFailure::OutOfRange { log_start: log.start, log_end: log.end() });
        }
        Ok(ReadBatches { pieces: log.read(from, until, bytes_max) })
    }

    /// Gives the block back when there is no stream for it.
    fn send(&mut self, peer: &mut Peer, packed: PackedBlock, priority: i32) -> Option<PackedBlock> {
        let mut chunks = vec![Bytes::copy_from_slice(&packed.encoded_header)];
        chunks.extend(packed.payload.iter().cloned());
        match peer.send_block(chunks, priority) {
            Some(stream) => {
                self.streams.insert(stream, packed.header.number);
                None
            }
            None => Some(packed),
        }
    }
}

fn ends(log: &Log) -> SourceEnds {
    SourceEnds { log_start: log.start, end: log.durable_end() }
}

fn topic_message(topic: usize) -> Topic {
    Topic {
        name: topic_name(topic),
        id: topic_id(topic),
        leader_epochs: vec![LeaderEpoch(0)],
        configs: BTreeMap::new(),
        compacted: false,
        generation: HomeGeneration(GENERATION),
    }
}
