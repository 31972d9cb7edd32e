//! What becomes of batches that are read.

use super::*;

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
