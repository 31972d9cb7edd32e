//! The proposer and its log: what is stored, published and answered, and in which order.

use std::{collections::BTreeMap, sync::Arc};

use proptest::prelude::*;
use protocol::{LeaderEpoch, ProducerId, TopicId, Uuid};

use super::{
    testing::{MemoryLog, commit, open, open_with, with_topics},
    *,
};
use crate::{
    limits::PRODUCER_ID_BLOCK,
    record_log::{KeyValue, RecordLogError},
    settings::TopicSettings,
};

fn create(name: &'static str) -> Change {
    Change::CreateTopic(NewTopic::named(name))
}

#[tokio::test]
async fn the_cluster_keeps_the_id_of_its_first_start() {
    let log = MemoryLog::new();
    let first = open(&log).await.image().cluster_id().to_owned();
    assert_eq!(first.len(), 22);
    assert_eq!(open(&log).await.image().cluster_id(), first);
    assert_eq!(log.appends(), 1);
    assert_ne!(open(&MemoryLog::new()).await.image().cluster_id(), first);
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let log = MemoryLog::new();
    let metadata = open(&log).await;
    let orders = metadata.create_topic(NewTopic::named("orders")).await.expect("the name is free");
    let growth = NewPartitions { topic: "orders".into(), count: 4, assignments: None };
    metadata.add_partitions(growth).await.expect("it grows");
    let adjustment = ConfigAdjustment {
        name: "retention.ms".to_owned(),
        operation: ConfigOperation::Set,
        value: Some("5".to_owned()),
    };
    let change = TopicConfigChange { topic: "orders".into(), edit: ConfigEdit::Adjust(vec![adjustment]) };
    metadata.alter_topic_config(change).await.expect("it is allowed");
    let gone = metadata.create_topic(NewTopic::named("gone")).await.expect("the name is free");
    metadata.delete_topic(gone.id).await.expect("it is there");

    let restarted = open(&log).await;
    assert_eq!(restarted.image(), metadata.image());
    let topic = restarted.image().topic_by_id(orders.id).cloned().expect("it is there");
    assert_eq!((topic.partition_count(), topic.config.retention_ms), (4, 5));
    assert_eq!(restarted.image().topic_by_id(gone.id), None);
}

#[tokio::test]
async fn a_change_is_seen_only_once_it_is_stored() {
    let log = MemoryLog::new();
    let metadata = open(&log).await;
    let mut watch = metadata.subscribe();
    watch.mark_unchanged();
    log.hold();
    let begun = log.begun();
    let creating = tokio::spawn({
        let metadata = metadata.clone();
        async move { commit(&metadata, create("orders")).await }
    });
    log.until_begun(begun + 1).await;
    assert!(metadata.image().topic("orders").is_none());
    assert!(!watch.has_changed().expect("the publisher lives"));

    log.release();
    let image = creating.await.expect("no panic").expect("the name is free");
    assert!(image.topic("orders").is_some() && metadata.image().topic("orders").is_some());
    watch.changed().await.expect("the publisher lives");
    assert!(watch.borrow().topic("orders").is_some());
}

#[tokio::test]
async fn changes_that_wait_share_an_append() {
    let log = MemoryLog::new();
    let metadata = open(&log).await;
    let before = log.appends();
    log.hold();
    let proposals = ["a", "b", "c", "b"].map(|name| {
        let metadata = metadata.clone();
        tokio::spawn(async move { commit(&metadata, create(name)).await })
    });
    for _ in 0..proposals.len() {
        log.release();
    }
    let mut outcomes = Vec::new();
    for proposal in proposals {
        outcomes.push(proposal.await.expect("no panic"));
    }
    let refused: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    assert_eq!(refused, [&MetadataError::Refused(Refusal::Exists("b".into()))]);
    assert!(log.appends() - before < 3, "the appends of {} changes were not shared", outcomes.len());
    assert_eq!(metadata.image().topic_count(), 3);
}

#[tokio::test]
async fn a_large_proposal_takes_several_appends_and_one_answer() {
    let log = MemoryLog::new();
    let metadata = open(&log).await;
    let before = log.appends();
    let names = (0..6_000).map(|index| NewTopic::named(format!("topic-{index}")));
    let outcomes = metadata.propose(names.map(Change::CreateTopic).collect(), Mode::Commit).await;
    assert_eq!(outcomes.len(), 6_000);
    assert!(outcomes.iter().all(Result::is_ok));
    assert!(log.appends() - before >= 2);
    assert_eq!(open(&log).await.image(), metadata.image());

    let too_many = vec![Change::TakeProducerIds; 10_001];
    let outcomes = metadata.propose(too_many, Mode::Commit).await;
    let refused = MetadataError::Refused(Refusal::TooManyChanges { max: 10_000 });
    assert!(outcomes.iter().all(|outcome| outcome.as_ref().err() == Some(&refused)));
}

