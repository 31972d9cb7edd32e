//! What comes back from the log.

use super::*;
use crate::coordinator::group::records::{self, GroupMetadata, Record, StoredMember};

/// The last metadata that the group stored, as it would be read back.
fn stored_metadata(bench: &Bench) -> GroupMetadata {
    let read = |record: &KeyValue| match records::read(record).unwrap() {
        Record::Group { value, .. } => value,
        _ => None,
    };
    bench.stored.iter().rev().find_map(read).unwrap()
}

fn reload(metadata: GroupMetadata, rules: Rules) -> Bench {
    let loaded = LoadedGroup { metadata: Some(metadata), offsets: OffsetsByTopic::new() };
    let now = Now { monotonic: Duration::ZERO, wall_ms: 0 };
    let mut wishes = Vec::new();
    let group = Group::loaded(GroupId::from("g"), Arc::new(rules), loaded, now, &mut wishes);
    assert!(wishes.is_empty());
    group.assert_invariants();
    Bench::of(group)
}

#[test]
fn a_stable_group_goes_on_where_it_was() {
    let mut bench = Bench::new();
    let ids = bench.stable(&[static_newcomer("s"), newcomer("b")]);
    let described = bench.describe();
    let mut again = reload(stored_metadata(&bench), rules());
    assert_eq!(again.describe(), described);
    assert_eq!(again.heartbeat_as(static_who(&ids[0], "s"), GenerationId(1)), ErrorCode::NONE);
    let sync = again.sync(&ids[1], GenerationId(1), &[]);
    assert_eq!(again.synced(sync), ids[1].as_str());
    let follower = again.join(member(&ids[1], "b"));
    assert_eq!(again.joined(follower).leader, ids[0], "unchanged metadata: no rebalance");
}

#[test]
fn sessions_start_anew() {
    let mut bench = Bench::new();
    let ids = bench.stable(&[newcomer("a")]);
    let mut again = reload(stored_metadata(&bench), rules());
    again.pass(9_999);
    assert_eq!(again.heartbeat(&ids[0], GenerationId(1)), ErrorCode::NONE);
    again.pass(10_000);
    assert_eq!(again.group.state(), GroupState::Empty);
}

#[test]
fn an_empty_group_remembers_its_generation_and_since_when_it_is_empty() {
    let mut bench = Bench::new();
    let ids = bench.stable(&[newcomer("a")]);
    bench.leave(vec![who(&ids[0])]);
    bench.store();
    let metadata = stored_metadata(&bench);
    assert_eq!(metadata.state_since_ms, Some(bench.now().wall_ms));
    let mut again = reload(metadata, rules());
    assert_eq!(again.group.state(), GroupState::Empty);
    again.stable(&[newcomer("b")]);
    assert_eq!(again.group.generation(), GenerationId(3));
}

#[test]
fn a_group_that_grew_too_large_rebalances() {
    let mut bench = Bench::new();
    let ids = bench.stable(&[newcomer("a"), newcomer("b")]);
    let again = reload(stored_metadata(&bench), Rules { members_max: 1, ..rules() });
    assert_eq!(again.group.state(), GroupState::PreparingRebalance);
    assert_eq!(again.group.member_count(), ids.len());
}

fn stored_member(id: &str, instance: Option<&str>) -> StoredMember {
    StoredMember {
        member_id: MemberId::from(id),
        instance_id: instance.map(Into::into),
        client_id: "c".into(),
        client_host: "/h".into(),
        rebalance_timeout_ms: -1,
        session_timeout_ms: 10_000,
        subscription: Bytes::new(),
        assignment: Bytes::new(),
    }
}

fn metadata(members: Vec<StoredMember>) -> GroupMetadata {
    GroupMetadata {
        protocol_type: "consumer".into(),
        generation: GenerationId(4),
        protocol: Some("range".into()),
        leader: Some(MemberId::from("gone")),
        state_since_ms: None,
        members,
    }
}

#[test]
fn a_leader_that_is_no_member_is_replaced() {
    let mut bench = reload(metadata(vec![stored_member("a", None)]), rules());
    let ticket = bench.join(member(&MemberId::from("a"), "changed"));
    assert_eq!(bench.joined(ticket).leader, MemberId::from("a"));
}

#[test]
fn doubled_members_and_instances_come_back_once() {
    let members = vec![
        stored_member("a", Some("s")),
        stored_member("b", Some("s")),
        stored_member("c", None),
        stored_member("c", None),
    ];
    let bench = reload(metadata(members), rules());
    assert_eq!(bench.group.member_count(), 2);
}

#[test]
fn members_of_a_generation_without_a_protocol_have_to_join_again() {
    let broken = GroupMetadata { protocol: None, ..metadata(vec![stored_member("a", None)]) };
    let mut bench = reload(broken, rules());
    assert_eq!(bench.group.state(), GroupState::Empty);
    assert_eq!(bench.heartbeat(&MemberId::from("a"), GenerationId(4)), ErrorCode::UNKNOWN_MEMBER_ID);
}

#[test]
fn an_old_record_without_a_rebalance_timeout_uses_the_sessions() {
    let mut bench = reload(metadata(vec![stored_member("a", None)]), rules());
    bench.join(newcomer("b"));
    bench.heartbeat(&MemberId::from("a"), GenerationId(4));
    bench.pass(10_000);
    assert_eq!(bench.group.state(), GroupState::CompletingRebalance, "10 s, not 60");
}

#[test]
fn generations_neither_overflow_nor_turn_negative() {
    let last = GroupMetadata { generation: GenerationId(i32::MAX), ..metadata(Vec::new()) };
    let mut bench = reload(last, rules());
    bench.stable(&[newcomer("a")]);
    assert_eq!(bench.group.generation(), GenerationId(0));
    let broken = GroupMetadata { generation: GenerationId(-9), ..metadata(Vec::new()) };
    let mut bench = reload(broken, rules());
    bench.stable(&[newcomer("a")]);
    assert_eq!(bench.group.generation(), GenerationId(1));
}

#[test]
fn a_rebalance_timeout_of_nothing_does_not_spin() {
    let hasty = |member| StoredMember { rebalance_timeout_ms: 0, ..member };
    let members = vec![hasty(stored_member("a", Some("s"))), hasty(stored_member("b", Some("t")))];
    let mut bench = reload(metadata(members), rules());
    // One leaves and nobody comes back; the other is static: it keeps its place until its session ends.
    bench.leave(vec![static_who(&MemberId::from("a"), "s")]);
    bench.pass(0);
    assert_eq!(bench.group.state(), GroupState::PreparingRebalance);
    assert!(bench.group.next_deadline() > Some(Duration::ZERO));
    bench.pass(20_000);
    assert_eq!(bench.group.state(), GroupState::Empty);
}
