//! The sender's rules, one by one: events in, commands and messages out.

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

#[test]
fn a_position_beyond_the_sources_end_is_a_rewind_case_13() {
    let mut test = Test::with_credit();
    test.open(subscribe(1, 51), 0, 50, Some((0, 50)));
    let reason = StopReason::SourceRewound { position: Offset(51), source_end: Offset(50) };
    assert_eq!(test.refusal(), reason);
    assert_eq!(test.commands(), [Command::Release { handle: Handle(1) }]);
    test.open(subscribe(2, 50), 0, 50, Some((0, 50)));
    assert!(matches!(test.messages()[..], [ToTarget::Subscribed(_)]));
}

/// A new home that has not written yet: what the old one wrote last is on no branch that goes on.
#[test]
fn a_position_beyond_the_end_of_a_source_that_is_at_a_higher_epoch_is_a_divergence() {
    let mut test = Test::with_credit();
    test.tell(Event::Topic(Topic { leader_epochs: vec![LeaderEpoch(1); 10], ..topic(10) }));
    test.drain();
    let diverged =
        |common| StopReason::Diverged { common: Offset(common), position: Offset(51), epoch: LeaderEpoch(0) };
    test.open(subscribe(1, 51), 0, 40, Some((0, 40)));
    assert_eq!(test.refusal(), diverged(40));
    test.drain();
    // It has written, and less than the old one.
    test.open(subscribe(2, 51), 0, 50, Some((0, 40)));
    assert_eq!(test.refusal(), diverged(40));
    test.drain();
    let asked = Subscribe { last_epoch: Some(LeaderEpoch(1)), ..subscribe(3, 51) };
    test.open(asked, 0, 40, Some((0, 40)));
    let rewound = StopReason::SourceRewound { position: Offset(51), source_end: Offset(40) };
    assert_eq!(test.refusal(), rewound, "the source once was at the epoch that it is at again");
}

#[test]
fn an_epoch_that_ended_before_the_position_is_a_divergence_case_10() {
    let mut test = Test::with_credit();
    test.open(subscribe(1, 40), 0, 50, Some((0, 39)));
    let diverged =
        |common| StopReason::Diverged { common: Offset(common), position: Offset(40), epoch: LeaderEpoch(0) };
    assert_eq!(test.refusal(), diverged(39));
    test.drain();
    // The source does not know the epoch, but has records before the position.
    test.open(subscribe(2, 40), 10, 50, None);
    assert_eq!(test.refusal(), diverged(10));
    test.drain();
    test.open(subscribe(3, 40), 0, 50, Some((0, 40)));
    assert!(matches!(test.messages()[..], [ToTarget::Subscribed(_)]));
    test.drain();
    // The epoch is gone here together with its records.
    test.open(subscribe(4, 40), 40, 50, None);
    assert!(matches!(test.messages()[..], [ToTarget::Subscribed(_)]));
}

#[test]
fn an_epoch_of_the_target_that_only_had_a_smaller_one_here_is_a_divergence_case_10() {
    let mut test = Test::with_credit();
    let asked = Subscribe { last_epoch: Some(LeaderEpoch(7)), ..subscribe(1, 40) };
    test.open(asked, 0, 50, Some((5, 50)));
    let epoch = LeaderEpoch(7);
    let reason = StopReason::Diverged { common: Offset(40), position: Offset(40), epoch };
    assert_eq!(test.refusal(), reason);
}

#[test]
fn records_deleted_before_they_were_mirrored_are_not_skipped_case_11() {
    let mut test = Test::with_credit();
    test.open(subscribe(1, 40), 45, 50, None);
    let reason = StopReason::SourceTrimmed { from: Offset(40), until: Offset(45) };
    assert_eq!(test.refusal(), reason);
}

#[test]
fn a_fresh_target_starts_where_the_source_does_case_41() {
    let mut test = Test::with_credit();
    test.open(subscribe(1, 0), 45, 50, None);
    let subscribed = Subscribed {
        handle: Handle(1),
        start_offset: Offset(45),
        log_start: Offset(45),
        end: Offset(50),
        compacted: false,
    };
    assert_eq!(test.messages(), [ToTarget::Subscribed(subscribed)]);
    assert!(matches!(test.commands()[..], [Command::Read { from: Offset(45), until: Offset(50), .. }]));
}

