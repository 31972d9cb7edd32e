//! Actors come, go, and end with the coordinator.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_group_of_which_nothing_is_left_is_forgotten() {
    let groups = groups_over(&MemoryTopic::new(1));
    let answer = api::k11_join_group::handle(&groups, &cx(9), join_request("g", "")).await;
    assert_eq!(answer.error_code, ErrorCode::MEMBER_ID_REQUIRED);
    assert_eq!(groups.list().await.unwrap().len(), 1);
    pass(Duration::from_secs(11)).await;
    assert_eq!(groups.actor_count(), 0);
    assert!(groups.list().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_group_is_used_while_it_is_being_forgotten() {
    let topic = MemoryTopic::new(1);
    let groups = groups_over(&topic);
    // Deletion and use in a race, many times: no request may be lost, whoever wins.
    for offset in 0..200 {
        let deleting = groups.clone();
        let deletion = tokio::spawn(async move { deleting.delete(&"g".into()).await });
        let codes = commit(&groups, 8, commit_request("g", &[("t", 0, offset)])).await;
        let code = codes[0].1;
        assert!([ErrorCode::NONE, ErrorCode::COORDINATOR_NOT_AVAILABLE].contains(&code), "{code:?}");
        let deleted = deletion.await.unwrap();
        assert!([Ok(()), Err(ErrorCode::GROUP_ID_NOT_FOUND)].contains(&deleted), "{deleted:?}");
    }
    assert_eq!(fetch_all(&groups, "g").await, fetch_all(&groups_over(&topic), "g").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_race_on_real_threads_loses_no_request_either() {
    let topic = MemoryTopic::new(1);
    let groups = groups_over(&topic);
    let tasks = (0..4).map(|task| {
        let groups = groups.clone();
        tokio::spawn(async move {
            for offset in 0..100 {
                let code = commit(&groups, 8, commit_request("g", &[("t", task % 3, offset)])).await[0].1;
                assert!([ErrorCode::NONE, ErrorCode::COORDINATOR_NOT_AVAILABLE].contains(&code));
                let deleted = groups.delete(&"g".into()).await;
                assert!([Ok(()), Err(ErrorCode::GROUP_ID_NOT_FOUND)].contains(&deleted), "{deleted:?}");
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(fetch_all(&groups, "g").await, fetch_all(&groups_over(&topic), "g").await);
}

#[tokio::test(start_paused = true)]
async fn closing_ends_writes_and_lets_everybody_go() {
    let topic = MemoryTopic::new(1);
    let groups = groups_over(&topic);
    stable(&groups, "busy").await;
    let parked = {
        let groups = groups.clone();
        tokio::spawn(async move { join(&groups, "busy").await })
    };
    commit(&groups, 8, commit_request("g", &[("t", 0, 1)])).await;
    topic.logs[0].hold();
    let committing = {
        let groups = groups.clone();
        tokio::spawn(async move { commit(&groups, 8, commit_request("g", &[("t", 0, 2)])).await })
    };
    pass(Duration::from_millis(1)).await;
    let closing = {
        let groups = groups.clone();
        tokio::spawn(async move { groups.close().await })
    };
    pass(Duration::from_millis(1)).await;
    assert!(!closing.is_finished(), "a write is under way");
    topic.logs[0].let_pass(1);
    closing.await.unwrap();
    assert_eq!(committing.await.unwrap(), [(0, ErrorCode::NONE)]);
    assert_eq!(parked.await.unwrap().error_code, ErrorCode::COORDINATOR_NOT_AVAILABLE);
    let late = commit(&groups, 8, commit_request("g", &[("t", 0, 3)])).await;
    assert_eq!(late, [(0, ErrorCode::COORDINATOR_NOT_AVAILABLE)]);
    assert_eq!(fetch_all(&groups_over(&topic), "g").await, [("t".into(), 0, 2)]);
}

#[tokio::test(start_paused = true)]
async fn a_group_whose_actor_crashed_is_read_from_the_log_again() {
    let topic = MemoryTopic::new(1);
    let groups = groups_over(&topic);
    commit(&groups, 8, commit_request("g", &[("t", 0, 1)])).await;
    commit(&groups, 8, commit_request("other", &[("t", 0, 2)])).await;
    groups.crash(&"g".into());
    let codes = commit(&groups, 8, commit_request("g", &[("t", 1, 5)])).await;
    assert_eq!(codes, [(1, ErrorCode::COORDINATOR_NOT_AVAILABLE)]);
    assert_eq!(fetch_all(&groups, "g").await, [("t".into(), 0, 1)]);
    assert_eq!(fetch_all(&groups, "other").await, [("t".into(), 0, 2)]);
    assert_eq!(commit(&groups, 8, commit_request("g", &[("t", 1, 5)])).await, [(1, ErrorCode::NONE)]);
}
