//! Members through the handlers: join, sync, heartbeat, leave, describe, list.

use protocol::messages::{
    k10_find_coordinator::*, k12_heartbeat::*, k13_leave_group::*, k15_describe_groups::*, k16_list_groups::*,
};

use super::*;

async fn heartbeat(groups: &Groups, group: &str, joined: &JoinGroupResponse) -> ErrorCode {
    let request = HeartbeatRequest {
        group_id: group.into(),
        generation_id: joined.generation_id,
        member_id: joined.member_id.clone(),
        group_instance_id: None,
    };
    api::k12_heartbeat::handle(groups, &cx(4), request).await.error_code
}

async fn describe(groups: &Groups, version: i16, group: &str) -> DescribeGroupsResponseGroup {
    let request = DescribeGroupsRequest { groups: vec![group.into()], ..Default::default() };
    api::k15_describe_groups::handle(groups, &cx(version), request).await.groups.pop().unwrap()
}

async fn list(groups: &Groups, states: &[&str], types: &[&str]) -> Vec<String> {
    let request = ListGroupsRequest {
        states_filter: states.iter().map(|state| (*state).into()).collect(),
        types_filter: types.iter().map(|kind| (*kind).into()).collect(),
    };
    let answer = api::k16_list_groups::handle(groups, &cx(5), request).await;
    assert_eq!(answer.error_code, ErrorCode::NONE);
    let mut ids: Vec<String> = answer.groups.into_iter().map(|group| group.group_id.to_string()).collect();
    ids.sort();
    ids
}

