//! JoinGroup of dynamic members.

use super::*;

#[test]
fn a_new_member_is_given_an_id_and_must_come_back_with_it() {
    let mut bench = Bench::new();
    let first = bench.join(Join { member_id_required: true, ..newcomer("a") });
    let refused = bench.refused(first);
    assert_eq!(refused.error, ErrorCode::MEMBER_ID_REQUIRED);
    assert!(refused.member_id.as_str().starts_with("a-"));
    assert_eq!(bench.group.state(), GroupState::Empty);

    let again = bench.join(Join { member_id_required: true, ..member(&refused.member_id, "a") });
    assert!(bench.take(again).is_none(), "it waits for others to join");
    bench.pass(3_000);
    let joined = bench.joined(again);
    assert_eq!(joined.member_id, refused.member_id);
    assert_eq!(joined.generation, GenerationId(1));
    assert_eq!(joined.protocol.as_deref(), Some("range"));
    assert_eq!(joined.protocol_type.as_deref(), Some("consumer"));
}

#[test]
fn an_id_that_is_never_used_is_forgotten_with_its_session() {
    let mut bench = Bench::new();
    let ticket = bench.join(Join { member_id_required: true, ..newcomer("a") });
    let id = bench.refused(ticket).member_id;
    bench.pass(10_000);
    assert!(bench.group.is_blank());
    let late = bench.join(member(&id, "a"));
    assert_eq!(bench.refused(late).error, ErrorCode::UNKNOWN_MEMBER_ID);
}

#[test]
fn an_unknown_member_id_is_refused() {
    let mut bench = Bench::new();
    let ticket = bench.join(member(&MemberId::from("nobody"), "a"));
    assert_eq!(bench.refused(ticket).error, ErrorCode::UNKNOWN_MEMBER_ID);
    assert!(bench.group.is_blank());
    bench.stable(&[newcomer("a")]);
    let ticket = bench.join(member(&MemberId::from("nobody"), "a"));
    let refused = bench.refused(ticket);
    assert_eq!((refused.error, refused.member_id.as_str()), (ErrorCode::UNKNOWN_MEMBER_ID, "nobody"));
}

#[test]
fn members_that_start_together_share_the_first_generation() {
    let mut bench = Bench::new();
    let a = bench.join(newcomer("a"));
    bench.pass(2_000);
    let b = bench.join(newcomer("b"));
    bench.pass(1_000);
    assert!(bench.take(a).is_none(), "b came while a waited: the delay is extended");
    bench.pass(3_000);
    let (a, b) = (bench.joined(a), bench.joined(b));
    assert_eq!((a.generation, b.generation), (GenerationId(1), GenerationId(1)));
    assert_eq!((&a.leader, &b.leader), (&a.member_id, &a.member_id));
    assert_eq!(a.members.len(), 2, "the leader is told of everybody");
    assert!(b.members.is_empty(), "the others are not");
    assert_eq!(a.members[1].metadata, "b");
}

#[test]
fn the_first_generation_waits_no_longer_than_the_rebalance_timeout() {
    let mut bench = Bench::new();
    let first = bench.join(Join { rebalance_timeout_ms: 7_000, ..newcomer("a") });
    for _ in 0..6 {
        bench.pass(1_000);
        bench.join(Join { rebalance_timeout_ms: 7_000, ..newcomer("b") });
    }
    assert!(bench.take(first).is_none());
    bench.pass(1_000);
    assert_eq!(bench.joined(first).generation, GenerationId(1));
}

#[test]
fn a_newcomer_makes_a_stable_group_rebalance() {
    let mut bench = Bench::new();
    let ids = bench.stable(&[newcomer("a")]);
    let b = bench.join(newcomer("b"));
    assert_eq!(bench.group.state(), GroupState::PreparingRebalance);
    assert_eq!(bench.heartbeat(&ids[0], GenerationId(1)), ErrorCode::REBALANCE_IN_PROGRESS);
    let a = bench.join(member(&ids[0], "a"));
    let (a, b) = (bench.joined(a), bench.joined(b));
    assert_eq!((a.generation, b.generation), (GenerationId(2), GenerationId(2)));
    assert_eq!(b.leader, ids[0], "the leader stays");
}

#[test]
fn members_that_do_not_rejoin_in_time_are_dropped() {
    let mut bench = Bench::new();
    let ids = bench.stable(&[newcomer("a"), newcomer("b")]);
    let c = bench.join(newcomer("c"));
    // Heartbeats keep them alive, but do not join them.
    for _ in 0..12 {
        bench.pass(4_999);
        bench.heartbeat(&ids[0], GenerationId(1));
        bench.heartbeat(&ids[1], GenerationId(1));
    }
    bench.pass(1_000);
    let c = bench.joined(c);
    assert_eq!(c.members.len(), 1);
    assert_eq!(c.leader, c.member_id, "a new leader is chosen from those who joined");
    assert_eq!(bench.heartbeat(&ids[0], GenerationId(1)), ErrorCode::UNKNOWN_MEMBER_ID);
}

#[test]
fn a_leader_that_rejoins_forces_a_rebalance() {
    let mut bench = Bench::new();
    let ids = bench.stable(&[newcomer("a"), newcomer("b")]);
    bench.join(member(&ids[0], "a"));
    assert_eq!(bench.group.state(), GroupState::PreparingRebalance);
}

#[test]
fn a_follower_that_rejoins_unchanged_is_told_the_current_generation() {
    let mut bench = Bench::new();
    let ids = bench.stable(&[newcomer("a"), newcomer("b")]);
    let ticket = bench.join(member(&ids[1], "b"));
    let joined = bench.joined(ticket);
    assert_eq!((joined.generation, joined.leader), (GenerationId(1), ids[0].clone()));
    assert_eq!(bench.group.state(), GroupState::Stable);
}

