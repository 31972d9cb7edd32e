//! What is said beside the blocks, and who is not talked to.

use super::*;

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
