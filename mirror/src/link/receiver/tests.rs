//! The receiver's rules, one by one: events in, commands and messages out.

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

#[test]
fn a_replica_resumes_at_the_end_of_its_own_log_case_26() {
    let mut test = Test::new(Mode::Replica);
    test.locate(17);
    let subscribe = Subscribe {
        handle: Handle(0),
        topic_id: TOPIC,
        partition: PartitionId(0),
        next_offset: Offset(17),
        last_epoch: Some(LeaderEpoch(0)),
        generation: GENERATION,
        fresh: false,
    };
    assert_eq!(test.messages(), [ToSource::Subscribe(subscribe)]);
}

#[test]
fn an_empty_replica_begins_where_the_source_does_before_anything_is_applied() {
    let mut test = Test::new(Mode::Replica);
    test.locate(0);
    test.subscribed(40, 42);
    let block = test.at(40, 2);
    test.arrive(block);
    assert_eq!(test.commands(), [Command::StartAt { key: KEY, offset: Offset(40) }]);
    assert_eq!(test.state(), PartitionState::Starting);
    test.tell(Event::Started { key: KEY, result: Ok(()) });
    assert!(matches!(&applies(&test.commands())[..], [(_, 40, firsts)] if firsts[..] == [40]));
    assert_eq!(test.state(), PartitionState::Backfilling);
}

#[test]
fn a_merged_partition_begins_later_without_touching_the_log_start() {
    let mut test = Test::new(Mode::Merged);
    test.locate(0);
    test.subscribed(40, 41);
    let block = test.at(40, 1);
    test.arrive(block);
    let commands = test.commands();
    assert!(matches!(&commands[..], [Command::Apply(apply)] if apply.mode == Mode::Merged));
    test.watermark(41, 41);
    test.tell(Event::Durable { key: KEY, end: Offset(41) });
    assert_eq!(test.commands(), []);
}

#[test]
fn blocks_that_come_before_the_subscription_is_granted_wait() {
    let mut test = Test::new(Mode::Replica);
    test.locate(5);
    let block = test.at(5, 1);
    test.arrive(block);
    assert_eq!(test.commands(), []);
    test.subscribed(5, 6);
    assert_eq!(applies(&test.commands()).len(), 1);
}

#[test]
fn a_start_elsewhere_than_asked_is_a_broken_chain() {
    let mut test = Test::new(Mode::Replica);
    test.locate(5);
    test.subscribed(6, 9);
    let reason = StopReason::BrokenChain { expected: Offset(5), found: Offset(6) };
    assert_eq!(test.state(), PartitionState::Stopped(reason));
}

#[test]
fn blocks_are_applied_in_chain_order_whatever_order_they_come_in() {
    let mut test = Test::flowing(0);
    let blocks = [test.at(0, 2), test.at(2, 1), test.at(3, 4)];
    for block in [2, 1, 0].map(|at| blocks[at].clone()) {
        assert_eq!(test.commands(), []);
        test.arrive(block);
    }
    assert!(matches!(&applies(&test.commands())[..], [(_, 0, firsts)] if firsts[..] == [0, 2, 3]));
}

#[test]
fn one_apply_is_under_way_and_what_comes_meanwhile_goes_together() {
    let mut test = Test::flowing(0);
    let blocks = [test.at(0, 1), test.at(1, 1), test.at(2, 1)];
    let [first, second, third] = blocks;
    test.arrive(first);
    let [(apply, ..)] = applies(&test.commands())[..] else { panic!("one apply") };
    test.arrive(second);
    test.arrive(third);
    assert_eq!(test.commands(), []);
    test.applied(apply, 1, Ok(()));
    assert!(matches!(&applies(&test.commands())[..], [(_, 1, firsts)] if firsts[..] == [1, 2]));
}