#[test]
fn a_log_start_that_passes_what_was_sent_stops_the_partition_case_12() {
    let mut test = Test::with_credit();
    test.open_empty(1);
    test.ends(1, 3, 5);
    let reason = StopReason::SourceTrimmed { from: Offset(0), until: Offset(3) };
    assert_eq!(test.refusal(), reason);
}

#[test]
fn unknown_topics_and_partitions_are_refused_case_8() {
    let mut test = Test::with_credit();
    let other = Subscribe { topic_id: TopicId(Uuid::from_u128(1)), ..subscribe(1, 0) };
    for asked in [other, Subscribe { partition: PartitionId(9), ..subscribe(2, 0) }] {
        test.say(ToSource::Subscribe(asked));
        assert_eq!(test.refusal(), StopReason::UnknownTopic);
        assert_eq!(test.commands(), []);
    }
}

#[test]
fn a_deleted_topic_ends_its_subscriptions_case_8() {
    let mut test = Test::with_credit();
    test.open_empty(1);
    test.tell(Event::TopicGone { id: TOPIC });
    let refused = ToTarget::Refused { handle: Handle(1), reason: StopReason::TopicGone };
    assert_eq!(test.messages(), [refused, ToTarget::TopicGone { id: TOPIC }]);
    assert_eq!(test.commands(), [Command::Release { handle: Handle(1) }]);
}

#[test]
fn a_generation_that_one_side_does_not_know_is_refused_case_28() {
    let mut test = Test::with_credit();
    let HomeGeneration(known) = GENERATION;
    for (handle, asked) in [(1, known - 1), (2, known + 1)] {
        let asked = Subscribe { generation: HomeGeneration(asked), ..subscribe(handle, 0) };
        test.say(ToSource::Subscribe(asked));
        let (given, known) = (asked.generation.min(GENERATION), asked.generation.max(GENERATION));
        assert_eq!(test.refusal(), StopReason::LowerGeneration { given, known });
    }
    test.open_empty(3);
    let generation = HomeGeneration(known + 1);
    test.tell(Event::Topic(Topic { generation, ..topic(9) }));
    let reason = StopReason::LowerGeneration { given: GENERATION, known: generation };
    assert_eq!(test.messages()[0], ToTarget::Refused { handle: Handle(3), reason });
}

#[test]
fn a_subscription_that_comes_before_the_catalog_waits_for_it() {
    let mut test = Test { sender: Sender::new(SenderSettings::default(), hello("source")), now: ms(1) };
    test.say(ToSource::Hello(hello("target")));
    test.say(ToSource::Subscribe(subscribe(0, 0)));
    test.say(ToSource::Subscribe(subscribe(1, 0)));
    assert_eq!(test.commands(), []);
    test.tell(Event::Topic(topic(9)));
    test.tell(Event::CatalogComplete);
    assert_eq!(test.commands().len(), 2);
}

#[test]
fn the_chain_goes_from_block_to_block() {
    let mut test = Test::with_credit();
    test.open(subscribe(1, 0), 0, 5, None);
    let [(_, read)] = reads(&test.commands())[..] else { panic!("one read") };
    test.answer(read, &[Make::at(0).records(2).build(), Make::at(2).build()]);
    let commands = test.commands();
    let [(_, read)] = reads(&commands)[..] else { panic!("the next read") };
    let [block] = &blocks(commands)[..] else { panic!("one block") };
    let place = |header: &crate::link::block::BlockHeader| {
        (header.number.0, header.previous_end.0, header.first_offset.0, header.last_offset.0)
    };
    assert_eq!(place(&block.header), (0, 0, 0, 2));
    assert_eq!((block.header.source_end, block.header.generation), (Offset(5), GENERATION));
    test.answer(read, &[Make::at(3).records(2).build()]);
    let [block] = &blocks(test.commands())[..] else { panic!("one block") };
    assert_eq!(place(&block.header), (1, 3, 3, 4));
}

#[test]
fn nothing_is_read_without_credit_and_what_was_packed_smaller_gives_it_back() {
    let mut test = Test::new(SenderSettings::default(), topic(9));
    let block = (BLOCK_BYTES_MAX + HEADER_SIZE) as u64;
    test.open(subscribe(1, 0), 0, 100, None);
    assert_eq!(test.commands(), []);
    test.say(ToSource::Credit { total_bytes: 2 * block });
    let [(_, read)] = reads(&test.commands())[..] else { panic!("one read") };
    test.answer(read, &[Make::at(0).value_bytes(900_000).build()]);
    let commands = test.commands();
    assert_eq!(reads(&commands), [], "back-fill leaves room for a live block");
    let number = blocks(commands)[0].header.number;
    test.tell(Event::Packed { number, wire_bytes: 0 });
    assert_eq!(reads(&test.commands()).len(), 1);
}

