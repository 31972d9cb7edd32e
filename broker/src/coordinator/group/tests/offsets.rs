//! Offsets through the handlers, and commit events.

use protocol::messages::{k42_delete_groups::*, k47_offset_delete::*};

use super::*;

#[tokio::test(start_paused = true)]
async fn offsets_come_back_as_they_were_committed() {
    let groups = groups_over(&MemoryTopic::new(3));
    let codes = commit(&groups, 8, commit_request("g", &[("t", 0, 5), ("t", 2, 6), ("u", 1, 7)])).await;
    assert_eq!(codes, [(0, ErrorCode::NONE), (2, ErrorCode::NONE), (1, ErrorCode::NONE)]);
    let request = OffsetFetchRequest {
        group_id: "g".into(),
        topics: Some(vec![OffsetFetchRequestTopic { name: "t".into(), partition_indexes: vec![0, 1] }]),
        require_stable: true,
        ..Default::default()
    };
    let answer = api::k09_offset_fetch::handle(&groups, &Topics, &cx(7), request).await;
    let told = &answer.topics[0].partitions;
    assert_eq!((told[0].committed_offset, told[0].committed_leader_epoch), (5, 4));
    assert_eq!(told[0].metadata.as_deref(), Some("note"));
    assert_eq!((told[1].committed_offset, told[1].error_code), (-1, ErrorCode::NONE));
    assert_eq!(told[1].metadata.as_deref(), Some(""));
}

#[tokio::test(start_paused = true)]
async fn null_metadata_is_kept_as_empty() {
    let groups = groups_over(&MemoryTopic::new(3));
    let mut request = commit_request("g", &[("t", 0, 5)]);
    request.topics[0].partitions[0].committed_metadata = None;
    commit(&groups, 8, request).await;
    let offsets = groups.committed_offsets(&"g".into()).await.unwrap();
    assert_eq!(&*offsets["t"][&PartitionId(0)].metadata, "");
}

