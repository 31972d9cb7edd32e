//! What a group has committed once all that was begun has ended, and what whoever follows it hears.

use super::*;

#[track_caller]
fn settled(bench: &mut Bench, ticket: Ticket) -> Option<i64> {
    match bench.take(ticket) {
        Some(Answer::Offsets(offsets)) => Some(offsets.get("t")?.get(&PartitionId(0))?.offset.0),
        other => panic!("not settled: {other:?}"),
    }
}

#[test]
fn the_answer_waits_for_every_write_before_it_and_for_none_after() {
    let mut bench = Bench::new();
    let at_once = bench.ask(Request::SettledOffsets);
    assert_eq!(settled(&mut bench, at_once), None);
    bench.commit(simple(), &[("t", 0, 5)]);
    bench.commit(simple(), &[("t", 0, 6)]);
    let (first, second) = (bench.ask(Request::SettledOffsets), bench.ask(Request::SettledOffsets));
    bench.commit(simple(), &[("t", 0, 7)]);
    bench.store_one();
    assert!(bench.take(first).is_none() && bench.take(second).is_none());
    bench.store_one();
    assert_eq!((settled(&mut bench, first), settled(&mut bench, second)), (Some(6), Some(6)));
    bench.store();
    assert_eq!(bench.unanswered(), 0);
}

#[test]
fn a_write_that_fails_has_ended_too() {
    let mut bench = Bench::new();
    bench.commit(simple(), &[("t", 0, 5)]);
    bench.store();
    bench.commit(simple(), &[("t", 0, 6)]);
    let ticket = bench.ask(Request::SettledOffsets);
    bench.fail_one();
    assert_eq!(settled(&mut bench, ticket), Some(5));
}

#[test]
fn a_deletion_that_is_under_way_is_waited_for() {
    let mut bench = Bench::new();
    bench.commit(simple(), &[("t", 0, 5)]);
    bench.store();
    bench.ask(Request::DeleteGroup);
    let ticket = bench.ask(Request::SettledOffsets);
    assert!(bench.take(ticket).is_none());
    bench.store();
    assert_eq!(settled(&mut bench, ticket), None);
    assert!(bench.group.is_blank());
}

fn removed(topic: &str, why: Removal) -> GroupEvent {
    GroupEvent::Removed(OffsetRemoved {
        group: "g".into(),
        topic: topic.into(),
        partition: PartitionId(0),
        why,
    })
}

#[test]
fn removals_are_announced_when_they_are_durable_each_with_its_reason() {
    let mut bench = Bench::new();
    bench.commit(simple(), &[("t", 0, 5), ("u", 0, 6), ("v", 0, 7), ("w", 0, 8)]);
    bench.store();
    bench.announced.clear();
    bench.ask(Request::DeleteOffsets(vec![("t".into(), PartitionId(0)), ("none".into(), PartitionId(0))]));
    assert!(bench.announced.is_empty(), "not before it is durable");
    bench.store();
    bench.ask(Request::ForgetTopic("u".into()));
    bench.fail_one();
    bench.ask(Request::ForgetTopic("u".into()));
    bench.store();
    assert_eq!(bench.announced, [removed("t", Removal::Deleted), removed("u", Removal::TopicGone)]);
    bench.announced.clear();
    bench.ask(Request::DeleteGroup);
    bench.store();
    let gone = GroupEvent::GroupRemoved { group: "g".into(), why: Removal::Deleted };
    assert_eq!(
        bench.announced,
        [removed("v", Removal::Deleted), removed("w", Removal::Deleted), gone],
        "each offset, then the group"
    );
}

#[test]
fn expired_offsets_are_announced_and_so_is_the_group_that_goes_with_them() {
    let mut bench = Bench::new();
    bench.commit(simple(), &[("t", 0, 5)]);
    bench.store();
    bench.announced.clear();
    bench.ask(Request::Expire);
    assert!(bench.announced.is_empty());
    bench.pass(1_000_000);
    bench.ask(Request::Expire);
    bench.store();
    let gone = GroupEvent::GroupRemoved { group: "g".into(), why: Removal::Expired };
    assert_eq!(bench.announced, [removed("t", Removal::Expired), gone]);
}
