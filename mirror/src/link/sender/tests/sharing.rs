//! Who sends next, out of which credit.

use super::*;

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
