//! OffsetCommit.

use super::*;

#[test]
fn an_offset_is_seen_only_when_it_is_durable() {
    let mut bench = Bench::new();
    let ticket = bench.commit(simple(), &[("t", 0, 5), ("t", 1, 6)]);
    assert_eq!(bench.offset("t", 0), None);
    assert!(bench.take(ticket).is_none() && bench.announced.is_empty());
    bench.store();
    assert_eq!(bench.committed(ticket), Ok(vec![ErrorCode::NONE; 2]));
    assert_eq!((bench.offset("t", 0), bench.offset("t", 1)), (Some(5), Some(6)));
    let stored = bench.offsets()["t"][&PartitionId(0)].clone();
    assert_eq!(
        (stored.leader_epoch, &*stored.metadata, stored.commit_ms),
        (LeaderEpoch(7), "note", bench.now().wall_ms)
    );
    assert_eq!(bench.announced.len(), 2);
    let GroupEvent::Committed(second) = &bench.announced[1] else { panic!("{:?}", bench.announced) };
    assert_eq!((second.partition, second.offset), (PartitionId(1), Offset(6)));
}

#[test]
fn a_commit_that_cannot_be_stored_changes_nothing() {
    let mut bench = Bench::new();
    bench.commit(simple(), &[("t", 0, 5)]);
    bench.store();
    let ticket = bench.commit(simple(), &[("t", 0, 9)]);
    bench.fail_one();
    assert_eq!(bench.committed(ticket), Ok(vec![ErrorCode::COORDINATOR_NOT_AVAILABLE]));
    assert_eq!(bench.offset("t", 0), Some(5));
    assert_eq!(bench.announced.len(), 1);
}

#[test]
fn commits_take_effect_in_the_order_in_which_they_came() {
    let mut bench = Bench::new();
    bench.commit(simple(), &[("t", 0, 5)]);
    bench.commit(simple(), &[("t", 0, 9)]);
    bench.commit(simple(), &[("t", 0, 7)]);
    bench.store_one();
    assert_eq!(bench.offset("t", 0), Some(5));
    bench.store();
    assert_eq!(bench.offset("t", 0), Some(7), "going back is the client's right");
}

#[test]
fn metadata_that_is_too_long_is_refused_for_its_partition_only() {
    let mut bench = Bench::new();
    let offset = |partition, metadata: &str| OffsetToCommit {
        topic: TopicName::from("t"),
        partition: PartitionId(partition),
        offset: Offset(1),
        leader_epoch: LeaderEpoch::NONE,
        metadata: metadata.into(),
    };
    let offsets = vec![offset(0, "12345678901234567"), offset(1, "1234567890123456")];
    let ticket = bench.ask(Request::Commit(Commit { author: simple(), retention_ms: -1, offsets }));
    bench.store();
    assert_eq!(bench.committed(ticket), Ok(vec![ErrorCode::OFFSET_METADATA_TOO_LARGE, ErrorCode::NONE]));
    assert_eq!((bench.offset("t", 0), bench.offset("t", 1)), (None, Some(1)));
}

#[test]
fn metadata_from_outside_is_kept_whatever_its_length() {
    let mut bench = Bench::new();
    let offset = OffsetToCommit {
        topic: TopicName::from("t"),
        partition: PartitionId(0),
        offset: Offset(1),
        leader_epoch: LeaderEpoch(3),
        metadata: "12345678901234567".into(),
    };
    let commit = Commit { author: Author::Outside, retention_ms: -1, offsets: vec![offset] };
    let ticket = bench.ask(Request::Commit(commit));
    bench.store();
    assert_eq!(bench.committed(ticket), Ok(vec![ErrorCode::NONE]));
    assert_eq!(&*bench.offsets()["t"][&PartitionId(0)].metadata, "12345678901234567");
}