#[test]
fn the_transport_is_given_no_more_than_its_window() {
    let mut test = Test::with_credit();
    test.open(subscribe(1, 0), 0, 100, None);
    let mut sent = Vec::new();
    let mut base = 0;
    while let [(_, read)] = reads(&test.commands())[..] {
        test.answer(read, &[Make::at(base).value_bytes(1_000_000).build()]);
        base += 1;
        let commands = std::mem::take(&mut test.sender.commands);
        sent.extend(commands.iter().filter_map(|command| match command {
            Command::Send(block) => Some(block.header.number),
            _ => None,
        }));
        test.sender.commands = commands;
    }
    assert_eq!(sent.len(), 3, "three and room for a live block in 4 MiB");
    test.tell(Event::Finished { number: sent[0] });
    assert_eq!(reads(&test.commands()).len(), 1);
}

#[test]
fn live_partitions_go_before_backfill_even_when_it_fills_the_window_case_37() {
    let mut test = Test::with_credit();
    test.open_empty(2);
    test.open(subscribe(3, 0), 0, 100, None);
    let mut base = 0;
    while let [(3, read)] = reads(&test.commands())[..] {
        test.answer(read, &[Make::at(base).value_bytes(1_000_000).build()]);
        base += 1;
    }
    test.ends(2, 0, 1);
    let [(2, read)] = reads(&test.commands())[..] else { panic!("the live partition is read") };
    test.answer(read, &[Make::at(0).build()]);
    let live = &blocks(test.commands())[0];
    assert!(live.priority > 0, "before all back-fill");
}

#[test]
fn every_block_has_a_lower_priority_than_the_one_before() {
    let mut test = Test::with_credit();
    test.open(subscribe(1, 0), 0, 3, None);
    let mut priorities = Vec::new();
    for base in 0..3 {
        let commands = test.commands();
        let [(_, read)] = reads(&commands)[..] else { panic!("one read") };
        priorities.extend(blocks(commands).iter().map(|block| block.priority));
        test.answer(read, &[Make::at(base).build()]);
    }
    priorities.extend(blocks(test.commands()).iter().map(|block| block.priority));
    assert_eq!(priorities, [-1, -2, -3]);
}

/// Reads in order, always with more to read, each of about a quantum.
fn turns(test: &mut Test, count: usize) -> Vec<u32> {
    test.tell(Event::TransportWindow { bytes: u64::MAX / 2 });
    let mut bases = BTreeMap::from([(1, 0), (2, 0)]);
    let mut waiting: VecDeque<(u32, ReadId)> = reads(&test.commands()).into();
    let mut order = Vec::new();
    while order.len() < count {
        let (handle, read) = waiting.pop_front().expect("something is read");
        let base = bases.get_mut(&handle).unwrap();
        test.answer(read, &[Make::at(*base).value_bytes(BLOCK_BYTES_MAX - 200).build()]);
        *base += 1;
        let commands = test.commands();
        for block in blocks(commands.clone()) {
            order.push(block.header.handle.0);
            test.tell(Event::Packed { number: block.header.number, wire_bytes: 0 });
            test.tell(Event::Finished { number: block.header.number });
        }
        waiting.extend(reads(&commands));
        waiting.extend(reads(&test.commands()));
    }
    order
}

#[test]
fn weights_share_the_link() {
    let other = TopicId(Uuid::from_u128(2));
    let mut test = Test::new(SenderSettings::default(), topic(9));
    test.tell(Event::Topic(Topic { id: other, ..topic(9) }));
    test.tell(Event::Weight { topic_id: other, weight: 3 });
    test.open(subscribe(1, 0), 0, 1000, None);
    test.open(Subscribe { topic_id: other, ..subscribe(2, 0) }, 0, 1000, None);
    test.say(ToSource::Credit { total_bytes: 2 * (BLOCK_BYTES_MAX + HEADER_SIZE) as u64 });
    let order = turns(&mut test, 40);
    let second = order.iter().filter(|handle| **handle == 2).count();
    assert!((29..=31).contains(&second), "{second} of 40: {order:?}");
}