#[test]
fn a_repeated_block_is_refused_and_counted_and_its_credit_returned_case_26() {
    let mut test = Test::flowing(0);
    test.messages();
    let block = test.at(0, 1);
    let again = test.at(0, 1);
    test.arrive(block.clone());
    assert_eq!(applies(&test.commands()).len(), 1);
    // The same stream again, and the same records under another number.
    test.arrive(block);
    test.arrive(again.clone());
    assert_eq!(test.refused().repeated, 2);
    assert_eq!(test.receiver.unapplied_bytes(), again.wire_bytes());
    assert_eq!(test.state(), PartitionState::Live);
}

#[test]
fn an_overlapping_block_is_refused_and_counted() {
    let mut test = Test::flowing(0);
    let (long, short, inner) = (test.at(0, 3), test.at(0, 2), test.at(2, 2));
    test.arrive(inner);
    test.arrive(long);
    assert_eq!(applies(&test.commands()).len(), 1);
    assert_eq!(test.refused().overlapping, 1);
    test.arrive(short);
    assert_eq!(test.refused().repeated, 1);
}

#[test]
fn a_block_that_never_comes_stops_the_partition_when_nothing_else_can_be_it() {
    let mut test = Test::flowing(0);
    let (first, missing, third, last) = (test.at(0, 1), test.at(1, 1), test.at(2, 1), test.at(3, 1));
    test.arrive(third);
    test.arrive(last);
    test.arrive(first);
    assert_eq!(test.state(), PartitionState::Live, "the missing one may be under way");
    // Its number comes with other records.
    let mut other = missing;
    (other.header.previous_end, other.header.first_offset, other.header.last_offset) =
        (Offset(7), Offset(7), Offset(7));
    other.header.source_end = Offset(8);
    test.arrive(other);
    let reason = StopReason::BrokenChain { expected: Offset(1), found: Offset(2) };
    assert_eq!(test.state(), PartitionState::Stopped(reason));
    assert_eq!(test.refused().broken_chain, 1);
    assert_eq!(unsubscribed(&test.messages()), [Some("broken-chain")]);
}

#[test]
fn a_gap_stops_a_plain_topic_after_what_is_before_it_case_2() {
    let mut test = Test::flowing(0);
    let (first, second) = (test.at(0, 1), test.block(1, Make::at(5).build()));
    test.arrive(second);
    test.arrive(first);
    let commands = test.commands();
    let [(apply, 0, firsts)] = &applies(&commands)[..] else { panic!("one apply") };
    assert_eq!(firsts[..], [0]);
    test.applied(*apply, 1, Ok(()));
    let reason = StopReason::UnexpectedGap { expected: Offset(1), found: Offset(5) };
    assert_eq!(test.state(), PartitionState::Stopped(reason));
    assert_eq!(test.refused().gaps, 1);
    assert_eq!(test.receiver.unapplied_bytes(), 0);
}

#[test]
fn a_compacted_topic_keeps_its_gaps_case_1() {
    let mut test = Test::flowing(0);
    test.say(ToTarget::Topic(Topic { compacted: true, ..topic(1) }));
    let block = test.block(0, Make::at(5).build());
    test.arrive(block);
    let commands = test.commands();
    let apply = commands.iter().find_map(|command| match command {
        Command::Apply(apply) => Some(apply),
        _ => None,
    });
    assert_eq!(apply.map(|apply| apply.rules.gaps), Some(Gaps::Allowed));
}

#[test]
fn a_lower_generation_is_refused_and_counted_case_27() {
    let mut test = Test::flowing(0);
    test.messages();
    test.generation = HomeGeneration(GENERATION.0 - 1);
    let block = test.at(0, 1);
    test.arrive(block);
    assert_eq!(test.commands(), []);
    let reason = StopReason::LowerGeneration { given: test.generation, known: GENERATION };
    assert_eq!(test.state(), PartitionState::Stopped(reason));
    assert_eq!(test.refused().lower_generation, 1);
    assert_eq!(test.receiver.unapplied_bytes(), 0);
    assert_eq!(unsubscribed(&test.messages()), [Some("lower-generation")]);
}