#[tokio::test]
async fn a_failed_append_changes_nothing_and_is_answered() {
    let log = MemoryLog::new();
    let metadata = open(&log).await;
    let before = metadata.image();
    let fault = RecordLogError::Unavailable(Arc::from("the disk is gone"));
    log.fail_with(Some(fault.clone()));
    let outcomes = metadata.propose(vec![create("a"), create("."), create("b")], Mode::Commit).await;
    let failed = Some(MetadataError::Log(fault));
    let errors: Vec<_> = outcomes.into_iter().map(Result::err).collect();
    assert_eq!((&errors[0], &errors[2]), (&failed, &failed));
    assert!(matches!(errors[1], Some(MetadataError::Refused(Refusal::InvalidName(_)))));
    assert!(Arc::ptr_eq(&metadata.image(), &before));

    log.fail_with(None);
    commit(&metadata, create("a")).await.expect("nothing of the failed change is left");
}

#[tokio::test]
async fn a_failed_append_in_the_middle_is_answered_for_its_own_changes() {
    let log = MemoryLog::new();
    let metadata = open(&log).await;
    log.hold();
    let names = (0..6_000).map(|index| NewTopic::named(format!("topic-{index}")));
    let changes: Vec<_> = names.map(Change::CreateTopic).collect();
    let proposing = tokio::spawn({
        let metadata = metadata.clone();
        async move { metadata.propose(changes, Mode::Commit).await }
    });
    let mut stored = metadata.subscribe();
    stored.mark_unchanged();
    log.release();
    stored.changed().await.expect("the first append is published");
    let kept = metadata.image().topic_count();
    log.fail_with(Some(RecordLogError::Unavailable(Arc::from("the disk is gone"))));
    (0..9).for_each(|_| log.release());

    let outcomes = proposing.await.expect("no panic");
    let accepted = outcomes.iter().take_while(|outcome| outcome.is_ok()).count();
    assert_eq!(accepted, kept);
    assert!(outcomes.iter().skip(accepted).all(|outcome| matches!(outcome, Err(MetadataError::Log(_)))));
    assert!(accepted > 0 && accepted < 6_000);
    assert_eq!(metadata.image().topic_count(), kept);
}

