//! The sender's rules, one by one: events in, commands and messages out.

mod blocks;
mod resume;
mod sharing;
mod telling;

use bytes::Bytes;

use protocol::{GroupId, LeaderEpoch, Offset, PartitionId, TopicId, Uuid};

use super::*;
use crate::{
    link::{
        BlockNumber, ReadId,
        block::{BLOCK_BYTES_MAX, HEADER_SIZE, OutgoingBlock},
        tests::{GENERATION, Make, TOPIC, concat, hello, ms, subscribe, topic},
        wire::{GroupGone, GroupOffset, Subscribed, Unsubscribe},
    },
    ownership::HomeGeneration,
};

const WINDOW: u64 = 64 << 20;

struct Test {
    sender: Sender,
    now: Duration,
}

impl Test {
    /// A sender that has shaken hands, with a catalog of one topic.
    fn new(settings: SenderSettings, topic: Topic) -> Self {
        let mut test = Self { sender: Sender::new(settings, hello("source")), now: ms(1) };
        test.say(ToSource::Hello(hello("target")));
        test.tell(Event::Topic(topic));
        test.tell(Event::CatalogComplete);
        test.drain();
        test
    }

    fn with_credit() -> Self {
        let mut test = Self::new(SenderSettings::default(), topic(9));
        test.say(ToSource::Credit { total_bytes: WINDOW });
        test
    }

    fn tell(&mut self, event: Event) {
        self.sender.handle(self.now, event);
    }

    fn say(&mut self, message: ToSource) {
        self.tell(Event::Message(message));
    }

    fn commands(&mut self) -> Vec<Command> {
        std::iter::from_fn(|| self.sender.poll_command()).collect()
    }

    fn messages(&mut self) -> Vec<ToTarget> {
        std::iter::from_fn(|| self.sender.poll_control(self.now)).collect()
    }

    fn drain(&mut self) {
        self.commands();
        self.messages();
    }

    /// Subscribes, and opens with these ends; what comes of it is left to look at.
    fn open(&mut self, asked: Subscribe, log_start: i64, end: i64, epoch_end: Option<(i32, i64)>) {
        self.say(ToSource::Subscribe(asked));
        assert!(matches!(self.commands()[..], [Command::Open { .. }]), "an open and nothing else");
        let ends = ends(log_start, end);
        let epoch_end = epoch_end.map(|(epoch, end)| (LeaderEpoch(epoch), Offset(end)));
        self.tell(Event::Opened { handle: asked.handle, result: Ok(SourceView { ends, epoch_end }) });
    }

    /// A partition that flows from its start, with nothing in it; its handle is its partition.
    fn open_empty(&mut self, handle: u32) {
        self.open(subscribe(handle, 0), 0, 0, None);
        self.drain();
    }

    fn ends(&mut self, handle: u32, log_start: i64, end: i64) {
        self.tell(Event::Ends { handle: Handle(handle), ends: ends(log_start, end) });
    }

    fn refusal(&mut self) -> StopReason {
        match &self.messages()[..] {
            [ToTarget::Refused { reason, .. }] => reason.clone(),
            other => panic!("a refusal, not {other:?}"),
        }
    }

    fn answer(&mut self, read: ReadId, batches: &[Bytes]) {
        let pieces = vec![concat(batches)];
        self.tell(Event::Read { read, result: Ok(ReadBatches { pieces }) });
    }
}

fn ends(log_start: i64, end: i64) -> SourceEnds {
    SourceEnds { log_start: Offset(log_start), end: Offset(end) }
}

fn reads(commands: &[Command]) -> Vec<(u32, ReadId)> {
    let read = |command: &Command| match command {
        Command::Read { read, handle, .. } => Some((handle.0, *read)),
        _ => None,
    };
    commands.iter().filter_map(read).collect()
}

fn blocks(commands: Vec<Command>) -> Vec<OutgoingBlock> {
    let block = |command| match command {
        Command::Send(block) => Some(block),
        _ => None,
    };
    commands.into_iter().filter_map(block).collect()
}