#[test]
fn a_follower_with_changed_metadata_forces_a_rebalance() {
    let mut bench = Bench::new();
    let ids = bench.stable(&[newcomer("a"), newcomer("b")]);
    let b = bench.join(member(&ids[1], "other topics"));
    assert!(bench.take(b).is_none());
    let a = bench.join(member(&ids[0], "a"));
    let told: Vec<_> = bench.joined(a).members.into_iter().map(|member| member.metadata).collect();
    assert!(told.contains(&Bytes::from_static(b"other topics")));
    assert_eq!(bench.joined(b).generation, GenerationId(2));
}

#[test]
fn a_lost_join_answer_is_given_again() {
    let mut bench = Bench::new();
    let first = bench.join(newcomer("a"));
    bench.pass(3_000);
    let joined = bench.joined(first);
    let again = bench.join(member(&joined.member_id, "a"));
    assert_eq!(bench.joined(again), joined);
    assert_eq!(bench.group.state(), GroupState::CompletingRebalance);
}

#[test]
fn a_join_that_is_repeated_answers_the_earlier_one() {
    let mut bench = Bench::new();
    let ids = bench.stable(&[newcomer("a"), newcomer("b")]);
    let first = bench.join(member(&ids[0], "a"));
    let second = bench.join(member(&ids[0], "a"));
    assert_eq!(bench.refused(first).error, ErrorCode::REBALANCE_IN_PROGRESS);
    assert!(bench.take(second).is_none());
}

#[test]
fn a_protocol_that_not_everybody_has_is_refused() {
    let mut bench = Bench::new();
    bench.stable(&[newcomer("a")]);
    let sticky = bench.join(Join { protocols: vec![protocol("sticky", "b")], ..newcomer("b") });
    assert_eq!(bench.refused(sticky).error, ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    let connect = bench.join(Join { protocol_type: "connect".into(), ..newcomer("b") });
    assert_eq!(bench.refused(connect).error, ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    assert_eq!(bench.group.state(), GroupState::Stable);
}

#[test]
fn a_first_member_must_offer_something() {
    let mut bench = Bench::new();
    let nothing = bench.join(Join { protocols: Vec::new(), ..newcomer("a") });
    assert_eq!(bench.refused(nothing).error, ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    let untyped = bench.join(Join { protocol_type: "".into(), ..newcomer("a") });
    assert_eq!(bench.refused(untyped).error, ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    assert!(bench.group.is_blank());
}

#[test]
fn the_protocol_with_most_votes_among_the_common_ones_wins() {
    let mut bench = Bench::new();
    let offers = |names: &[&str]| names.iter().map(|name| protocol(name, name)).collect::<Vec<_>>();
    let a = bench.join(Join { protocols: offers(&["range", "sticky"]), ..newcomer("a") });
    bench.join(Join { protocols: offers(&["sticky", "range"]), ..newcomer("b") });
    bench.join(Join { protocols: offers(&["own", "sticky", "range"]), ..newcomer("c") });
    bench.pass(100_000);
    let joined = bench.joined(a);
    assert_eq!(joined.protocol.as_deref(), Some("sticky"));
    assert!(joined.members.iter().all(|member| member.metadata == "sticky"));
}

#[test]
fn a_protocol_offered_twice_counts_once() {
    let mut bench = Bench::new();
    let twice = vec![protocol("range", "1"), protocol("range", "2")];
    bench.stable(&[Join { protocols: twice, ..newcomer("a") }]);
    let b = bench.join(newcomer("b"));
    assert!(bench.take(b).is_none(), "it is taken");
}

#[test]
fn a_full_group_takes_nobody_else() {
    let mut bench = Bench::with_rules(Rules { members_max: 2, ..rules() });
    let ids = bench.stable(&[newcomer("a"), newcomer("b")]);
    let c = bench.join(newcomer("c"));
    let refused = bench.refused(c);
    assert_eq!(refused.error, ErrorCode::GROUP_MAX_SIZE_REACHED);
    assert!(refused.member_id.as_str().is_empty());
    let a = bench.join(member(&ids[0], "a"));
    assert!(bench.take(a).is_none(), "a member may always rejoin");
}

#[test]
fn an_overfull_join_phase_drops_the_last_to_rejoin() {
    let mut bench = Bench::with_rules(Rules { members_max: 2, ..rules() });
    let ids = bench.stable(&[newcomer("a"), newcomer("b")]);
    let a = bench.join(member(&ids[0], "a"));
    let c = bench.join(newcomer("c"));
    let b = bench.join(member(&ids[1], "b"));
    assert_eq!(bench.refused(b).error, ErrorCode::GROUP_MAX_SIZE_REACHED);
    assert_eq!(bench.joined(a).members.len(), 2);
    assert_eq!(bench.joined(c).generation, GenerationId(2));
}

#[test]
fn a_pending_member_holds_the_join_phase_up_until_its_session_ends() {
    let mut bench = Bench::new();
    let ids = bench.stable(&[newcomer("a")]);
    let pending = bench.join(Join { member_id_required: true, ..newcomer("b") });
    assert_eq!(bench.refused(pending).error, ErrorCode::MEMBER_ID_REQUIRED);
    let a = bench.join(member(&ids[0], "a"));
    assert!(bench.take(a).is_none(), "b was promised a place");
    bench.pass(10_000);
    assert_eq!(bench.joined(a).members.len(), 1);
}
