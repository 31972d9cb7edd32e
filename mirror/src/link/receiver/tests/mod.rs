//! The receiver's rules, one by one: events in, commands and messages out.

mod chain;
mod credit;
mod generations;
mod resume;

use bytes::Bytes;

use protocol::{LeaderEpoch, Offset, PartitionId, TopicId, Uuid, batch::BatchHeader};

use super::*;
use crate::{
    link::{
        BlockNumber,
        block::{Block, BlockHeader, Codec, Gaps, HEADER_SIZE},
        tests::{GENERATION, Make, TOPIC, hello, ms, topic},
        wire::{Subscribe, Subscribed, Topic, Unsubscribe, Watermark},
    },
    ownership::HomeGeneration,
};

const KEY: PartitionKey = PartitionKey { topic_id: TOPIC, partition: PartitionId(0) };

struct Test {
    receiver: Receiver,
    now: Duration,
    next_number: u64,
    generation: HomeGeneration,
}

impl Test {
    /// Connected, with one assigned partition that has not been located.
    fn new(mode: Mode) -> Self {
        let receiver = Receiver::new(ReceiverSettings::default());
        let mut test = Self { receiver, now: ms(1), next_number: 0, generation: GENERATION };
        test.connect();
        test.assign(KEY, GENERATION, mode);
        assert_eq!(test.commands(), [Command::Locate { key: KEY, mode }]);
        test
    }

    /// A replica that flows from `position`, up to where the source is too.
    fn flowing(position: i64) -> Self {
        let mut test = Self::new(Mode::Replica);
        test.locate(position);
        test.subscribed(position, position);
        test.commands();
        test
    }

    fn connect(&mut self) {
        self.tell(Event::Connected { hello: hello("target") });
        self.say(ToTarget::Hello(hello("source")));
        self.next_number = 0;
        let total_bytes = self.receiver.settings.credit_window;
        assert_eq!(self.messages(), [ToSource::Hello(hello("target")), ToSource::Credit { total_bytes }]);
    }

    fn assign(&mut self, key: PartitionKey, generation: HomeGeneration, mode: Mode) {
        self.tell(Event::Assigned { key, name: topic(1).name, generation, mode });
    }

    fn locate(&mut self, position: i64) {
        let position = LocalPosition {
            log_start: Offset(0),
            next_offset: Offset(position),
            durable_end: Offset(position),
            last_epoch: (position > 0).then_some(LeaderEpoch(0)),
            fresh: position == 0,
        };
        self.tell(Event::Located { key: KEY, result: Ok(position) });
    }

    fn subscribed(&mut self, start: i64, end: i64) {
        let subscribed = Subscribed {
            handle: self.handle(),
            start_offset: Offset(start),
            log_start: Offset(0),
            end: Offset(end),
            compacted: false,
        };
        self.say(ToTarget::Subscribed(subscribed));
    }

    /// Of the newest subscription.
    fn handle(&self) -> Handle {
        self.receiver.handles.keys().next_back().copied().unwrap_or_default()
    }

    fn tell(&mut self, event: Event) {
        self.receiver.handle(self.now, event);
    }

    fn say(&mut self, message: ToTarget) {
        self.tell(Event::Message(message));
    }

    /// What is to be done, but for changes of states.
    fn commands(&mut self) -> Vec<Command> {
        let all = std::iter::from_fn(|| self.receiver.poll_command());
        all.filter(|command| !matches!(command, Command::Changed { .. })).collect()
    }

    fn messages(&mut self) -> Vec<ToSource> {
        std::iter::from_fn(|| self.receiver.poll_control()).collect()
    }

    /// What is said once everything that may wait was waited for, but for pings.
    fn late_messages(&mut self) -> Vec<ToSource> {
        self.now += ms(2);
        self.receiver.handle_timeout(self.now);
        self.messages().into_iter().filter(|message| !matches!(message, ToSource::Ping { .. })).collect()
    }

    fn state(&self) -> PartitionState {
        self.receiver.partition(self.now, KEY).unwrap().state
    }

    fn refused(&self) -> Refused {
        self.receiver.counters().refused
    }

    fn block(&mut self, previous_end: i64, batch: Bytes) -> Block {
        let parsed = BatchHeader::parse(&batch).unwrap();
        let number = BlockNumber(self.next_number);
        self.next_number += 1;
        let bytes = batch.len() as u32;
        let header = BlockHeader {
            codec: Codec::Plain,
            fragment_index: 0,
            fragment_count: 1,
            handle: self.handle(),
            number,
            topic_id: TOPIC,
            partition: KEY.partition,
            leader_epoch: parsed.leader_epoch,
            generation: self.generation,
            previous_end: Offset(previous_end),
            first_offset: parsed.base_offset,
            last_offset: parsed.last_offset(),
            source_end: parsed.next_offset(),
            source_clock: 0,
            wire_bytes: bytes,
            unpacked_bytes: bytes,
            whole_bytes: bytes,
        };
        Block { header, payload: batch }
    }

    /// A block of `records` records at `base`, which continues there.
    fn at(&mut self, base: i64, records: usize) -> Block {
        self.block(base, Make::at(base).records(records).build())
    }

    fn arrive(&mut self, block: Block) {
        self.tell(Event::Block(block));
    }

    fn applied(&mut self, apply: ApplyId, end: i64, result: Result<(), ApplyFailure>) {
        self.tell(Event::Applied { apply, end: Offset(end), result });
    }

    fn no_space(&mut self, apply: ApplyId, end: i64) {
        self.applied(apply, end, Err(ApplyFailure::Wait(Stall::NoSpace)));
    }

    fn watermark(&mut self, log_start: i64, end: i64) {
        let (log_start, end) = (Offset(log_start), Offset(end));
        self.say(ToTarget::Watermark(Watermark { handle: self.handle(), log_start, end, clock: 0 }));
    }
}

/// Each apply's id, where it resumes, and its blocks' offsets.
fn applies(commands: &[Command]) -> Vec<(ApplyId, i64, Vec<i64>)> {
    let apply = |command: &Command| match command {
        Command::Apply(apply) => {
            let firsts = apply.blocks.iter().map(|block| block.header.first_offset.0).collect();
            Some((apply.apply, apply.rules.from.0, firsts))
        }
        _ => None,
    };
    commands.iter().filter_map(apply).collect()
}

fn unsubscribed(messages: &[ToSource]) -> Vec<Option<&str>> {
    let reason = |message| match message {
        &ToSource::Unsubscribe(Unsubscribe { ref reason, .. }) => Some(reason.as_ref().map(StopReason::code)),
        _ => None,
    };
    messages.iter().filter_map(reason).collect()
}
