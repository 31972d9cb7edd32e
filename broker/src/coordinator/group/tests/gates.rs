//! Groups whose home is elsewhere, or is about to be.

use std::collections::VecDeque;

use protocol::messages::{k12_heartbeat::*, k13_leave_group::*, k42_delete_groups::*, k47_offset_delete::*};

use super::*;
use crate::gate::{GroupGate, TopicGate};

/// Shut for every group but `open`, once it is told.
#[derive(Default)]
struct Shutter(AtomicBool);

impl Shutter {
    fn shut(&self, shut: bool) {
        self.0.store(shut, Ordering::SeqCst);
    }
}

impl Gate for Shutter {
    fn topic(&self, _: &str) -> TopicGate {
        TopicGate::Open
    }

    fn group(&self, id: &str) -> GroupGate {
        if id != "open" && self.0.load(Ordering::SeqCst) { GroupGate::Fenced } else { GroupGate::Open }
    }
}

/// Answers in this order, and shut from then on.
struct Script(Mutex<VecDeque<GroupGate>>);

impl Gate for Script {
    fn topic(&self, _: &str) -> TopicGate {
        TopicGate::Open
    }

    fn group(&self, _: &str) -> GroupGate {
        self.0.lock().pop_front().unwrap_or(GroupGate::Fenced)
    }
}

fn from_outside(offset: i64) -> Vec<OffsetToCommit> {
    vec![OffsetToCommit {
        topic: "t".into(),
        partition: PartitionId(0),
        offset: Offset(offset),
        leader_epoch: protocol::LeaderEpoch(11),
        metadata: "of its home".into(),
    }]
}

#[tokio::test(start_paused = true)]
async fn members_of_a_fenced_group_look_for_their_coordinator_and_readers_go_on() {
    let gate = Arc::new(Shutter::default());
    let groups = gated_groups(&MemoryTopic::new(3), gate.clone());
    let joined = stable(&groups, "g").await;
    let committing = || OffsetCommitRequest {
        generation_id_or_member_epoch: joined.generation_id,
        member_id: joined.member_id.clone(),
        ..commit_request("g", &[("t", 0, 5)])
    };
    assert_eq!(commit(&groups, 8, committing()).await, [(0, ErrorCode::NONE)]);
    gate.shut(true);
    let refused = ErrorCode::NOT_COORDINATOR;

    let again = api::k11_join_group::handle(&groups, &cx(9), join_request("g", &joined.member_id)).await;
    assert_eq!((again.error_code, &again.member_id), (refused, &joined.member_id));
    let fresh = api::k11_join_group::handle(&groups, &cx(9), join_request("unheard of", "")).await;
    assert_eq!(fresh.error_code, refused);
    assert_eq!(sync(&groups, "g", &joined, "x").await.error_code, refused);
    let heartbeat = HeartbeatRequest {
        group_id: "g".into(),
        generation_id: joined.generation_id,
        member_id: joined.member_id.clone(),
        ..Default::default()
    };
    assert_eq!(api::k12_heartbeat::handle(&groups, &cx(4), heartbeat.clone()).await.error_code, refused);
    let member =
        LeaveGroupRequestMemberIdentity { member_id: joined.member_id.clone(), ..Default::default() };
    let leave = LeaveGroupRequest { group_id: "g".into(), members: vec![member], ..Default::default() };
    assert_eq!(api::k13_leave_group::handle(&groups, &cx(5), leave).await.error_code, refused);
    assert_eq!(commit(&groups, 8, committing()).await, [(0, refused)]);
    assert_eq!(commit(&groups, 8, commit_request("unheard of", &[("t", 0, 5)])).await, [(0, refused)]);
    let delete = DeleteGroupsRequest { groups_names: vec!["g".into()] };
    assert_eq!(api::k42_delete_groups::handle(&groups, &cx(2), delete).await.results[0].error_code, refused);
    let topic = OffsetDeleteRequestTopic {
        name: "t".into(),
        partitions: vec![OffsetDeleteRequestPartition { partition_index: 0 }],
    };
    let delete = OffsetDeleteRequest { group_id: "g".into(), topics: vec![topic] };
    assert_eq!(api::k47_offset_delete::handle(&groups, &Topics, &cx(0), delete).await.error_code, refused);

    assert_eq!(fetch_all(&groups, "g").await, [("t".into(), 0, 5)]);
    assert!(groups.is_active(&"g".into()).await.unwrap());
    assert_eq!(commit(&groups, 8, commit_request("open", &[("t", 0, 1)])).await, [(0, ErrorCode::NONE)]);
    gate.shut(false);
    assert_eq!(api::k12_heartbeat::handle(&groups, &cx(4), heartbeat).await.error_code, ErrorCode::NONE);
}

#[tokio::test(start_paused = true)]
async fn a_fenced_group_is_set_from_outside_with_epoch_and_metadata() {
    let gate = Arc::new(Shutter::default());
    let groups = gated_groups(&MemoryTopic::new(3), gate.clone());
    gate.shut(true);
    groups.commit_from_outside(&"g".into(), from_outside(9)).await.unwrap();
    let offsets = groups.committed_offsets(&"g".into()).await.unwrap();
    let stored = &offsets["t"][&PartitionId(0)];
    assert_eq!((stored.offset.0, stored.leader_epoch.0, &*stored.metadata), (9, 11, "of its home"));
    gate.shut(false);
    stable(&groups, "g").await;
    gate.shut(true);
    let active = groups.commit_from_outside(&"g".into(), from_outside(10)).await;
    assert_eq!(active, Err(ErrorCode::NON_EMPTY_GROUP), "its members are there until their sessions end");
    pass(Duration::from_secs(11)).await;
    groups.commit_from_outside(&"g".into(), from_outside(10)).await.unwrap();
    assert_eq!(fetch_all(&groups, "g").await, [("t".into(), 0, 10)]);
}