#[tokio::test]
async fn nothing_of_a_failed_append_gets_into_the_next_one() {
    let log = MemoryLog::new();
    let metadata = open(&log).await;
    log.hold();
    let names = (0..6_000).map(|index| NewTopic::named(format!("topic-{index}")));
    let changes: Vec<_> = names.map(Change::CreateTopic).collect();
    log.fail_with(Some(RecordLogError::Unavailable(Arc::from("not now"))));
    let begun = log.begun();
    let proposing = tokio::spawn({
        let metadata = metadata.clone();
        async move { metadata.propose(changes, Mode::Commit).await }
    });
    log.until_begun(begun + 1).await;
    log.release();
    log.until_begun(begun + 2).await;
    log.fail_with(None);
    (0..9).for_each(|_| log.release());

    let outcomes = proposing.await.expect("no panic");
    let accepted = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert!(accepted > 0 && accepted < 6_000);
    assert_eq!(metadata.image().topic_count(), accepted);
    assert_eq!(open(&log).await.image(), metadata.image());
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_lose_a_stored_change() {
    let log = MemoryLog::new();
    let metadata = open(&log).await;
    let mut watch = metadata.subscribe();
    watch.mark_unchanged();
    log.hold();
    let begun = log.begun();
    let caller = tokio::spawn({
        let metadata = metadata.clone();
        async move { commit(&metadata, create("orders")).await }
    });
    log.until_begun(begun + 1).await;
    caller.abort();
    assert!(caller.await.expect_err("it was aborted").is_cancelled());
    log.release();
    watch.changed().await.expect("the publisher lives");
    assert!(metadata.image().topic("orders").is_some());
}

#[tokio::test]
async fn a_rehearsal_answers_like_the_change_and_leaves_no_trace() {
    let log = MemoryLog::new();
    let metadata = open(&log).await;
    let (image, appends) = (metadata.image(), log.appends());
    let outcomes = metadata.propose(vec![create("a"), create("a"), create("b")], Mode::Rehearse).await;
    let counts: Vec<_> =
        outcomes.iter().map(|outcome| outcome.as_ref().map(|image| image.topic_count())).collect();
    assert_eq!(counts, [Ok(1), Err(&MetadataError::Refused(Refusal::Exists("a".into()))), Ok(2)]);
    assert!(Arc::ptr_eq(&metadata.image(), &image));
    assert_eq!(log.appends(), appends);
}

#[tokio::test]
async fn producer_ids_are_given_out_once_even_over_restarts() {
    let log = MemoryLog::new();
    let metadata = open(&log).await;
    let first = metadata.take_producer_ids().await.expect("there are ids");
    assert_eq!(first, ProducerIdBlock { first: ProducerId(0), count: PRODUCER_ID_BLOCK });
    let restarted = open(&log).await;
    let second = restarted.take_producer_ids().await.expect("there are ids");
    assert_eq!(second.first, ProducerId(PRODUCER_ID_BLOCK));
}

#[tokio::test]
async fn the_internal_topic_is_made_on_demand_and_found_again() {
    let metadata = with_topics(&[]).await;
    let wanted = InternalTopic::ConsumerOffsets { partitions: 50 };
    let made = metadata.ensure_internal_topic(wanted).await.expect("it is made");
    let other = InternalTopic::ConsumerOffsets { partitions: 7 };
    let found = metadata.ensure_internal_topic(other).await.expect("it is there");
    assert!(Arc::ptr_eq(&made, &found));
}

async fn refuse_to_open(records: Vec<KeyValue>) -> String {
    let log = MemoryLog::holding(records);
    let refused = open_with(&log, TopicSettings::default()).await.err();
    refused.expect("the log cannot be used").to_string()
}

fn stored(key: &'static str, value: &'static str) -> KeyValue {
    KeyValue { key: key.as_bytes().into(), value: Some(value.as_bytes().into()) }
}

#[tokio::test]
async fn a_start_stops_at_what_it_does_not_understand_and_says_what_to_do() {
    let cluster =
        || stored("cluster", r#"{"type":"cluster","version":1,"cluster_id":"AAAAAAAAAAEAAAAAAAAAAg"}"#);
    let newer = stored("topic-home/x", r#"{"type":"topic_home","version":3}"#);
    let said = refuse_to_open(vec![cluster(), newer]).await;
    for part in ["offset 1", "topic-home/x", "'topic_home' in format version 3", "newer Isthmus"] {
        assert!(said.contains(part), "{said}");
    }

    let setting = stored(
        "topic/AAAAAAAAAAMAAAAAAAAABA",
        r#"{"type":"topic","version":1,"name":"a","id":"AAAAAAAAAAMAAAAAAAAABA","partitions":1,"overrides":{"x":"1"}}"#,
    );
    let said = refuse_to_open(vec![cluster(), setting]).await;
    assert!(said.contains("Unknown topic config name: x"), "{said}");

    let ids = stored("producer-ids", r#"{"type":"producer_ids","version":1,"next_producer_id":5}"#);
    let said = refuse_to_open(vec![ids]).await;
    assert!(said.contains("no cluster id"), "{said}");
}

#[test]
fn handles_outlive_a_stopped_proposer_with_an_error() {
    let runtime = || tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let first = runtime();
    let metadata = first.block_on(open(&MemoryLog::new()));
    // Drops the proposer with everything else that runs there.
    drop(first);
    let outcome = runtime().block_on(commit(&metadata, create("orders")));
    assert_eq!(outcome, Err(MetadataError::Stopped));
}

/// A change out of few names, so that they meet each other.
fn any_change() -> impl Strategy<Value = AnyChange> {
    let name = || prop::sample::select(vec!["a", "b", "a.b", "a_b", "__consumer_offsets", "bad name"]);
    let config = prop::sample::select(vec![
        ("retention.ms", "1000"),
        ("retention.ms", "x"),
        ("cleanup.policy", "compact"),
        ("write.caching", "true"),
        ("no.such", "1"),
    ]);
    let operation = prop::sample::select(vec![
        ConfigOperation::Set,
        ConfigOperation::Delete,
        ConfigOperation::Append,
        ConfigOperation::Subtract,
    ]);
    prop_oneof![
        (name(), -1..5i32).prop_map(|(name, partitions)| AnyChange::Create(name, partitions)),
        name().prop_map(AnyChange::Delete),
        (name(), 1..9i32).prop_map(|(name, count)| AnyChange::Grow(name, count)),
        (name(), config, operation).prop_map(|(name, (config, value), operation)| AnyChange::Configure(
            name, config, value, operation
        )),
        Just(AnyChange::TakeProducerIds),
        Just(AnyChange::EnsureInternal),
        (name(), 0..3u128, prop::collection::vec(0..9i32, 1..4), any::<bool>())
            .prop_map(|(name, id, epochs, follow)| AnyChange::Replicate(name, id, epochs, follow)),
        (0..3u128, -1..12i32).prop_map(|(id, epoch)| AnyChange::RaiseEpochs(id, epoch)),
        (prop::sample::select(vec!["", "u", "v"]), "[a-c]{0,2}")
            .prop_map(|(unit, record)| AnyChange::Own(unit, record)),
        (0..5_000i64).prop_map(AnyChange::AdvanceProducerIds),
        Just(AnyChange::RaiseAllEpochs),
    ]
}

#[derive(Debug, Clone)]
enum AnyChange {
    Create(&'static str, i32),
    Delete(&'static str),
    Grow(&'static str, i32),
    Configure(&'static str, &'static str, &'static str, ConfigOperation),
    TakeProducerIds,
    EnsureInternal,
    Replicate(&'static str, u128, Vec<i32>, bool),
    RaiseEpochs(u128, i32),
    Own(&'static str, String),
    AdvanceProducerIds(i64),
    RaiseAllEpochs,
}

fn replica_id(number: u128) -> TopicId {
    TopicId(Uuid::from_u128((7 << 64) + number))
}

impl AnyChange {
    fn meant_in(&self, image: &Image) -> Change {
        match *self {
            Self::Replicate(name, id, ref epochs, follow) => {
                let replica = ReplicaTopic {
                    name: name.into(),
                    id: replica_id(id),
                    leader_epochs: epochs.iter().copied().map(LeaderEpoch).collect(),
                    configs: BTreeMap::from([("retention.ms".to_owned(), epochs.len().to_string())]),
                };
                if follow { Change::FollowReplica(replica) } else { Change::CreateReplica(replica) }
            }
            Self::RaiseEpochs(id, epoch) => {
                Change::RaiseTopicEpochs { topics: vec![replica_id(id)], at_least: LeaderEpoch(epoch) }
            }
            Self::Own(unit, ref record) => {
                Change::PutOwnership { unit: unit.to_owned(), record: record.clone() }
            }
            Self::AdvanceProducerIds(beyond) => Change::AdvanceProducerIds { beyond: ProducerId(beyond) },
            Self::RaiseAllEpochs => Change::RaiseLeaderEpochs,
            Self::Create(name, partitions) => {
                Change::CreateTopic(NewTopic { partitions, ..NewTopic::named(name) })
            }
            Self::Delete(name) => {
                Change::DeleteTopic(image.topic(name).map_or(TopicId::ZERO, |topic| topic.id))
            }
            Self::Grow(name, count) => {
                Change::AddPartitions(NewPartitions { topic: name.into(), count, assignments: None })
            }
            Self::Configure(name, config, value, operation) => {
                let adjustment =
                    ConfigAdjustment { name: config.to_owned(), operation, value: Some(value.to_owned()) };
                let edit = ConfigEdit::Adjust(vec![adjustment]);
                Change::AlterTopicConfig(TopicConfigChange { topic: name.into(), edit })
            }
            Self::TakeProducerIds => Change::TakeProducerIds,
            Self::EnsureInternal => {
                Change::EnsureInternalTopic(InternalTopic::ConsumerOffsets { partitions: 3 })
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Promise 3 of this folder, and that a refused change leaves nothing behind.
    #[test]
    fn replaying_the_stored_records_gives_the_live_image(changes in prop::collection::vec(any_change(), 0..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let log = MemoryLog::new();
            let metadata = open(&log).await;
            for change in changes {
                let before = metadata.image();
                let outcome = commit(&metadata, change.meant_in(&before)).await;
                match outcome {
                    Ok(after) => prop_assert_eq!(&*after, &*metadata.image()),
                    Err(_) => prop_assert!(Arc::ptr_eq(&before, &metadata.image())),
                }
            }
            let replayed = open(&log).await.image();
            prop_assert_eq!(&*replayed, &*metadata.image());
            for topic in replayed.topics() {
                prop_assert_eq!(replayed.topic_by_id(topic.id), Some(topic));
            }
            Ok(())
        })?;
    }
}
