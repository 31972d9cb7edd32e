//! SyncGroup.

use super::*;

/// Two members that have joined generation 1: leader and follower.
fn two_joined(bench: &mut Bench) -> (MemberId, MemberId) {
    let a = bench.join(newcomer("a"));
    let b = bench.join(newcomer("b"));
    bench.pass(6_000);
    (bench.joined(a).member_id, bench.joined(b).member_id)
}

#[test]
fn the_assignment_is_stored_before_anybody_learns_of_it() {
    let mut bench = Bench::new();
    let (a, b) = two_joined(&mut bench);
    let follower = bench.sync(&b, GenerationId(1), &[]);
    let leader = bench.sync(&a, GenerationId(1), &[(&a, "for a"), (&b, "for b")]);
    assert!(bench.take(follower).is_none() && bench.take(leader).is_none());
    assert_eq!(bench.group.state(), GroupState::CompletingRebalance);
    bench.store();
    assert_eq!(bench.synced(leader), "for a");
    assert_eq!(bench.synced(follower), "for b");
    assert_eq!(bench.group.state(), GroupState::Stable);
}

#[test]
fn a_member_that_the_leader_left_out_gets_nothing() {
    let mut bench = Bench::new();
    let (a, b) = two_joined(&mut bench);
    bench.sync(&a, GenerationId(1), &[(&a, "all"), (&MemberId::from("stranger"), "some")]);
    bench.store();
    let ticket = bench.sync(&b, GenerationId(1), &[]);
    assert_eq!(bench.synced(ticket), "");
}

#[test]
fn a_late_follower_gets_its_assignment_from_the_stable_group() {
    let mut bench = Bench::new();
    let (a, b) = two_joined(&mut bench);
    bench.sync(&a, GenerationId(1), &[(&a, "1"), (&b, "2")]);
    bench.store();
    let ticket = bench.sync(&b, GenerationId(1), &[]);
    assert_eq!(bench.synced(ticket), "2");
    let again = bench.sync(&b, GenerationId(1), &[]);
    assert_eq!(bench.synced(again), "2");
}

#[test]
fn an_assignment_that_cannot_be_stored_makes_everybody_join_again() {
    let mut bench = Bench::new();
    let (a, b) = two_joined(&mut bench);
    let leader = bench.sync(&a, GenerationId(1), &[(&a, "1"), (&b, "2")]);
    bench.fail_one();
    assert_eq!(bench.sync_error(leader), ErrorCode::COORDINATOR_NOT_AVAILABLE);
    assert_eq!(bench.group.state(), GroupState::PreparingRebalance);
    assert_eq!(bench.heartbeat(&b, GenerationId(1)), ErrorCode::REBALANCE_IN_PROGRESS);
}

#[test]
fn a_rebalance_overtakes_an_assignment_that_is_being_stored() {
    let mut bench = Bench::new();
    let (a, b) = two_joined(&mut bench);
    let leader = bench.sync(&a, GenerationId(1), &[(&a, "old"), (&b, "old")]);
    let c = bench.join(newcomer("c"));
    assert_eq!(bench.sync_error(leader), ErrorCode::REBALANCE_IN_PROGRESS);
    bench.store();
    assert_eq!(bench.group.state(), GroupState::PreparingRebalance);
    let (a2, b2) = (bench.join(member(&a, "a")), bench.join(member(&b, "b")));
    assert_eq!(bench.joined(a2).generation, GenerationId(2));
    assert_eq!(bench.joined(b2).generation, GenerationId(2));
    assert_eq!(bench.joined(c).generation, GenerationId(2));
    let waiting = bench.sync(&b, GenerationId(2), &[]);
    assert!(bench.take(waiting).is_none(), "the old assignment is not given out");
}

