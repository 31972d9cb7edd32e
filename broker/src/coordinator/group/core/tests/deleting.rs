//! OffsetDelete, DeleteGroups, topics that are gone.

use super::*;

fn delete_offsets(bench: &mut Bench, partitions: &[(&str, i32)]) -> Ticket {
    let partitions = partitions.iter().map(|(topic, at)| (TopicName::from(*topic), PartitionId(*at)));
    bench.ask(Request::DeleteOffsets(partitions.collect()))
}

#[track_caller]
fn deleted(bench: &mut Bench, ticket: Ticket) -> Result<Vec<ErrorCode>, ErrorCode> {
    match bench.take(ticket) {
        Some(Answer::DeleteOffsets(codes)) => codes,
        other => panic!("not deleted: {other:?}"),
    }
}

#[track_caller]
fn group_deleted(bench: &mut Bench, ticket: Ticket) -> ErrorCode {
    match bench.take(ticket) {
        Some(Answer::DeleteGroup(error)) => error,
        other => panic!("not deleted: {other:?}"),
    }
}

#[test]
fn an_empty_group_is_deleted_with_its_offsets() {
    let mut bench = Bench::new();
    bench.commit(simple(), &[("t", 0, 1), ("u", 3, 2)]);
    bench.store();
    let before = bench.stored.len();
    let ticket = bench.ask(Request::DeleteGroup);
    assert!(bench.take(ticket).is_none());
    assert_eq!(bench.offset("t", 0), Some(1), "not before it is durable");
    bench.store();
    assert_eq!(group_deleted(&mut bench, ticket), ErrorCode::NONE);
    assert!(bench.group.is_blank());
    let tombstones = &bench.stored[before..];
    assert_eq!(tombstones.len(), 3);
    assert!(tombstones.iter().all(|record| record.value.is_none()));
}

#[test]
fn a_deletion_covers_commits_that_are_still_being_written() {
    let mut bench = Bench::new();
    let commit = bench.commit(simple(), &[("t", 0, 1)]);
    let delete = bench.ask(Request::DeleteGroup);
    bench.store();
    assert_eq!(bench.committed(commit), Ok(vec![ErrorCode::NONE]));
    assert_eq!(group_deleted(&mut bench, delete), ErrorCode::NONE);
    assert_eq!(bench.offset("t", 0), None);
    assert_eq!(bench.stored.len(), 3, "the offset, its tombstone, the group's");
}

#[test]
fn a_group_with_members_is_not_deleted() {
    let mut bench = Bench::new();
    bench.stable(&[newcomer("a")]);
    let ticket = bench.ask(Request::DeleteGroup);
    assert_eq!(group_deleted(&mut bench, ticket), ErrorCode::NON_EMPTY_GROUP);
}

#[test]
fn a_group_that_does_not_exist_is_not_found() {
    let mut bench = Bench::new();
    let ticket = bench.ask(Request::DeleteGroup);
    assert_eq!(group_deleted(&mut bench, ticket), ErrorCode::GROUP_ID_NOT_FOUND);
    let ticket = delete_offsets(&mut bench, &[("t", 0)]);
    assert_eq!(deleted(&mut bench, ticket), Err(ErrorCode::GROUP_ID_NOT_FOUND));
}

#[test]
fn while_its_deletion_is_written_a_group_takes_nothing_and_comes_back_if_it_fails() {
    let mut bench = Bench::new();
    bench.commit(simple(), &[("t", 0, 1)]);
    bench.store();
    let ticket = bench.ask(Request::DeleteGroup);
    let join = bench.join(newcomer("a"));
    assert_eq!(bench.refused(join).error, ErrorCode::COORDINATOR_NOT_AVAILABLE);
    let commit = bench.commit(simple(), &[("t", 0, 2)]);
    assert_eq!(bench.committed(commit), Err(ErrorCode::COORDINATOR_NOT_AVAILABLE));
    assert_eq!(bench.heartbeat(&MemberId::from("x"), GenerationId(0)), ErrorCode::COORDINATOR_NOT_AVAILABLE);
    bench.fail_one();
    assert_eq!(group_deleted(&mut bench, ticket), ErrorCode::COORDINATOR_NOT_AVAILABLE);
    assert_eq!(bench.offset("t", 0), Some(1));
    let join = bench.join(newcomer("a"));
    bench.pass(3_000);
    bench.joined(join);
}