#[tokio::test(start_paused = true)]
async fn two_members_share_a_group() {
    let groups = groups_over(&MemoryTopic::new(3));
    let (a, b) = tokio::join!(join(&groups, "g"), join(&groups, "g"));
    assert_eq!((a.generation_id, b.generation_id), (1, 1));
    assert_eq!(a.leader, b.leader);
    assert_eq!(a.members.len() + b.members.len(), 2, "one of them leads");
    let (sa, sb) = tokio::join!(sync(&groups, "g", &a, "x"), sync(&groups, "g", &b, "x"));
    assert_eq!((&sa.assignment[..], &sb.assignment[..]), (&b"x"[..], &b"x"[..]));
    assert_eq!(heartbeat(&groups, "g", &a).await, ErrorCode::NONE);

    let leaving = LeaveGroupRequest {
        group_id: "g".into(),
        members: vec![LeaveGroupRequestMemberIdentity {
            member_id: a.member_id.clone(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let left = api::k13_leave_group::handle(&groups, &cx(4), leaving).await;
    assert_eq!(left.members[0].error_code, ErrorCode::NONE);
    assert_eq!(heartbeat(&groups, "g", &b).await, ErrorCode::REBALANCE_IN_PROGRESS);
    assert_eq!(heartbeat(&groups, "g", &a).await, ErrorCode::UNKNOWN_MEMBER_ID);
}

#[tokio::test(start_paused = true)]
async fn silence_ends_a_membership() {
    let groups = groups_over(&MemoryTopic::new(3));
    let joined = stable(&groups, "g").await;
    pass(Duration::from_millis(9_900)).await;
    assert_eq!(heartbeat(&groups, "g", &joined).await, ErrorCode::NONE);
    pass(Duration::from_millis(10_100)).await;
    assert_eq!(heartbeat(&groups, "g", &joined).await, ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(describe(&groups, 6, "g").await.group_state, "Empty");
}

#[tokio::test(start_paused = true)]
async fn old_clients_join_and_leave_in_their_own_way() {
    let groups = groups_over(&MemoryTopic::new(3));
    let joined = api::k11_join_group::handle(&groups, &cx(0), join_request("g", "")).await;
    assert_eq!((joined.error_code, joined.generation_id), (ErrorCode::NONE, 1));
    let request =
        LeaveGroupRequest { group_id: "g".into(), member_id: joined.member_id.clone(), ..Default::default() };
    let left = api::k13_leave_group::handle(&groups, &cx(2), request.clone()).await;
    assert_eq!((left.error_code, left.members.len()), (ErrorCode::NONE, 0));
    let again = api::k13_leave_group::handle(&groups, &cx(2), request).await;
    assert_eq!(again.error_code, ErrorCode::UNKNOWN_MEMBER_ID);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_can_be_written_in_every_version() {
    use protocol::codec::{Api, Encoder};
    let groups = groups_over(&MemoryTopic::new(1));
    for version in JoinGroupResponse::VERSIONS {
        let answer = api::k11_join_group::handle(&groups, &cx(version), join_request("", "")).await;
        assert_eq!(answer.error_code, ErrorCode::INVALID_GROUP_ID);
        answer.write(&mut Encoder::new(), version).unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn session_timeouts_have_bounds() {
    let groups = groups_over(&MemoryTopic::new(1));
    for session_timeout_ms in [5_999, 1_800_001, -1] {
        let request = JoinGroupRequest { session_timeout_ms, ..join_request("g", "") };
        let answer = api::k11_join_group::handle(&groups, &cx(5), request).await;
        assert_eq!(answer.error_code, ErrorCode::INVALID_SESSION_TIMEOUT);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stable_group_is_described_in_full() {
    let groups = groups_over(&MemoryTopic::new(3));
    let joined = stable(&groups, "g").await;
    let described = describe(&groups, 5, "g").await;
    assert_eq!((&*described.group_state, &*described.protocol_type), ("Stable", "consumer"));
    assert_eq!(&*described.protocol_data, "range");
    assert_eq!(described.authorized_operations, i32::MIN);
    let member = &described.members[0];
    assert_eq!((&member.member_id, &*member.client_id), (&joined.member_id, "app"));
    assert_eq!(&*member.client_host, "/10.0.0.9");
    assert_eq!(&member.member_assignment[..], b"all");
    assert_eq!(member.member_metadata, join_request("g", "").protocols[0].metadata);

    let request = DescribeGroupsRequest { groups: vec!["g".into()], include_authorized_operations: true };
    let answer = api::k15_describe_groups::handle(&groups, &cx(5), request).await;
    assert_eq!(answer.groups[0].authorized_operations, 328);
}

#[tokio::test(start_paused = true)]
async fn a_group_that_does_not_exist_is_dead_or_not_found() {
    let groups = groups_over(&MemoryTopic::new(3));
    let old = describe(&groups, 5, "none").await;
    assert_eq!((old.error_code, &*old.group_state), (ErrorCode::NONE, "Dead"));
    let new = describe(&groups, 6, "none").await;
    assert_eq!((new.error_code, &*new.group_state), (ErrorCode::GROUP_ID_NOT_FOUND, "Dead"));
    assert!(new.error_message.is_some());
    assert!(list(&groups, &[], &[]).await.is_empty(), "asking makes no group");
}

#[tokio::test(start_paused = true)]
async fn lists_are_filtered_by_state_and_type() {
    let groups = groups_over(&MemoryTopic::new(3));
    stable(&groups, "busy").await;
    commit(&groups, 8, commit_request("idle", &[("t", 0, 1)])).await;
    assert_eq!(list(&groups, &[], &[]).await, ["busy", "idle"]);
    assert_eq!(list(&groups, &["stable"], &[]).await, ["busy"]);
    assert_eq!(list(&groups, &["Empty", "Dead"], &["Classic"]).await, ["idle"]);
    assert!(list(&groups, &[], &["consumer"]).await.is_empty());
    assert!(list(&groups, &["asleep"], &[]).await.is_empty());
}

#[test]
fn the_coordinator_of_every_group_is_here() {
    let here = crate::metadata::BrokerEndpoint {
        id: protocol::BrokerId(1001),
        host: "broker".into(),
        port: 9_092,
        rack: None,
    };
    let find = |version, request| api::k10_find_coordinator::handle(&here, &cx(version), request);
    let one = find(1, FindCoordinatorRequest { key: "g".into(), ..Default::default() });
    assert_eq!((one.error_code, one.node_id, &*one.host, one.port), (ErrorCode::NONE, 1001, "broker", 9_092));

    let keys = vec!["g".into(), "".into()];
    let many = find(4, FindCoordinatorRequest { coordinator_keys: keys.clone(), ..Default::default() });
    let codes: Vec<_> = many.coordinators.iter().map(|found| found.error_code).collect();
    assert_eq!(codes, [ErrorCode::NONE, ErrorCode::INVALID_GROUP_ID]);

    let request = FindCoordinatorRequest { key_type: 1, coordinator_keys: keys, ..Default::default() };
    let transactions = find(4, request);
    assert!(transactions.coordinators.iter().all(|found| found.error_code == ErrorCode::INVALID_REQUEST));
    assert!(transactions.coordinators[0].error_message.as_ref().unwrap().contains("transactions"));
    let old = find(2, FindCoordinatorRequest { key: "x".into(), key_type: 1, ..Default::default() });
    assert_eq!((old.error_code, old.node_id), (ErrorCode::INVALID_REQUEST, -1));
}
