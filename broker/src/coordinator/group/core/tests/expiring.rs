//! Retention of offsets (KIP-211). The rules of these tests keep them for 1000 s.

use super::*;

fn expire(bench: &mut Bench) -> usize {
    let ticket = bench.ask(Request::Expire);
    bench.store();
    match bench.take(ticket) {
        Some(Answer::Swept(count)) => count,
        other => panic!("no answer: {other:?}"),
    }
}

#[test]
fn offsets_of_a_simple_consumer_expire_one_by_one_from_their_commit() {
    let mut bench = Bench::new();
    bench.commit(simple(), &[("t", 0, 1)]);
    bench.store();
    bench.pass(600_000);
    bench.commit(simple(), &[("t", 1, 1)]);
    bench.store();
    bench.pass(399_999);
    assert_eq!(expire(&mut bench), 0);
    bench.pass(1);
    assert_eq!(expire(&mut bench), 1);
    assert_eq!((bench.offset("t", 0), bench.offset("t", 1)), (None, Some(1)));
    bench.pass(600_000);
    assert_eq!(expire(&mut bench), 1);
    assert!(bench.group.is_blank(), "nothing is left of the group");
}

#[test]
fn offsets_of_an_empty_group_expire_together_from_when_it_became_empty() {
    let mut bench = Bench::new();
    let long = Join { session_timeout_ms: 1_500_000, ..newcomer("a") };
    let ids = bench.stable(&[long]);
    bench.commit(client(who(&ids[0]), 1), &[("t", 0, 1), ("t", 1, 1)]);
    bench.store();
    bench.pass(900_000);
    bench.leave(vec![who(&ids[0])]);
    bench.store();
    bench.pass(999_999);
    assert_eq!(expire(&mut bench), 0, "old commits, but the group was in use until then");
    bench.pass(1);
    assert_eq!(expire(&mut bench), 2);
    assert!(bench.group.is_blank());
}

#[test]
fn a_group_in_use_keeps_what_its_members_read() {
    let mut bench = Bench::new();
    let mut join = Join { session_timeout_ms: 1_800_000, ..newcomer("a") };
    join.protocols = vec![Protocol { name: "range".into(), metadata: subscription(&["read"]) }];
    let ids = bench.stable(&[join]);
    bench.commit(client(who(&ids[0]), 1), &[("read", 0, 1), ("left", 0, 2)]);
    bench.store();
    bench.pass(1_000_000);
    assert_eq!(expire(&mut bench), 1);
    assert_eq!((bench.offset("read", 0), bench.offset("left", 0)), (Some(1), None));
    assert_eq!(bench.group.state(), GroupState::Stable);
}

#[test]
fn other_kinds_of_groups_in_use_keep_everything() {
    let mut bench = Bench::new();
    let connect = Join { protocol_type: "connect".into(), session_timeout_ms: 1_800_000, ..newcomer("a") };
    let ids = bench.stable(&[connect]);
    bench.commit(client(who(&ids[0]), 1), &[("t", 0, 1)]);
    bench.store();
    bench.pass(1_500_000);
    assert_eq!(expire(&mut bench), 0);
}

#[test]
fn a_retention_of_the_clients_own_counts_instead() {
    let mut bench = Bench::new();
    let offsets = vec![OffsetToCommit {
        topic: TopicName::from("t"),
        partition: PartitionId(0),
        offset: Offset(1),
        leader_epoch: LeaderEpoch(3),
        metadata: Default::default(),
    }];
    bench.ask(Request::Commit(Commit { author: simple(), retention_ms: 5_000, offsets }));
    bench.store();
    assert_eq!(bench.offsets()["t"][&PartitionId(0)].leader_epoch, LeaderEpoch::NONE);
    bench.pass(4_999);
    assert_eq!(expire(&mut bench), 0);
    bench.pass(1);
    assert_eq!(expire(&mut bench), 1);
}

#[test]
fn an_empty_group_without_offsets_goes_at_the_next_pass() {
    let mut bench = Bench::new();
    let ids = bench.stable(&[newcomer("a")]);
    bench.leave(vec![who(&ids[0])]);
    bench.store();
    assert!(!bench.group.is_blank());
    let before = bench.stored.len();
    assert_eq!(expire(&mut bench), 0);
    assert!(bench.group.is_blank());
    assert_eq!(bench.stored.len(), before + 1, "its tombstone");
}

#[test]
fn a_pass_waits_for_writes_and_for_promised_places() {
    let mut bench = Bench::new();
    bench.join(Join { member_id_required: true, session_timeout_ms: 50_000, ..newcomer("a") });
    assert_eq!(expire(&mut bench), 0);
    assert!(!bench.group.is_blank(), "somebody was promised a place");

    let mut bench = Bench::new();
    bench.commit(simple(), &[("t", 0, 1)]);
    bench.store();
    bench.pass(2_000_000);
    bench.commit(simple(), &[("t", 0, 2)]);
    let ticket = bench.ask(Request::Expire);
    assert!(matches!(bench.take(ticket), Some(Answer::Swept(0))));
    bench.store();
    assert_eq!(bench.offset("t", 0), Some(2));
}