#[test]
fn a_deleted_group_starts_over() {
    let mut bench = Bench::new();
    let ids = bench.stable(&[newcomer("a")]);
    bench.leave(vec![who(&ids[0])]);
    bench.store();
    let ticket = bench.ask(Request::DeleteGroup);
    bench.store();
    assert_eq!(group_deleted(&mut bench, ticket), ErrorCode::NONE);
    assert!(bench.describe().is_none());
    bench.stable(&[newcomer("b")]);
    assert_eq!(bench.group.generation(), GenerationId(1));
}

#[test]
fn offsets_of_topics_that_members_read_are_kept() {
    let mut bench = Bench::new();
    let mut join = newcomer("a");
    join.protocols = vec![Protocol { name: "range".into(), metadata: subscription(&["read"]) }];
    let ids = bench.stable(&[join]);
    bench.commit(client(who(&ids[0]), 1), &[("read", 0, 1), ("left", 0, 2)]);
    bench.store();
    let ticket = delete_offsets(&mut bench, &[("read", 0), ("left", 0), ("left", 9)]);
    bench.store();
    assert_eq!(
        deleted(&mut bench, ticket),
        Ok(vec![ErrorCode::GROUP_SUBSCRIBED_TO_TOPIC, ErrorCode::NONE, ErrorCode::NONE])
    );
    assert_eq!((bench.offset("read", 0), bench.offset("left", 0)), (Some(1), None));
}

#[test]
fn a_subscription_that_cannot_be_read_protects_every_topic() {
    let mut bench = Bench::new();
    let mut join = newcomer("a");
    join.protocols = vec![Protocol { name: "range".into(), metadata: Bytes::from_static(&[0, 0, 127]) }];
    let ids = bench.stable(&[join]);
    bench.commit(client(who(&ids[0]), 1), &[("t", 0, 1)]);
    bench.store();
    let ticket = delete_offsets(&mut bench, &[("t", 0)]);
    assert_eq!(deleted(&mut bench, ticket), Ok(vec![ErrorCode::GROUP_SUBSCRIBED_TO_TOPIC]));
}

#[test]
fn other_kinds_of_groups_must_be_empty() {
    let mut bench = Bench::new();
    let ids = bench.stable(&[Join { protocol_type: "connect".into(), ..newcomer("a") }]);
    bench.commit(client(who(&ids[0]), 1), &[("t", 0, 1)]);
    bench.store();
    let ticket = delete_offsets(&mut bench, &[("t", 0)]);
    assert_eq!(deleted(&mut bench, ticket), Err(ErrorCode::NON_EMPTY_GROUP));
    bench.leave(vec![who(&ids[0])]);
    let ticket = delete_offsets(&mut bench, &[("t", 0)]);
    bench.store();
    assert_eq!(deleted(&mut bench, ticket), Ok(vec![ErrorCode::NONE]));
}

#[test]
fn deleting_nothing_writes_nothing() {
    let mut bench = Bench::new();
    bench.commit(simple(), &[("t", 0, 1)]);
    bench.store();
    let ticket = delete_offsets(&mut bench, &[("u", 0)]);
    assert_eq!(bench.writes_waiting(), 0);
    assert_eq!(deleted(&mut bench, ticket), Ok(vec![ErrorCode::NONE]));
}

#[test]
fn a_topic_that_is_gone_takes_its_offsets_along() {
    let mut bench = Bench::new();
    bench.commit(simple(), &[("gone", 0, 1), ("gone", 1, 1), ("kept", 0, 1)]);
    bench.store();
    let ticket = bench.ask(Request::ForgetTopic(TopicName::from("gone")));
    bench.store();
    assert!(matches!(bench.take(ticket), Some(Answer::Swept(2))));
    assert_eq!((bench.offset("gone", 1), bench.offset("kept", 0)), (None, Some(1)));
}