#[test]
fn a_write_of_an_earlier_generation_does_not_complete_a_later_one() {
    let mut bench = Bench::new();
    let (a, b) = two_joined(&mut bench);
    bench.sync(&a, GenerationId(1), &[(&a, "old"), (&b, "old")]);
    let c = bench.join(newcomer("c"));
    for (id, name) in [(&a, "a"), (&b, "b")] {
        bench.join(member(id, name));
    }
    let c = bench.joined(c).member_id;
    let waiting = bench.sync(&c, GenerationId(2), &[]);
    let leader = bench.sync(&a, GenerationId(2), &[(&a, "new"), (&c, "new")]);
    bench.store_one();
    assert!(bench.take(waiting).is_none() && bench.take(leader).is_none(), "that was the old one's write");
    assert_eq!(bench.group.state(), GroupState::CompletingRebalance);
    bench.store_one();
    assert_eq!((bench.synced(waiting), bench.synced(leader)), ("new".into(), "new".into()));
}

#[test]
fn strangers_and_old_generations_are_refused() {
    let mut bench = Bench::new();
    let (a, _) = two_joined(&mut bench);
    let old = bench.sync(&a, GenerationId(0), &[]);
    assert_eq!(bench.sync_error(old), ErrorCode::ILLEGAL_GENERATION);
    let stranger = bench.sync(&MemberId::from("x"), GenerationId(1), &[]);
    assert_eq!(bench.sync_error(stranger), ErrorCode::UNKNOWN_MEMBER_ID);
    let mut blank = Bench::new();
    let nobody = blank.sync(&a, GenerationId(1), &[]);
    assert_eq!(blank.sync_error(nobody), ErrorCode::UNKNOWN_MEMBER_ID);
}

#[test]
fn another_protocol_than_the_chosen_one_is_refused() {
    let mut bench = Bench::new();
    let (a, _) = two_joined(&mut bench);
    let sync = |kind: Option<&'static str>, name: Option<&'static str>| {
        Request::Sync(Sync {
            who: who(&a),
            generation: GenerationId(1),
            protocol_type: kind.map(Into::into),
            protocol: name.map(Into::into),
            assignments: Vec::new(),
        })
    };
    let wrong_name = bench.ask(sync(Some("consumer"), Some("sticky")));
    assert_eq!(bench.sync_error(wrong_name), ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    let wrong_kind = bench.ask(sync(Some("connect"), None));
    assert_eq!(bench.sync_error(wrong_kind), ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    let right = bench.ask(sync(Some("consumer"), Some("range")));
    bench.store();
    assert_eq!(bench.synced(right), "");
}

#[test]
fn a_sync_while_the_group_prepares_is_told_to_join() {
    let mut bench = Bench::new();
    let ids = bench.stable(&[newcomer("a"), newcomer("b")]);
    bench.join(newcomer("c"));
    let ticket = bench.sync(&ids[1], GenerationId(1), &[]);
    assert_eq!(bench.sync_error(ticket), ErrorCode::REBALANCE_IN_PROGRESS);
}

#[test]
fn members_that_never_sync_are_dropped_after_the_rebalance_timeout() {
    let mut bench = Bench::new();
    let (a, b) = two_joined(&mut bench);
    bench.sync(&a, GenerationId(1), &[(&a, "1"), (&b, "2")]);
    bench.store();
    for _ in 0..12 {
        bench.pass(4_999);
        bench.heartbeat(&a, GenerationId(1));
        assert_eq!(bench.heartbeat(&b, GenerationId(1)), ErrorCode::NONE);
    }
    bench.pass(1_000);
    assert_eq!(bench.group.state(), GroupState::PreparingRebalance);
    assert_eq!(bench.heartbeat(&b, GenerationId(1)), ErrorCode::UNKNOWN_MEMBER_ID);
    let ticket = bench.join(member(&a, "a"));
    assert_eq!(bench.joined(ticket).members.len(), 1);
}

#[test]
fn a_sync_that_is_repeated_answers_the_earlier_one_and_writes_once() {
    let mut bench = Bench::new();
    let (a, b) = two_joined(&mut bench);
    let first = bench.sync(&a, GenerationId(1), &[(&a, "1"), (&b, "2")]);
    let second = bench.sync(&a, GenerationId(1), &[(&a, "1"), (&b, "2")]);
    assert_eq!(bench.sync_error(first), ErrorCode::REBALANCE_IN_PROGRESS);
    assert_eq!(bench.writes_waiting(), 1);
    bench.store();
    assert_eq!(bench.synced(second), "1");
}
