//! What the sender may send, what it hears of, and what it is cut off for.

use super::*;

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
