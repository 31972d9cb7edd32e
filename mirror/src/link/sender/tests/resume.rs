//! What a target that subscribes is answered.

use super::*;

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
