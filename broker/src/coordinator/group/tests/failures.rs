//! Disks that fail, logs that cannot be read, writes that take long.

use super::*;

#[tokio::test(start_paused = true)]
async fn an_offset_is_neither_answered_nor_shown_before_it_is_stored() {
    let topic = MemoryTopic::new(1);
    let groups = groups_over(&topic);
    commit(&groups, 8, commit_request("g", &[("t", 0, 1)])).await;
    topic.logs[0].hold();
    let mut waiting = Box::pin(commit(&groups, 8, commit_request("g", &[("t", 0, 2)])));
    assert!(futures_poll(&mut waiting).await.is_none());
    assert_eq!(fetch_all(&groups, "g").await, [("t".into(), 0, 1)]);
    topic.logs[0].let_pass(1);
    assert_eq!(waiting.await, [(0, ErrorCode::NONE)]);
    assert_eq!(fetch_all(&groups, "g").await, [("t".into(), 0, 2)]);
}

#[tokio::test(start_paused = true)]
async fn commits_that_wait_together_are_appended_together() {
    let topic = MemoryTopic::new(1);
    let groups = groups_over(&topic);
    commit(&groups, 8, commit_request("g", &[("t", 0, 1)])).await;
    topic.logs[0].hold();
    let before = topic.logs[0].appends.load(Ordering::SeqCst);
    let all = (0..20).map(|offset| {
        let groups = groups.clone();
        tokio::spawn(async move { commit(&groups, 8, commit_request("g", &[("t", 0, offset)])).await })
    });
    let all: Vec<_> = all.collect();
    // Each group's requests are taken in order: when this is answered, all twenty have been taken.
    groups.describe(&"g".into()).await.unwrap();
    tokio::task::yield_now().await;
    groups.describe(&"g".into()).await.unwrap();
    topic.logs[0].let_pass(2);
    for one in all {
        assert_eq!(one.await.unwrap(), [(0, ErrorCode::NONE)]);
    }
    assert_eq!(topic.logs[0].appends.load(Ordering::SeqCst), before + 2);
    assert_eq!(fetch_all(&groups, "g").await, [("t".into(), 0, 19)]);
}

#[tokio::test(start_paused = true)]
async fn a_failing_disk_refuses_commits_and_assignments_and_loses_nothing() {
    let topic = MemoryTopic::new(1);
    let groups = groups_over(&topic);
    commit(&groups, 8, commit_request("g", &[("t", 0, 1)])).await;
    topic.logs[0].broken.store(true, Ordering::SeqCst);
    let codes = commit(&groups, 8, commit_request("g", &[("t", 0, 2)])).await;
    assert_eq!(codes, [(0, ErrorCode::COORDINATOR_NOT_AVAILABLE)]);
    assert_eq!(fetch_all(&groups, "g").await, [("t".into(), 0, 1)]);
    let joined = join(&groups, "h").await;
    let synced = sync(&groups, "h", &joined, "all").await;
    assert_eq!(synced.error_code, ErrorCode::COORDINATOR_NOT_AVAILABLE);

    topic.logs[0].broken.store(false, Ordering::SeqCst);
    let again = api::k11_join_group::handle(&groups, &cx(9), join_request("h", &joined.member_id)).await;
    assert_eq!(again.generation_id, 2);
    assert_eq!(sync(&groups, "h", &again, "all").await.error_code, ErrorCode::NONE);
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_cannot_be_read_is_tried_again() {
    let topic = MemoryTopic::new(1);
    commit(&groups_over(&topic), 8, commit_request("g", &[("t", 0, 1)])).await;
    topic.logs[0].broken.store(true, Ordering::SeqCst);
    let groups = groups_over(&topic);
    assert_eq!(groups.list().await, Err(ErrorCode::COORDINATOR_NOT_AVAILABLE));
    let request = OffsetFetchRequest { group_id: "g".into(), topics: None, ..Default::default() };
    let answer = api::k09_offset_fetch::handle(&groups, &Topics, &cx(5), request).await;
    assert_eq!(answer.error_code, ErrorCode::COORDINATOR_NOT_AVAILABLE);
    let topics = vec![OffsetFetchRequestTopic { name: "t".into(), partition_indexes: vec![0] }];
    let oldest = OffsetFetchRequest { group_id: "g".into(), topics: Some(topics), ..Default::default() };
    let answer = api::k09_offset_fetch::handle(&groups, &Topics, &cx(1), oldest).await;
    assert_eq!(answer.topics[0].partitions[0].error_code, ErrorCode::COORDINATOR_NOT_AVAILABLE);
    assert_eq!(join_code(&groups).await, ErrorCode::COORDINATOR_NOT_AVAILABLE);

    topic.logs[0].broken.store(false, Ordering::SeqCst);
    topic.closed.store(true, Ordering::SeqCst);
    assert_eq!(groups.list().await, Err(ErrorCode::COORDINATOR_NOT_AVAILABLE));
    topic.closed.store(false, Ordering::SeqCst);
    assert_eq!(fetch_all(&groups, "g").await, [("t".into(), 0, 1)]);
}

async fn join_code(groups: &Groups) -> ErrorCode {
    api::k11_join_group::handle(groups, &cx(3), join_request("g", "")).await.error_code
}

/// Lets everything that can run do so; what the future has come to, if it has.
async fn futures_poll<T>(future: &mut (impl Future<Output = T> + Unpin)) -> Option<T> {
    // Time stands still, so a timeout of nothing passes only when nobody else can run.
    tokio::time::timeout(Duration::from_millis(1), future).await.ok()
}
