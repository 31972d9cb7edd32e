//! Where a partition begins and goes on, and why it does not.

use super::*;

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