#[test]
fn a_new_generation_subscribes_anew_once_the_append_under_way_ended_case_28() {
    let mut test = Test::flowing(0);
    let block = test.at(0, 1);
    test.arrive(block);
    let [(apply, ..)] = applies(&test.commands())[..] else { panic!("one apply") };
    test.assign(KEY, HomeGeneration(GENERATION.0 + 1), Mode::Replica);
    assert_eq!(unsubscribed(&test.messages()), [None]);
    assert_eq!(test.commands(), []);
    test.applied(apply, 1, Ok(()));
    assert_eq!(test.commands(), [Command::Locate { key: KEY, mode: Mode::Replica }]);
    // An assignment of before that comes late changes nothing.
    test.assign(KEY, GENERATION, Mode::Replica);
    assert_eq!(test.receiver.partition(test.now, KEY).unwrap().generation.0, GENERATION.0 + 1);
}

#[test]
fn a_source_that_was_behind_is_tried_again_when_it_has_heard_of_the_home_case_28() {
    let mut test = Test::new(Mode::Replica);
    test.locate(0);
    let (given, known) = (HomeGeneration(1), GENERATION);
    let handle = test.handle();
    test.say(ToTarget::Refused { handle, reason: StopReason::LowerGeneration { given, known } });
    test.say(ToTarget::Topic(Topic { generation: given, ..topic(1) }));
    assert!(matches!(test.commands()[..], [Command::Topic(_)]));
    test.say(ToTarget::Topic(topic(1)));
    assert!(matches!(test.commands()[..], [Command::Locate { .. }, Command::Topic(_)]));
}

#[test]
fn blocks_of_an_ended_subscription_are_dropped_and_credited() {
    let mut test = Test::flowing(0);
    let block = test.at(0, 1);
    test.tell(Event::Revoked { key: KEY });
    test.assign(KEY, GENERATION, Mode::Replica);
    test.commands();
    test.arrive(block);
    assert_eq!(test.refused().stale, 1);
    assert_eq!(test.receiver.unapplied_bytes(), 0);
    assert_eq!(test.commands(), []);
}

#[test]
fn a_block_of_another_partition_than_its_subscriptions_is_refused() {
    let mut test = Test::flowing(0);
    let mut block = test.at(0, 1);
    block.header.partition = PartitionId(1);
    test.arrive(block);
    assert_eq!(test.refused().foreign, 1);
    assert_eq!((test.receiver.unapplied_bytes(), test.state()), (0, PartitionState::Live));
}

#[test]
fn credit_comes_back_when_blocks_are_applied_and_not_before() {
    let mut test = Test::flowing(0);
    test.messages();
    let window = ReceiverSettings::default().credit_window;
    let block = test.at(0, 1);
    let bytes = block.wire_bytes();
    test.arrive(block);
    let [(apply, ..)] = applies(&test.commands())[..] else { panic!("one apply") };
    assert_eq!(test.late_messages(), []);
    test.applied(apply, 1, Ok(()));
    assert_eq!(test.messages(), [], "a little waits for more");
    assert_eq!(test.late_messages(), [ToSource::Credit { total_bytes: window + bytes }]);
}

#[test]
fn a_sender_without_credit_is_cut_off() {
    let settings = ReceiverSettings { credit_window: 0, batch_bytes_max: 1, ..ReceiverSettings::default() };
    let mut test = Test::flowing(0);
    test.receiver.settings.credit_window = Receiver::new(settings).settings.credit_window;
    test.connect();
    test.messages();
    let granted = test.receiver.settings.credit_window;
    assert!(granted < 3 << 20);
    for base in 0..3 {
        let block = test.block(base, Make::at(base).value_bytes((1 << 20) - 200).build());
        test.arrive(block);
    }
    // Blocks that were dropped gave their credit back, but the sender has not been told so.
    let last = test.commands().pop();
    assert!(matches!(last, Some(Command::Close(LinkError::CreditExceeded { .. }))), "{last:?}");
}

#[test]
fn acks_say_how_far_the_target_is_durable_and_are_merged() {
    let mut test = Test::flowing(0);
    test.messages();
    for end in 1..=5 {
        test.tell(Event::Durable { key: KEY, end: Offset(end) });
    }
    assert_eq!(test.messages(), []);
    assert_eq!(test.late_messages(), [ToSource::Ack { handle: Handle(0), durable_end: Offset(5) }]);
    test.tell(Event::Durable { key: KEY, end: Offset(5) });
    assert_eq!(test.late_messages(), []);
}

