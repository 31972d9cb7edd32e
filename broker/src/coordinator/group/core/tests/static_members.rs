//! Static members (KIP-345).

use super::*;

#[test]
fn a_returning_member_keeps_its_place_without_a_rebalance() {
    let mut bench = Bench::new();
    let ids = bench.stable(&[static_newcomer("s1"), static_newcomer("s2")]);
    let ticket = bench.join(static_newcomer("s2"));
    assert!(bench.take(ticket).is_none(), "the new id is stored first");
    bench.store();
    let joined = bench.joined(ticket);
    assert_ne!(joined.member_id, ids[1]);
    assert_eq!((joined.generation, &joined.leader), (GenerationId(1), &ids[0]));
    assert_eq!(bench.group.state(), GroupState::Stable);

    let sync = bench.sync(&joined.member_id, GenerationId(1), &[]);
    assert_eq!(bench.synced(sync), ids[1].as_str(), "the assignment of its predecessor");
    let old = bench.heartbeat_as(static_who(&ids[1], "s2"), GenerationId(1));
    assert_eq!(old, ErrorCode::FENCED_INSTANCE_ID);
    assert_eq!(bench.heartbeat(&ids[1], GenerationId(1)), ErrorCode::UNKNOWN_MEMBER_ID);
    let new = bench.heartbeat_as(static_who(&joined.member_id, "s2"), GenerationId(1));
    assert_eq!(new, ErrorCode::NONE);
}

#[test]
fn the_old_id_is_fenced_from_joining_and_syncing() {
    let mut bench = Bench::new();
    let ids = bench.stable(&[static_newcomer("s")]);
    bench.join(static_newcomer("s"));
    bench.store();
    let join = bench.join(Join { who: static_who(&ids[0], "s"), ..newcomer("s") });
    assert_eq!(bench.refused(join).error, ErrorCode::FENCED_INSTANCE_ID);
    let sync = bench.ask(Request::Sync(Sync {
        who: static_who(&ids[0], "s"),
        generation: GenerationId(1),
        protocol_type: None,
        protocol: None,
        assignments: Vec::new(),
    }));
    assert_eq!(bench.sync_error(sync), ErrorCode::FENCED_INSTANCE_ID);
    let commit = bench.commit(client(static_who(&ids[0], "s"), 1), &[("t", 0, 1)]);
    assert_eq!(bench.committed(commit), Err(ErrorCode::FENCED_INSTANCE_ID));
}

#[test]
fn an_old_client_that_led_is_told_that_it_follows() {
    let mut bench = Bench::new();
    let ids = bench.stable(&[static_newcomer("leads"), static_newcomer("s2")]);
    let ticket = bench.join(static_newcomer("leads"));
    bench.store();
    let joined = bench.joined(ticket);
    assert_eq!(joined.leader, ids[0], "the id of its predecessor: not its own");
    assert!(joined.members.is_empty() && !joined.skip_assignment);
}

#[test]
fn a_new_client_that_led_is_told_to_skip_the_assignment() {
    let mut bench = Bench::new();
    bench.stable(&[static_newcomer("leads"), static_newcomer("s2")]);
    let ticket = bench.join(Join { may_skip_assignment: true, ..static_newcomer("leads") });
    bench.store();
    let joined = bench.joined(ticket);
    assert_eq!(joined.leader, joined.member_id);
    assert!(joined.skip_assignment);
    assert_eq!(joined.members.len(), 2);

    let ticket = bench.join(Join { may_skip_assignment: true, ..static_newcomer("s2") });
    bench.store();
    let joined = bench.joined(ticket);
    assert!(!joined.skip_assignment && joined.members.is_empty());
}

#[test]
fn a_returning_member_that_changes_the_protocol_causes_a_rebalance() {
    let both = vec![protocol("range", ""), protocol("sticky", "")];
    let swapped = vec![protocol("sticky", ""), protocol("range", "")];
    let mut bench = Bench::new();
    bench.stable(&[Join { protocols: both, ..static_newcomer("s") }]);
    let ticket = bench.join(Join { protocols: swapped, ..static_newcomer("s") });
    let joined = bench.joined(ticket);
    assert_eq!((joined.generation, joined.protocol.as_deref()), (GenerationId(2), Some("sticky")));
}

#[test]
fn a_return_that_cannot_be_stored_is_undone() {
    let mut bench = Bench::new();
    let ids = bench.stable(&[static_newcomer("s")]);
    let ticket = bench.join(static_newcomer("s"));
    bench.fail_one();
    assert_eq!(bench.refused(ticket).error, ErrorCode::COORDINATOR_NOT_AVAILABLE);
    let old = bench.heartbeat_as(static_who(&ids[0], "s"), GenerationId(1));
    assert_eq!(old, ErrorCode::NONE, "the old id is valid again");
}

#[test]
fn a_return_during_a_rebalance_waits_for_the_new_generation() {
    let mut bench = Bench::new();
    let ids = bench.stable(&[static_newcomer("s1"), static_newcomer("s2")]);
    let returning = bench.join(static_newcomer("s2"));
    let leader = bench.join(Join { who: static_who(&ids[0], "s1"), ..newcomer("s1") });
    let joined = bench.joined(returning);
    assert_eq!(joined.generation, GenerationId(2));
    bench.joined(leader);
    bench.store();
    assert_eq!(bench.unanswered(), 0);
}

#[test]
fn a_twin_that_waits_is_fenced() {
    let mut bench = Bench::new();
    let first = bench.join(static_newcomer("s"));
    bench.pass(1_000);
    let twin = bench.join(static_newcomer("s"));
    assert_eq!(bench.refused(first).error, ErrorCode::FENCED_INSTANCE_ID);
    bench.pass(10_000);
    bench.joined(twin);
}

#[test]
fn a_return_while_the_assignment_is_awaited_rebalances() {
    let mut bench = Bench::new();
    let (s1, s2) = (bench.join(static_newcomer("s1")), bench.join(static_newcomer("s2")));
    bench.pass(6_000);
    let (s1, s2) = (bench.joined(s1), bench.joined(s2));
    let waiting = bench.sync(&s2.member_id, GenerationId(1), &[]);
    bench.join(static_newcomer("s2"));
    assert_eq!(bench.sync_error(waiting), ErrorCode::FENCED_INSTANCE_ID);
    assert_eq!(bench.group.state(), GroupState::PreparingRebalance);
    assert_eq!(bench.heartbeat(&s1.member_id, GenerationId(1)), ErrorCode::REBALANCE_IN_PROGRESS);
}

#[test]
fn a_member_that_is_away_during_a_rebalance_keeps_its_place_until_its_session_ends() {
    let mut bench = Bench::new();
    let long = |join: Join| Join { session_timeout_ms: 500_000, ..join };
    let ids = bench.stable(&[long(static_newcomer("s1")), long(static_newcomer("away"))]);
    bench.leave(vec![static_who(&ids[0], "s1")]);
    let again = bench.join(long(static_newcomer("s1")));
    bench.pass(60_000);
    let joined = bench.joined(again);
    assert_eq!(joined.members.len(), 2, "the one that is away is still counted");
    assert_eq!(joined.leader, joined.member_id, "but does not lead");
}