#[test]
fn a_target_log_that_takes_nothing_does_not_hold_all_of_the_credit() {
    let mut test = Test::with_credit();
    test.tell(Event::TransportWindow { bytes: u64::MAX / 2 });
    test.open(subscribe(1, 0), 0, 1000, None);
    let mut sent = 0;
    while let [(1, read)] = reads(&test.commands())[..] {
        test.answer(read, &[Make::at(sent).value_bytes(1_000_000).build()]);
        sent += 1;
    }
    assert!((45..55).contains(&sent), "{sent} MB of 64 MiB");
    test.open(subscribe(2, 0), 0, 1, None);
    assert!(matches!(reads(&test.commands())[..], [(2, _)]));
    test.say(ToSource::Ack { handle: Handle(1), durable_end: Offset(sent) });
    assert!(matches!(reads(&test.commands())[..], [(1, _)]));
}

#[test]
fn a_batch_larger_than_a_block_goes_in_fragments_once_all_its_credit_is_there_case_14() {
    let mut test = Test::new(SenderSettings::default(), topic(9));
    let batch = Make::at(0).value_bytes(BLOCK_BYTES_MAX * 2 + 5000).noise().build();
    let wire_bytes = (batch.len() + 3 * HEADER_SIZE) as u64;
    test.say(ToSource::Credit { total_bytes: WINDOW });
    // All but too little is used up.
    test.sender.budget.charge_credit(WINDOW - wire_bytes + 1);
    test.open(subscribe(1, 0), 0, 1, None);
    let [(_, read)] = reads(&test.commands())[..] else { panic!("one read") };
    test.answer(read, std::slice::from_ref(&batch));
    assert_eq!(test.commands(), []);
    test.say(ToSource::Credit { total_bytes: WINDOW + 1 });
    let blocks = blocks(test.commands());
    let fragments: Vec<_> = (blocks.iter())
        .map(|block| (block.header.fragment_index, block.header.fragment_count, block.header.number.0))
        .collect();
    assert_eq!(fragments, [(0, 3, 0), (1, 3, 1), (2, 3, 2)]);
    let pieces: Vec<Bytes> = blocks.into_iter().flat_map(|block| block.pieces).collect();
    assert_eq!(concat(&pieces), batch);
    assert_eq!(test.sender.budget.credit_room(), 0);
}

#[test]
fn nothing_else_takes_the_credit_that_a_large_batch_waits_for() {
    let mut test = Test::new(SenderSettings::default(), topic(9));
    let block = (BLOCK_BYTES_MAX + HEADER_SIZE) as u64;
    test.say(ToSource::Credit { total_bytes: WINDOW });
    test.sender.budget.charge_credit(WINDOW - 2 * block);
    test.open(subscribe(1, 0), 0, 2, None);
    let [(_, read)] = reads(&test.commands())[..] else { panic!("one read") };
    test.answer(read, &[Make::at(0).value_bytes(BLOCK_BYTES_MAX * 3).build()]);
    test.open(subscribe(2, 0), 0, 1, None);
    test.say(ToSource::Credit { total_bytes: WINDOW + block });
    assert_eq!(test.commands(), [], "there is room for a read, but it is kept");
    test.say(ToSource::Credit { total_bytes: WINDOW + 5 * block });
    let commands = test.commands();
    assert_eq!(reads(&commands), [], "the transport is full");
    assert!(blocks(commands).iter().all(|block| block.header.handle == Handle(1)));
}

#[test]
fn a_batch_that_can_never_go_stops_its_partition_and_no_other_case_14() {
    let settings = SenderSettings { batch_bytes_max: 2 << 20, ..SenderSettings::default() };
    let mut test = Test::new(settings, topic(9));
    test.say(ToSource::Credit { total_bytes: WINDOW });
    test.open(subscribe(1, 0), 0, 2, None);
    test.messages();
    let [(_, read)] = reads(&test.commands())[..] else { panic!("one read") };
    let good = Make::at(0).build();
    test.answer(read, &[good, Make::at(1).value_bytes(3 << 20).build()]);
    assert_eq!(test.refusal().code(), "batch-too-large");
    assert_eq!(blocks(test.commands()).len(), 1, "what came before it is sent");
    test.open(subscribe(2, 0), 0, 1, None);
    assert!(matches!(reads(&test.commands())[..], [(2, _)]));
}

#[test]
fn a_damaged_batch_is_not_sent_case_38() {
    let mut test = Test::with_credit();
    test.open(subscribe(1, 0), 0, 1, None);
    test.messages();
    let [(_, read)] = reads(&test.commands())[..] else { panic!("one read") };
    let mut batch = Make::at(0).build().to_vec();
    *batch.last_mut().unwrap() ^= 1;
    test.answer(read, &[batch.into()]);
    assert_eq!(test.refusal().code(), "source-damaged");
    assert!(blocks(test.commands()).is_empty());
}

