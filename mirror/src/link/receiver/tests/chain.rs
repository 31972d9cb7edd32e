//! Blocks in the order of their chain, and what does not fit into it.

use super::*;

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