#[tokio::test(start_paused = true)]
async fn null_topics_ask_for_everything() {
    let groups = groups_over(&MemoryTopic::new(3));
    commit(&groups, 8, commit_request("g", &[("t", 0, 5), ("u", 1, 7)])).await;
    assert_eq!(fetch_all(&groups, "g").await, [("t".into(), 0, 5), ("u".into(), 1, 7)]);
    assert!(fetch_all(&groups, "none").await.is_empty());
    let request = OffsetFetchRequest { group_id: "g".into(), topics: None, ..Default::default() };
    let old = api::k09_offset_fetch::handle(&groups, &Topics, &cx(2), request).await;
    assert_eq!(old.topics.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_exist_is_refused_alone() {
    let groups = groups_over(&MemoryTopic::new(3));
    let request = commit_request("g", &[("nope", 0, 1), ("t", 0, 5), ("t", 3, 1), ("t", -1, 1)]);
    let codes = commit(&groups, 8, request).await;
    let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
    assert_eq!(codes, [(0, unknown), (0, ErrorCode::NONE), (3, unknown), (-1, unknown)]);
    let nothing = commit(&groups, 8, commit_request("h", &[("nope", 0, 1)])).await;
    assert_eq!(nothing, [(0, unknown)]);
    assert!(groups.describe(&"h".into()).await.unwrap().is_none(), "no group for nothing");
}

#[tokio::test(start_paused = true)]
async fn topics_go_by_id_from_version_10() {
    let groups = groups_over(&MemoryTopic::new(3));
    let mut request = commit_request("g", &[("t", 0, 5), ("x", 0, 1)]);
    request.topics.iter_mut().for_each(|topic| topic.name = Default::default());
    let codes = commit(&groups, 10, request).await;
    assert_eq!(codes, [(0, ErrorCode::NONE), (0, ErrorCode::UNKNOWN_TOPIC_ID)]);

    let topic = |name| OffsetFetchRequestGroupTopic {
        topic_id: topic_id(name),
        partition_indexes: vec![0],
        ..Default::default()
    };
    let group = |topics| OffsetFetchRequestGroup { group_id: "g".into(), topics, ..Default::default() };
    let request = OffsetFetchRequest {
        groups: vec![group(Some(vec![topic("t"), topic("x")])), group(None)],
        ..Default::default()
    };
    let answer = api::k09_offset_fetch::handle(&groups, &Topics, &cx(10), request).await;
    let asked = &answer.groups[0].topics;
    assert_eq!((asked[0].topic_id, asked[0].partitions[0].committed_offset), (topic_id("t"), 5));
    assert_eq!(asked[1].partitions[0].error_code, ErrorCode::UNKNOWN_TOPIC_ID);
    assert_eq!(answer.groups[1].topics.len(), 1);
    assert_eq!(answer.groups[1].topics[0].topic_id, topic_id("t"));
}

#[tokio::test(start_paused = true)]
async fn a_missing_group_is_named_as_the_version_names_it() {
    let groups = groups_over(&MemoryTopic::new(3));
    let request = OffsetCommitRequest {
        generation_id_or_member_epoch: 3,
        member_id: "m".into(),
        ..commit_request("g", &[("t", 0, 5)])
    };
    let old = commit(&groups, 8, request.clone()).await;
    assert_eq!(old, [(0, ErrorCode::ILLEGAL_GENERATION)]);
    assert_eq!(commit(&groups, 9, request).await, [(0, ErrorCode::GROUP_ID_NOT_FOUND)]);
}

#[tokio::test(start_paused = true)]
async fn the_empty_group_may_keep_offsets_but_have_no_members() {
    let groups = groups_over(&MemoryTopic::new(3));
    assert_eq!(commit(&groups, 2, commit_request("", &[("t", 0, 5)])).await, [(0, ErrorCode::NONE)]);
    assert_eq!(fetch_all(&groups, "").await, [("t".into(), 0, 5)]);
    let long = "x".repeat(40_000);
    assert_eq!(
        commit(&groups, 8, commit_request(&long, &[("t", 0, 5)])).await,
        [(0, ErrorCode::INVALID_GROUP_ID)]
    );
}

#[tokio::test(start_paused = true)]
async fn every_durable_commit_is_announced_in_order() {
    let groups = groups_over(&MemoryTopic::new(3));
    let mut events = groups.subscribe();
    commit(&groups, 8, commit_request("g", &[("t", 0, 5), ("t", 1, 6)])).await;
    commit(&groups, 8, commit_request("g", &[("t", 0, 7)])).await;
    let mut heard = Vec::new();
    for _ in 0..3 {
        let GroupEvent::Committed(event) = events.recv().await.unwrap() else { panic!("a commit") };
        assert_eq!((event.group.as_str(), event.topic.as_str(), &*event.metadata), ("g", "t", "note"));
        heard.push((event.partition.0, event.offset.0));
    }
    assert_eq!(heard, [(0, 5), (1, 6), (0, 7)]);
    assert!(events.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_mirror_reads_all_groups_and_writes_to_those_that_are_not_active() {
    let groups = groups_over(&MemoryTopic::new(3));
    let offset = |offset| OffsetToCommit {
        topic: "t".into(),
        partition: PartitionId(0),
        offset: Offset(offset),
        leader_epoch: protocol::LeaderEpoch(2),
        metadata: "".into(),
    };
    groups.commit_from_outside(&"g".into(), vec![offset(9)]).await.unwrap();
    assert!(!groups.is_active(&"g".into()).await.unwrap());
    assert_eq!(fetch_all(&groups, "g").await, [("t".into(), 0, 9)]);
    commit(&groups, 8, commit_request("h", &[("u", 0, 1)])).await;
    let mut all = groups.all_committed_offsets().await.unwrap();
    all.sort_by(|(a, _), (b, _)| a.cmp(b));
    let names: Vec<_> = all.iter().map(|(id, offsets)| (id.as_str(), offsets.len())).collect();
    assert_eq!(names, [("g", 1), ("h", 1)]);

    stable(&groups, "g").await;
    assert!(groups.is_active(&"g".into()).await.unwrap());
    let refused = groups.commit_from_outside(&"g".into(), vec![offset(3)]).await;
    assert_eq!(refused, Err(ErrorCode::NON_EMPTY_GROUP));
    assert_eq!(fetch_all(&groups, "g").await, [("t".into(), 0, 9)]);
}

#[tokio::test(start_paused = true)]
async fn groups_and_offsets_are_deleted_for_good() {
    let topic = MemoryTopic::new(3);
    let groups = groups_over(&topic);
    for group in ["g", "h"] {
        commit(&groups, 8, commit_request(group, &[("t", 0, 5), ("u", 1, 7)])).await;
    }
    stable(&groups, "busy").await;
    let request = DeleteGroupsRequest { groups_names: vec!["g".into(), "busy".into(), "none".into()] };
    let deleted = api::k42_delete_groups::handle(&groups, &cx(2), request).await;
    let codes: Vec<_> = deleted.results.iter().map(|result| result.error_code).collect();
    assert_eq!(codes, [ErrorCode::NONE, ErrorCode::NON_EMPTY_GROUP, ErrorCode::GROUP_ID_NOT_FOUND]);

    let partition = |partition_index| OffsetDeleteRequestPartition { partition_index };
    let request = OffsetDeleteRequest {
        group_id: "h".into(),
        topics: vec![
            OffsetDeleteRequestTopic { name: "t".into(), partitions: vec![partition(9), partition(0)] },
            OffsetDeleteRequestTopic { name: "nope".into(), partitions: vec![partition(0)] },
        ],
    };
    let answer = api::k47_offset_delete::handle(&groups, &Topics, &cx(0), request).await;
    let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
    let codes = answer.topics.iter().flat_map(|topic| &topic.partitions).map(|at| at.error_code);
    assert_eq!(codes.collect::<Vec<_>>(), [unknown, ErrorCode::NONE, unknown]);

    let again = groups_over(&topic);
    for groups in [groups, again] {
        assert!(fetch_all(&groups, "g").await.is_empty());
        assert!(groups.describe(&"g".into()).await.unwrap().is_none());
        assert_eq!(fetch_all(&groups, "h").await, [("u".into(), 1, 7)]);
    }
}

#[tokio::test(start_paused = true)]
async fn topics_that_are_gone_and_old_offsets_are_swept() {
    let topic = MemoryTopic::new(3);
    let groups = groups_over(&topic);
    commit(&groups, 8, commit_request("g", &[("t", 0, 5), ("u", 1, 7)])).await;
    assert_eq!(groups.forget_topic(&"t".into()).await, Ok(1));
    assert_eq!(groups.expire().await, 0);
    pass(Duration::from_secs(7 * 24 * 3_600)).await;
    assert_eq!(groups.expire().await, 1);
    assert!(groups_over(&topic).list().await.unwrap().is_empty());
}