#[test]
fn a_gap_is_sent_only_of_a_compacted_topic_cases_1_and_2() {
    for compacted in [true, false] {
        let mut test = Test::new(SenderSettings::default(), Topic { compacted, ..topic(9) });
        test.say(ToSource::Credit { total_bytes: WINDOW });
        test.open(subscribe(1, 0), 0, 6, None);
        test.messages();
        let [(_, read)] = reads(&test.commands())[..] else { panic!("one read") };
        test.answer(read, &[Make::at(5).build()]);
        if compacted {
            let header = blocks(test.commands())[0].header;
            assert_eq!((header.previous_end, header.first_offset), (Offset(0), Offset(5)));
        } else {
            let gap = StopReason::UnexpectedGap { expected: Offset(0), found: Offset(5) };
            assert_eq!(test.refusal(), gap);
        }
    }
}

#[test]
fn read_failures_are_typed_stops() {
    let failures = [
        (ReadFailure::OutOfRange { log_start: Offset(7), log_end: Offset(9) }, "source-trimmed"),
        (ReadFailure::OutOfRange { log_start: Offset(0), log_end: Offset(0) }, "source-rewound"),
        (ReadFailure::Damaged { what: "crc".into() }, "source-damaged"),
        (ReadFailure::Offline { what: "fsync".into() }, "source-offline"),
        (ReadFailure::Gone, "topic-gone"),
    ];
    for (failure, code) in failures {
        let mut test = Test::with_credit();
        test.open(subscribe(1, 0), 0, 1, None);
        test.messages();
        let [(_, read)] = reads(&test.commands())[..] else { panic!("one read") };
        test.tell(Event::Read { read, result: Err(failure) });
        assert_eq!(test.refusal().code(), code);
    }
}

#[test]
fn an_unsubscribed_partition_is_left_alone_and_its_credit_serves_others() {
    let mut test = Test::with_credit();
    test.open(subscribe(1, 0), 0, 1, None);
    let room = test.sender.budget.credit_room();
    let [(_, read)] = reads(&test.commands())[..] else { panic!("one read") };
    test.say(ToSource::Unsubscribe(Unsubscribe { handle: Handle(1), reason: None }));
    assert_eq!(test.commands(), [Command::Release { handle: Handle(1) }]);
    test.answer(read, &[Make::at(0).build()]);
    assert_eq!(test.commands(), []);
    assert!(test.sender.budget.credit_room() > room);
    assert_eq!(test.sender.budget.credit_room(), WINDOW);
}

#[test]
fn ends_that_no_block_tells_are_told_after_a_while_and_once() {
    let mut test = Test::new(SenderSettings::default(), topic(9));
    test.open_empty(1);
    test.ends(1, 0, 5);
    test.ends(1, 0, 7);
    assert_eq!(test.messages(), []);
    test.now = test.sender.poll_timeout().unwrap();
    test.sender.handle_timeout(test.now);
    let watermark =
        Watermark { handle: Handle(1), log_start: Offset(0), end: Offset(7), clock: micros(test.now) };
    assert_eq!(test.messages(), [ToTarget::Watermark(watermark)]);
    assert_eq!(test.sender.poll_timeout(), None);
}

#[test]
fn ends_that_a_block_told_need_no_watermark() {
    let mut test = Test::with_credit();
    test.open_empty(1);
    test.ends(1, 0, 1);
    let [(_, read)] = reads(&test.commands())[..] else { panic!("one read") };
    test.answer(read, &[Make::at(0).build()]);
    test.now += ms(1000);
    test.sender.handle_timeout(test.now);
    assert_eq!(test.messages(), []);
}

fn committed(group: &str, partition: i32, offset: i64) -> GroupOffset {
    GroupOffset {
        group: GroupId::from(group),
        topic_id: TOPIC,
        partition: PartitionId(partition),
        offset: Offset(offset),
        epoch: None,
        metadata: String::new(),
        source_end: Offset(100),
    }
}

#[test]
fn group_offsets_are_merged_while_the_stream_is_slow() {
    let mut test = Test::with_credit();
    for offset in 0..100 {
        test.tell(Event::GroupOffset(committed("g", 0, offset)));
        test.tell(Event::GroupOffset(committed("g", 1, offset)));
    }
    test.tell(Event::GroupsComplete);
    let newest = |partition| ToTarget::GroupOffset(committed("g", partition, 99));
    assert_eq!(test.messages(), [newest(0), newest(1), ToTarget::GroupsComplete]);
}

