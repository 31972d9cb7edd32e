//! Heartbeats, and members that fall silent.

use super::*;

#[test]
fn a_silent_member_is_dropped_and_the_rest_rebalances() {
    let mut bench = Bench::new();
    let ids = bench.stable(&[newcomer("a"), newcomer("b")]);
    bench.pass(9_000);
    assert_eq!(bench.heartbeat(&ids[0], GenerationId(1)), ErrorCode::NONE);
    bench.pass(9_000);
    assert_eq!(bench.heartbeat(&ids[0], GenerationId(1)), ErrorCode::REBALANCE_IN_PROGRESS);
    assert_eq!(bench.heartbeat(&ids[1], GenerationId(1)), ErrorCode::UNKNOWN_MEMBER_ID);
    let ticket = bench.join(member(&ids[0], "a"));
    assert_eq!(bench.joined(ticket).members.len(), 1);
}

#[test]
fn a_silent_leader_is_succeeded() {
    let mut bench = Bench::new();
    let ids = bench.stable(&[newcomer("a"), newcomer("b")]);
    bench.pass(9_000);
    bench.heartbeat(&ids[1], GenerationId(1));
    bench.pass(2_000);
    let ticket = bench.join(member(&ids[1], "b"));
    assert_eq!(bench.joined(ticket).leader, ids[1]);
}

#[test]
fn a_group_whose_last_member_is_silent_becomes_empty_and_says_so_in_the_log() {
    let mut bench = Bench::new();
    bench.stable(&[newcomer("a")]);
    bench.pass(10_000);
    assert_eq!(bench.group.state(), GroupState::Empty);
    assert_eq!(bench.group.generation(), GenerationId(2));
    let before = bench.stored.len();
    assert_eq!(bench.announced, [], "not before it is durable");
    bench.store();
    assert_eq!(bench.stored.len(), before + 1);
    assert_eq!(bench.announced, [GroupEvent::Emptied { group: GroupId::from("g") }]);
}

#[test]
fn whoever_waits_for_a_rebalance_is_not_silent() {
    let mut bench = Bench::new();
    let ids = bench.stable(&[newcomer("a"), newcomer("b")]);
    let a = bench.join(member(&ids[0], "a"));
    for _ in 0..11 {
        bench.pass(5_000);
        bench.heartbeat(&ids[1], GenerationId(1));
    }
    assert!(bench.take(a).is_none(), "55 s without a heartbeat, and still a member");
    bench.join(member(&ids[1], "b"));
    assert_eq!(bench.joined(a).generation, GenerationId(2));
}

#[test]
fn whoever_waits_for_an_assignment_is_not_silent() {
    let mut bench = Bench::new();
    let (a, b) = (bench.join(newcomer("a")), bench.join(newcomer("b")));
    bench.pass(6_000);
    let (a, b) = (bench.joined(a).member_id, bench.joined(b).member_id);
    let waiting = bench.sync(&b, GenerationId(1), &[]);
    for _ in 0..5 {
        bench.pass(9_000);
        assert_eq!(bench.heartbeat(&a, GenerationId(1)), ErrorCode::NONE);
    }
    bench.sync(&a, GenerationId(1), &[(&b, "2")]);
    bench.store();
    assert_eq!(bench.synced(waiting), "2");
    bench.pass(9_999);
    assert_eq!(bench.heartbeat(&b, GenerationId(1)), ErrorCode::NONE, "its session started anew");
}

#[test]
fn a_newcomer_that_is_never_answered_has_to_ask_again() {
    let mut bench = Bench::new();
    let slow = Join { rebalance_timeout_ms: 1_000_000, ..newcomer("a") };
    let ids = bench.stable(&[slow]);
    let b = bench.join(newcomer("b"));
    for _ in 0..60 {
        bench.pass(5_000);
        bench.heartbeat(&ids[0], GenerationId(1));
    }
    assert_eq!(bench.refused(b).error, ErrorCode::UNKNOWN_MEMBER_ID);
}

#[test]
fn a_stale_generation_is_fenced() {
    let mut bench = Bench::new();
    let ids = bench.stable(&[newcomer("a")]);
    assert_eq!(bench.heartbeat(&ids[0], GenerationId(0)), ErrorCode::ILLEGAL_GENERATION);
    assert_eq!(bench.heartbeat(&ids[0], GenerationId(2)), ErrorCode::ILLEGAL_GENERATION);
    bench.pass(9_999);
    bench.heartbeat(&ids[0], GenerationId(0));
    bench.pass(1);
    assert_eq!(bench.group.state(), GroupState::Empty, "a fenced heartbeat does not renew the session");
}

#[test]
fn heartbeats_are_welcome_before_the_assignment_is_there() {
    let mut bench = Bench::new();
    let ticket = bench.join(newcomer("a"));
    bench.pass(3_000);
    let joined = bench.joined(ticket);
    assert_eq!(bench.heartbeat(&joined.member_id, joined.generation), ErrorCode::NONE);
}
