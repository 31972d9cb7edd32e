//! LeaveGroup.

use super::*;

#[test]
fn the_rest_rebalances_at_once_when_a_member_leaves() {
    let mut bench = Bench::new();
    let ids = bench.stable(&[newcomer("a"), newcomer("b")]);
    assert_eq!(bench.leave(vec![who(&ids[0])]), [ErrorCode::NONE]);
    assert_eq!(bench.heartbeat(&ids[1], GenerationId(1)), ErrorCode::REBALANCE_IN_PROGRESS);
    let ticket = bench.join(member(&ids[1], "b"));
    assert_eq!(bench.joined(ticket).leader, ids[1]);
}

#[test]
fn the_last_to_leave_empties_the_group() {
    let mut bench = Bench::new();
    let ids = bench.stable(&[newcomer("a")]);
    bench.commit(client(who(&ids[0]), 1), &[("t", 0, 5)]);
    bench.leave(vec![who(&ids[0])]);
    assert_eq!(bench.group.state(), GroupState::Empty);
    assert_eq!(bench.describe().unwrap().protocol_type, "consumer");
    bench.store();
    assert!(
        matches!(&bench.announced[..], [GroupEvent::Committed(_), GroupEvent::Emptied { .. }]),
        "what it committed last, then that it is gone: {:?}",
        bench.announced
    );
}

#[test]
fn a_group_that_somebody_joins_at_once_is_not_announced_as_empty() {
    let mut bench = Bench::new();
    let ids = bench.stable(&[newcomer("a")]);
    bench.leave(vec![who(&ids[0])]);
    bench.join(newcomer("b"));
    bench.store();
    assert_eq!(bench.announced, []);
}

#[test]
fn a_group_is_announced_as_empty_also_when_that_could_not_be_stored() {
    let mut bench = Bench::new();
    let ids = bench.stable(&[newcomer("a")]);
    bench.leave(vec![who(&ids[0])]);
    assert!(bench.fail_one());
    assert_eq!(bench.announced, [GroupEvent::Emptied { group: GroupId::from("g") }]);
}

#[test]
fn several_leave_in_one_request_each_with_its_own_answer() {
    let mut bench = Bench::new();
    let ids = bench.stable(&[static_newcomer("s1"), static_newcomer("s2"), newcomer("c")]);
    let by_instance = Identity { instance_id: Some(InstanceId("s1".into())), ..Identity::default() };
    let unknown_instance = Identity { instance_id: Some(InstanceId("s9".into())), ..Identity::default() };
    let fenced = static_who(&MemberId::from("older"), "s2");
    let codes =
        bench.leave(vec![by_instance, unknown_instance, fenced, who(&ids[2]), who(&MemberId::from("x"))]);
    assert_eq!(
        codes,
        [
            ErrorCode::NONE,
            ErrorCode::UNKNOWN_MEMBER_ID,
            ErrorCode::FENCED_INSTANCE_ID,
            ErrorCode::NONE,
            ErrorCode::UNKNOWN_MEMBER_ID
        ]
    );
    assert_eq!(bench.group.member_count(), 1);
}

#[test]
fn strangers_who_leave_disturb_nobody() {
    let mut bench = Bench::new();
    bench.stable(&[newcomer("a")]);
    assert_eq!(bench.leave(vec![who(&MemberId::from("x"))]), [ErrorCode::UNKNOWN_MEMBER_ID]);
    assert_eq!(bench.group.state(), GroupState::Stable);
}

#[test]
fn a_pending_id_that_leaves_lets_the_join_phase_end() {
    let mut bench = Bench::new();
    let ids = bench.stable(&[newcomer("a")]);
    let ticket = bench.join(Join { member_id_required: true, ..newcomer("b") });
    let pending = bench.refused(ticket).member_id;
    let a = bench.join(member(&ids[0], "a"));
    assert!(bench.take(a).is_none());
    assert_eq!(bench.leave(vec![who(&pending)]), [ErrorCode::NONE]);
    bench.joined(a);
}

#[test]
fn a_member_that_leaves_while_it_waits_is_answered() {
    let mut bench = Bench::new();
    let ids = bench.stable(&[newcomer("a"), newcomer("b")]);
    let a = bench.join(member(&ids[0], "a"));
    bench.leave(vec![who(&ids[0])]);
    assert_eq!(bench.refused(a).error, ErrorCode::UNKNOWN_MEMBER_ID);

    let b = bench.join(member(&ids[1], "b"));
    let generation = bench.joined(b).generation;
    let other = bench.join(newcomer("c"));
    let again = bench.join(member(&ids[1], "b"));
    let (b, c) = (bench.joined(again), bench.joined(other));
    let waiting = bench.sync(&c.member_id, c.generation, &[]);
    assert!(b.generation > generation);
    bench.leave(vec![who(&c.member_id)]);
    assert_eq!(bench.sync_error(waiting), ErrorCode::UNKNOWN_MEMBER_ID);
}