#[test]
fn a_group_that_is_gone_is_gone_before_what_it_commits_later_case_24() {
    let mut test = Test::with_credit();
    test.tell(Event::GroupOffset(committed("g", 0, 1)));
    test.tell(Event::GroupGone(GroupGone::Group(GroupId::from("g"))));
    test.tell(Event::GroupOffset(committed("g", 0, 2)));
    let gone = ToTarget::GroupGone(GroupGone::Group(GroupId::from("g")));
    assert_eq!(test.messages(), [gone, ToTarget::GroupOffset(committed("g", 0, 2))]);
}

#[test]
fn a_partition_that_grew_is_told_once_with_its_newest_state_case_15() {
    let mut test = Test::with_credit();
    test.tell(Event::Topic(topic(10)));
    test.tell(Event::Topic(topic(12)));
    assert_eq!(test.messages(), [ToTarget::Topic(topic(12))]);
}

#[test]
fn acks_are_handed_on_when_they_grow_and_never_beyond_what_was_sent() {
    let mut test = Test::with_credit();
    test.open(subscribe(1, 0), 0, 2, None);
    let [(_, read)] = reads(&test.commands())[..] else { panic!("one read") };
    test.answer(read, &[Make::at(0).records(2).build()]);
    test.drain();
    for (said, heard) in [(1, Some(1)), (1, None), (99, Some(2))] {
        test.say(ToSource::Ack { handle: Handle(1), durable_end: Offset(said) });
        let acked = |durable_end| Command::Acked {
            handle: Handle(1),
            topic_id: TOPIC,
            partition: PartitionId(1),
            durable_end: Offset(durable_end),
        };
        assert_eq!(test.commands(), heard.map(acked).into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn a_stranger_is_not_served() {
    let first = |message| {
        let mut sender = Sender::new(SenderSettings::default(), hello("source"));
        sender.handle(ms(1), Event::Message(message));
        sender.poll_command()
    };
    let close = |error| Some(Command::Close(error));
    assert_eq!(first(ToSource::Ping { clock: 1 }), close(LinkError::Hello));
    let version = Hello { version: 2, ..hello("target") };
    assert_eq!(first(ToSource::Hello(version)), close(LinkError::Version(2)));
    let stranger = Hello { topology: "other".into(), ..hello("target") };
    let refused = first(ToSource::Hello(stranger));
    assert!(matches!(refused, Some(Command::Close(LinkError::OtherTopology { .. }))));
    let other = Hello { link: "a:b".into(), ..hello("target") };
    assert!(matches!(first(ToSource::Hello(other)), Some(Command::Close(LinkError::OtherLink { .. }))));
    assert_eq!(first(ToSource::Hello(hello("target"))), None);
}

#[test]
fn broken_promises_close_the_connection() {
    let mut test = Test::with_credit();
    test.say(ToSource::Credit { total_bytes: WINDOW - 1 });
    let (before, now) = (WINDOW, WINDOW - 1);
    assert_eq!(test.commands(), [Command::Close(LinkError::CreditRevoked { before, now })]);
    let mut test = Test::with_credit();
    test.open_empty(1);
    test.say(ToSource::Subscribe(subscribe(1, 0)));
    assert_eq!(test.commands(), [Command::Close(LinkError::HandleReused(Handle(1)))]);
    test.say(ToSource::Subscribe(subscribe(2, 0)));
    assert_eq!(test.commands(), [], "nothing is heard after that");
}

#[test]
fn a_ping_is_answered_with_both_clocks_case_40() {
    let mut test = Test::with_credit();
    test.say(ToSource::Ping { clock: 9 });
    assert_eq!(test.messages(), [ToTarget::Pong { clock: 9, source_clock: 1000 }]);
}

#[test]
fn unknown_numbers_change_nothing() {
    let mut test = Test::with_credit();
    test.tell(Event::Finished { number: BlockNumber(7) });
    test.tell(Event::Packed { number: BlockNumber(7), wire_bytes: 1 });
    test.tell(Event::Read { read: ReadId(7), result: Err(ReadFailure::Gone) });
    test.say(ToSource::Ack { handle: Handle(7), durable_end: Offset(1) });
    assert_eq!((test.commands(), test.messages()), (vec![], vec![]));
}