#[test]
fn only_members_commit_while_the_group_has_some() {
    let mut bench = Bench::new();
    let ids = bench.stable(&[newcomer("a")]);
    let outsider = bench.commit(simple(), &[("t", 0, 1)]);
    assert_eq!(bench.committed(outsider), Err(ErrorCode::UNKNOWN_MEMBER_ID));
    let stranger = bench.commit(client(who(&MemberId::from("x")), 1), &[("t", 0, 1)]);
    assert_eq!(bench.committed(stranger), Err(ErrorCode::UNKNOWN_MEMBER_ID));
    let stale = bench.commit(client(who(&ids[0]), 0), &[("t", 0, 1)]);
    assert_eq!(bench.committed(stale), Err(ErrorCode::ILLEGAL_GENERATION));
    let forgot = bench.commit(client(who(&ids[0]), -1), &[("t", 0, 1)]);
    assert_eq!(bench.committed(forgot), Err(ErrorCode::ILLEGAL_GENERATION));
    let good = bench.commit(client(who(&ids[0]), 1), &[("t", 0, 1)]);
    bench.store();
    assert_eq!(bench.committed(good), Ok(vec![ErrorCode::NONE]));
}

#[test]
fn a_generation_of_a_group_that_does_not_exist_is_refused_in_the_clients_words() {
    let mut bench = Bench::new();
    let ticket = bench.commit(client(who(&MemberId::from("x")), 3), &[("t", 0, 1)]);
    assert_eq!(bench.committed(ticket), Err(ErrorCode::GROUP_ID_NOT_FOUND));
    assert!(bench.group.is_blank());
}

#[test]
fn members_may_commit_while_the_next_generation_gathers_but_not_before_their_assignment() {
    let mut bench = Bench::new();
    let ids = bench.stable(&[newcomer("a"), newcomer("b")]);
    let a = bench.join(member(&ids[0], "a"));
    let gathering = bench.commit(client(who(&ids[1]), 1), &[("t", 0, 4)]);
    bench.store();
    assert_eq!(bench.committed(gathering), Ok(vec![ErrorCode::NONE]));
    bench.join(member(&ids[1], "b"));
    assert_eq!(bench.joined(a).generation, GenerationId(2));
    let early = bench.commit(client(who(&ids[1]), 2), &[("t", 0, 5)]);
    assert_eq!(bench.committed(early), Err(ErrorCode::REBALANCE_IN_PROGRESS));
}

#[test]
fn a_commit_keeps_its_member_alive() {
    let mut bench = Bench::new();
    let ids = bench.stable(&[newcomer("a")]);
    bench.pass(9_000);
    bench.commit(client(who(&ids[0]), 1), &[("t", 0, 4)]);
    bench.pass(9_000);
    assert_eq!(bench.heartbeat(&ids[0], GenerationId(1)), ErrorCode::NONE);
}

#[test]
fn the_outside_may_commit_only_while_nobody_is_there() {
    let mut bench = Bench::new();
    let ticket = bench.commit(Author::Outside, &[("t", 0, 4)]);
    bench.store();
    assert_eq!(bench.committed(ticket), Ok(vec![ErrorCode::NONE]));
    bench.join(newcomer("a"));
    let late = bench.commit(Author::Outside, &[("t", 0, 9)]);
    assert_eq!(bench.committed(late), Err(ErrorCode::NON_EMPTY_GROUP));
    assert_eq!(bench.offset("t", 0), Some(4));
}

#[test]
fn a_member_that_is_gone_cannot_commit_to_its_empty_group_in_its_generation() {
    let mut bench = Bench::new();
    let ids = bench.stable(&[newcomer("a")]);
    bench.leave(vec![who(&ids[0])]);
    let ticket = bench.commit(client(who(&ids[0]), 1), &[("t", 0, 4)]);
    assert_eq!(bench.committed(ticket), Err(ErrorCode::UNKNOWN_MEMBER_ID));
    let tool = bench.commit(simple(), &[("t", 0, 4)]);
    bench.store();
    assert_eq!(bench.committed(tool), Ok(vec![ErrorCode::NONE]));
}
