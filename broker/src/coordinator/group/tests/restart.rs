//! What another process finds in the log, also in logs that nobody would write.

use protocol::messages::k12_heartbeat::*;

use super::*;
use crate::coordinator::group::{
    core::LoadedGroup,
    records::{self, GroupMetadata},
};

async fn heartbeat(groups: &Groups, joined: &JoinGroupResponse) -> ErrorCode {
    let request = HeartbeatRequest {
        group_id: "g".into(),
        generation_id: joined.generation_id,
        member_id: joined.member_id.clone(),
        group_instance_id: None,
    };
    api::k12_heartbeat::handle(groups, &cx(4), request).await.error_code
}

#[tokio::test(start_paused = true)]
async fn members_go_on_in_their_generation() {
    let topic = MemoryTopic::new(3);
    let joined = stable(&groups_over(&topic), "g").await;
    let groups = groups_over(&topic);
    assert_eq!(heartbeat(&groups, &joined).await, ErrorCode::NONE);
    let follower = JoinGroupResponse { members: Vec::new(), ..joined.clone() };
    let synced = sync(&groups, "g", &follower, "").await;
    assert_eq!(&synced.assignment[..], b"all");
    let request = OffsetCommitRequest {
        generation_id_or_member_epoch: joined.generation_id,
        member_id: joined.member_id.clone(),
        ..commit_request("g", &[("t", 0, 5)])
    };
    assert_eq!(commit(&groups, 9, request).await, [(0, ErrorCode::NONE)]);
}

#[tokio::test(start_paused = true)]
async fn sessions_run_again_once_all_is_loaded() {
    let topic = MemoryTopic::new(3);
    stable(&groups_over(&topic), "g").await;
    let groups = groups_over(&topic);
    groups.load_all().await.unwrap();
    pass(Duration::from_secs(11)).await;
    assert!(!groups.is_active(&"g".into()).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn the_last_commit_counts() {
    let topic = MemoryTopic::new(3);
    let groups = groups_over(&topic);
    for offset in [5, 9, 7] {
        commit(&groups, 8, commit_request("g", &[("t", 0, offset)])).await;
    }
    assert_eq!(fetch_all(&groups_over(&topic), "g").await, [("t".into(), 0, 7)]);
}

#[tokio::test(start_paused = true)]
async fn a_partition_is_read_once_for_all_who_wait() {
    let topic = MemoryTopic::new(1);
    commit(&groups_over(&topic), 8, commit_request("g", &[("t", 0, 5)])).await;
    let groups = groups_over(&topic);
    let before = topic.opened.load(Ordering::SeqCst);
    let (a, b, c) = tokio::join!(fetch_all(&groups, "g"), fetch_all(&groups, "g"), groups.list());
    assert_eq!((a.len(), b.len(), c.unwrap().len()), (1, 1, 1));
    assert_eq!(topic.opened.load(Ordering::SeqCst), before + 1);
}

fn committed(offset: i64) -> CommittedOffset {
    CommittedOffset {
        offset: Offset(offset),
        leader_epoch: protocol::LeaderEpoch::NONE,
        metadata: "".into(),
        commit_ms: 1,
        expire_ms: None,
    }
}

fn replay(records: Vec<KeyValue>) -> BTreeMap<protocol::GroupId, LoadedGroup> {
    crate::coordinator::group::replay::replay(&MemoryLog::new(records)).unwrap()
}

#[test]
fn records_of_all_kinds_and_in_any_order_are_survived() {
    let group = |name: &str| protocol::GroupId::from(name);
    let key = (TopicName::from("t"), PartitionId(0));
    let offset = |name, offset| records::offset(&group(name), &key, &committed(offset)).unwrap();
    let metadata = GroupMetadata {
        protocol_type: "consumer".into(),
        generation: protocol::GenerationId(3),
        protocol: None,
        leader: None,
        state_since_ms: None,
        members: Vec::new(),
    };
    let raw = |key: &'static [u8], value: Option<&'static [u8]>| KeyValue {
        key: Bytes::from_static(key),
        value: value.map(Bytes::from_static),
    };
    let groups = replay(vec![
        records::offset_tombstone(&group("a"), &key).unwrap(),
        records::group_tombstone(&group("a")).unwrap(),
        offset("a", 1),
        // A consumer group's record (KIP-848), an empty key, cut ones, a value from the future.
        raw(b"\0\x03\0\x01c", Some(b"\0\0")),
        raw(b"", None),
        raw(b"\0\x01\0\x7f", Some(b"")),
        raw(b"\0\x02\0\x01a", Some(b"\x7f\xff\0")),
        metadata.record(&group("b")).unwrap(),
        offset("b", 2),
        records::group_tombstone(&group("b")).unwrap(),
        metadata.record(&group("c")).unwrap(),
        offset("d", 4),
        records::offset_tombstone(&group("d"), &key).unwrap(),
        offset("a", 5),
    ]);
    let names: Vec<_> = groups.keys().map(|id| id.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"], "of d nothing is left");
    assert_eq!(groups["a"].offsets["t"][&PartitionId(0)].offset, Offset(5));
    assert!(groups["b"].metadata.is_none() && groups["b"].offsets.len() == 1);
    assert_eq!(groups["c"].metadata.as_ref().unwrap().generation.0, 3);
}

#[tokio::test(start_paused = true)]
async fn every_prefix_of_a_history_can_be_loaded() {
    let topic = MemoryTopic::new(1);
    let groups = groups_over(&topic);
    let joined = stable(&groups, "g").await;
    commit(&groups, 8, commit_request("simple", &[("t", 0, 1), ("u", 0, 2)])).await;
    let request = OffsetCommitRequest {
        generation_id_or_member_epoch: joined.generation_id,
        member_id: joined.member_id.clone(),
        ..commit_request("g", &[("t", 0, 5)])
    };
    commit(&groups, 8, request).await;
    pass(Duration::from_secs(11)).await;
    groups.delete(&"simple".into()).await.unwrap();
    groups.delete(&"g".into()).await.unwrap();
    let history = topic.logs[0].records.lock().clone();
    assert!(history.len() >= 9, "{}", history.len());
    for length in 0..=history.len() {
        let topic = MemoryTopic::new(1);
        topic.logs[0].records.lock().extend_from_slice(&history[..length]);
        let groups = groups_over(&topic);
        for listed in groups.list().await.unwrap() {
            let offsets = groups.committed_offsets(&listed.id).await.unwrap();
            let members = listed.description.members.len();
            assert!(members > 0 || !offsets.is_empty() || listed.description.generation.0 > 0);
        }
        // Whatever the prefix: the group can be used.
        let mut request = join_request("g", "");
        request.protocols[0].metadata = Bytes::from_static(b"new");
        let joined = api::k11_join_group::handle(&groups, &cx(3), request).await;
        assert_eq!(joined.error_code, ErrorCode::NONE, "after {length} records");
    }
}