#[test]
fn a_full_target_keeps_the_blocks_and_the_credit_and_goes_on_by_itself() {
    let mut test = Test::flowing(0);
    test.messages();
    let (first, second) = (test.at(0, 1), test.at(1, 1));
    let bytes = second.wire_bytes();
    test.arrive(first);
    let [(mut apply, ..)] = applies(&test.commands())[..] else { panic!("one apply") };
    test.arrive(second);
    let mut pauses = Vec::new();
    for _ in 0..8 {
        test.no_space(apply, 1);
        assert_eq!(test.state(), PartitionState::Stalled(Stall::NoSpace));
        assert_eq!(test.commands(), []);
        let retry = test.receiver.retries.first().unwrap().0;
        pauses.push((retry - test.now).as_millis());
        test.now = retry;
        test.receiver.handle_timeout(test.now);
        let commands = test.commands();
        let [(next, 1, firsts)] = &applies(&commands)[..] else { panic!("the rest again") };
        assert_eq!(firsts[..], [1]);
        apply = *next;
    }
    assert_eq!(pauses, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    assert_eq!(test.receiver.unapplied_bytes(), bytes);
    test.applied(apply, 2, Ok(()));
    assert_eq!((test.state(), test.receiver.unapplied_bytes()), (PartitionState::Live, 0));
    assert_eq!(test.receiver.counters().apply_retries, 8);
}

#[test]
fn a_bad_block_stops_its_partition_only_case_38() {
    let mut test = Test::flowing(0);
    let block = test.at(0, 1);
    test.arrive(block);
    let [(apply, ..)] = applies(&test.commands())[..] else { panic!("one apply") };
    let reason = StopReason::BadBlock { offset: Offset(0), what: "crc".into() };
    test.applied(apply, 0, Err(ApplyFailure::Stop(reason.clone())));
    assert_eq!(test.state(), PartitionState::Stopped(reason));
    assert_eq!((test.refused().bad, test.receiver.unapplied_bytes()), (1, 0));
    assert_eq!(unsubscribed(&test.messages()), [Some("bad-block")]);
    test.tell(Event::Resume { key: KEY });
    assert_eq!(test.commands(), [Command::Locate { key: KEY, mode: Mode::Replica }]);
}

#[test]
fn a_lost_connection_waits_for_the_append_under_way_before_it_asks_where_to_resume_case_26() {
    let mut test = Test::flowing(0);
    let block = test.at(0, 1);
    test.arrive(block);
    let [(apply, ..)] = applies(&test.commands())[..] else { panic!("one apply") };
    test.tell(Event::Disconnected);
    assert_eq!(test.state(), PartitionState::Starting);
    test.connect();
    assert_eq!(test.commands(), []);
    test.applied(apply, 1, Ok(()));
    assert_eq!(test.commands(), [Command::Locate { key: KEY, mode: Mode::Replica }]);
    test.locate(1);
    assert_eq!(test.handle(), Handle(0), "a new connection counts anew");
}

#[test]
fn the_log_start_follows_the_source_once_the_data_is_there_case_12() {
    let mut test = Test::flowing(0);
    test.watermark(2, 9);
    assert_eq!(test.commands(), []);
    let block = test.at(0, 3);
    test.arrive(block);
    let [(apply, ..)] = applies(&test.commands())[..] else { panic!("one apply") };
    test.applied(apply, 3, Ok(()));
    assert_eq!(test.commands(), []);
    test.tell(Event::Durable { key: KEY, end: Offset(3) });
    let advance = |to| Command::AdvanceStart { key: KEY, to: Offset(to) };
    assert_eq!(test.commands(), [advance(2)]);
    test.watermark(3, 9);
    assert_eq!(test.commands(), [], "one at a time");
    test.tell(Event::StartAdvanced { key: KEY, to: Offset(2), result: Ok(()) });
    assert_eq!(test.commands(), [advance(3)]);
}

#[test]
fn a_topic_deleted_and_created_again_is_another_topic_case_9() {
    let mut test = Test::flowing(0);
    let found = TopicId(Uuid::from_u128(5));
    test.say(ToTarget::TopicGone { id: TOPIC });
    assert_eq!(test.state(), PartitionState::Stopped(StopReason::TopicGone));
    test.say(ToTarget::Topic(Topic { id: found, ..topic(1) }));
    let changed = PartitionState::Stopped(StopReason::SourceIdChanged { found });
    assert_eq!(test.state(), changed);
    test.say(ToTarget::TopicGone { id: TOPIC });
    assert_eq!(test.state(), changed);
    // It stays so on the next connection.
    test.connect();
    assert_eq!(test.state(), changed);
}

#[test]
fn what_the_source_refuses_is_why_the_partition_stopped_cases_10_11_13() {
    let reasons = [
        StopReason::SourceRewound { position: Offset(3), source_end: Offset(2) },
        StopReason::SourceTrimmed { from: Offset(3), until: Offset(9) },
        StopReason::Diverged { common: Offset(2), position: Offset(3), epoch: LeaderEpoch(0) },
    ];
    for reason in reasons {
        let mut test = Test::new(Mode::Replica);
        test.locate(3);
        test.messages();
        let handle = test.handle();
        test.say(ToTarget::Refused { handle, reason: reason.clone() });
        assert_eq!(test.state(), PartitionState::Stopped(reason.clone()));
        assert_eq!(test.messages(), [], "the source knows");
        test.connect();
        assert_eq!(test.state(), PartitionState::Stopped(reason), "it does not pass by itself");
    }
}

#[test]
fn lag_is_counted_from_when_an_end_was_heard_until_it_is_durable_case_40() {
    let mut test = Test::flowing(0);
    test.watermark(0, 10);
    test.now += ms(500);
    let view = test.receiver.partition(test.now, KEY).unwrap();
    assert_eq!((view.lag_records, view.lag), (10, ms(500)));
    test.tell(Event::Durable { key: KEY, end: Offset(10) });
    let view = test.receiver.partition(test.now, KEY).unwrap();
    assert_eq!((view.lag_records, view.lag), (0, ms(0)));
}

#[test]
fn unpacked_bytes_under_way_are_bounded_over_all_partitions() {
    let mut test = Test::flowing(0);
    test.receiver.settings.applies_bytes_max = 1;
    let other = PartitionKey { partition: PartitionId(1), ..KEY };
    test.assign(other, GENERATION, Mode::Replica);
    let position = LocalPosition {
        log_start: Offset(0),
        next_offset: Offset(0),
        durable_end: Offset(0),
        last_epoch: None,
        fresh: true,
    };
    test.tell(Event::Located { key: other, result: Ok(position) });
    test.subscribed(0, 1);
    test.commands();
    let mut second = test.at(0, 1);
    second.header.partition = PartitionId(1);
    let mut first = test.at(0, 1);
    first.header.handle = Handle(0);
    test.arrive(first);
    test.arrive(second);
    let [(apply, ..)] = applies(&test.commands())[..] else { panic!("one of the two") };
    test.applied(apply, 1, Ok(()));
    assert_eq!(applies(&test.commands()).len(), 1);
}

#[test]
fn a_stranger_is_not_heard() {
    let mut receiver = Receiver::new(ReceiverSettings::default());
    receiver.handle(ms(1), Event::Connected { hello: hello("target") });
    receiver.handle(ms(1), Event::Message(ToTarget::CatalogComplete));
    assert_eq!(receiver.poll_command(), Some(Command::Close(LinkError::Hello)));
}

#[test]
fn a_replayed_number_costs_no_credit_and_gains_none() {
    let mut test = Test::flowing(0);
    let block = test.at(0, 1);
    for _ in 0..1000 {
        test.arrive(block.clone());
    }
    assert_eq!(test.refused().repeated, 999);
    assert_eq!(test.receiver.unapplied_bytes(), block.wire_bytes());
    assert_eq!(block.wire_bytes(), (HEADER_SIZE + block.payload.len()) as u64);
}
