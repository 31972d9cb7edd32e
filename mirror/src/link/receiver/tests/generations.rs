//! A lower generation is refused, a higher one is followed.

use super::*;

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