#[tokio::test(start_paused = true)]
async fn the_gate_is_asked_when_the_group_decides_not_only_when_the_request_comes() {
    let script = Arc::new(Script(Mutex::new([GroupGate::Open].into())));
    let topic = MemoryTopic::new(1);
    let groups = gated_groups(&topic, script.clone());
    let late = commit(&groups, 8, commit_request("g", &[("t", 0, 5)])).await;
    assert_eq!(late, [(0, ErrorCode::NOT_COORDINATOR)]);
    assert_eq!(topic.logs[0].appends.load(Ordering::SeqCst), 0);
    assert!(groups.settled_offsets(&"g".into()).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn settled_offsets_hold_every_commit_that_was_let_in() {
    let gate = Arc::new(Shutter::default());
    let topic = MemoryTopic::new(1);
    let groups = gated_groups(&topic, gate.clone());
    assert!(groups.settled_offsets(&"g".into()).await.unwrap().is_empty(), "no group, no offsets");
    commit(&groups, 8, commit_request("g", &[("t", 0, 1)])).await;
    topic.logs[0].hold();
    let committing = |offset| {
        let groups = groups.clone();
        tokio::spawn(async move { commit(&groups, 8, commit_request("g", &[("t", 0, offset)])).await })
    };
    let let_in = [committing(2), committing(3)];
    pass(Duration::from_millis(1)).await;
    gate.shut(true);
    let settling = {
        let groups = groups.clone();
        tokio::spawn(async move { groups.settled_offsets(&"g".into()).await.unwrap() })
    };
    let late = committing(4);
    pass(Duration::from_millis(1)).await;
    assert!(!settling.is_finished(), "they are not on stable storage");
    topic.logs[0].let_pass(10);
    for committed in let_in {
        assert_eq!(committed.await.unwrap(), [(0, ErrorCode::NONE)]);
    }
    assert_eq!(settling.await.unwrap()["t"][&PartitionId(0)].offset.0, 3);
    assert_eq!(late.await.unwrap(), [(0, ErrorCode::NOT_COORDINATOR)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_commit_is_acknowledged_that_the_settled_offsets_do_not_hold() {
    for _ in 0..30 {
        let gate = Arc::new(Shutter::default());
        let groups = gated_groups(&MemoryTopic::new(1), gate.clone());
        let commits = (0..3).map(|partition| {
            let groups = groups.clone();
            tokio::spawn(async move {
                let mut acknowledged = 0;
                for offset in 1.. {
                    let request = commit_request("g", &[("t", partition, offset)]);
                    match commit(&groups, 8, request).await[0].1 {
                        ErrorCode::NONE => acknowledged = offset,
                        ErrorCode::NOT_COORDINATOR => break,
                        other => panic!("{other:?}"),
                    }
                }
                acknowledged
            })
        });
        let commits: Vec<_> = commits.collect();
        while groups.committed_offsets(&"g".into()).await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        gate.shut(true);
        let settled = groups.settled_offsets(&"g".into()).await.unwrap();
        for (partition, committing) in (0..).zip(commits) {
            let acknowledged = committing.await.unwrap();
            let found = settled["t"].get(&PartitionId(partition)).map_or(0, |offset| offset.offset.0);
            assert_eq!(found, acknowledged);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn offsets_of_a_fenced_group_do_not_expire() {
    let gate = Arc::new(Shutter::default());
    let groups = gated_groups(&MemoryTopic::new(1), gate.clone());
    gate.shut(true);
    groups.commit_from_outside(&"g".into(), from_outside(9)).await.unwrap();
    commit(&groups, 8, commit_request("open", &[("t", 0, 5)])).await;
    pass(Duration::from_secs(8 * 24 * 3_600)).await;
    assert_eq!(groups.expire().await, 1, "the other group's");
    assert_eq!(fetch_all(&groups, "g").await, [("t".into(), 0, 9)]);
    gate.shut(false);
    assert_eq!(groups.expire().await, 1);
}

#[tokio::test(start_paused = true)]
async fn subscribers_hear_of_removals() {
    let groups = groups_over(&MemoryTopic::new(3));
    commit(&groups, 8, commit_request("g", &[("t", 0, 5), ("u", 1, 7)])).await;
    let mut events = groups.subscribe();
    groups.forget_topic(&"u".into()).await.unwrap();
    groups.delete(&"g".into()).await.unwrap();
    let removed = |topic: &str, partition, why| {
        GroupEvent::Removed(OffsetRemoved {
            group: "g".into(),
            topic: topic.into(),
            partition: PartitionId(partition),
            why,
        })
    };
    assert_eq!(events.recv().await.unwrap(), removed("u", 1, Removal::TopicGone));
    assert_eq!(events.recv().await.unwrap(), removed("t", 0, Removal::Deleted));
    let gone = GroupEvent::GroupRemoved { group: "g".into(), why: Removal::Deleted };
    assert_eq!(events.recv().await.unwrap(), gone);
}
