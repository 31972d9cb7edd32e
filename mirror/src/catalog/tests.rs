//! Events in, exact commands out; case numbers are those of the list of what a correct replicator must handle.

use std::{collections::BTreeMap, time::Duration};

use protocol::{LeaderEpoch, PartitionId, TopicId, TopicName, Uuid};

use super::*;

struct Link(Option<Flow>);

impl Rules for Link {
    fn flow(&self, _: &TopicName) -> Option<Flow> {
        self.0.clone()
    }
}

const REPLICA: Link = Link(Some(Flow::Replica));

fn id(number: u128) -> TopicId {
    TopicId(Uuid::from_u128(number))
}

fn source(number: u128, epochs: &[i32]) -> SourceTopic {
    SourceTopic {
        name: TopicName::from("orders"),
        id: id(number),
        leader_epochs: epochs.iter().copied().map(LeaderEpoch).collect(),
        configs: BTreeMap::from([("retention.ms".to_owned(), "5".to_owned())]),
        compacted: false,
    }
}

/// The local catalog in which this topic, as it is at the source, has been created.
fn local(topic: &SourceTopic) -> Event {
    let here = LocalTopic {
        id: topic.id,
        leader_epochs: topic.leader_epochs.clone(),
        configs: topic.configs.clone(),
        replica: true,
    };
    Event::Local(BTreeMap::from([(topic.name.clone(), here)]))
}

fn ready(number: u128, partition: i32) -> Command {
    Command::Ready {
        topic_id: id(number),
        partition: PartitionId(partition),
        target: TopicName::from("orders"),
        target_id: id(number),
        merged: false,
    }
}

fn withdraw(number: u128, partition: i32, stop: Option<TopicStop>) -> Command {
    Command::Withdraw { topic_id: id(number), partition: PartitionId(partition), stop }
}

fn tell(sync: &mut CatalogSync, rules: &Link, event: Event) -> Vec<Command> {
    let mut out = Vec::new();
    sync.handle(Duration::ZERO, event, rules, &mut out);
    out
}

/// A sync that follows `topic` already.
fn following(topic: &SourceTopic) -> CatalogSync {
    let mut sync = CatalogSync::new();
    tell(&mut sync, &REPLICA, local(topic));
    tell(&mut sync, &REPLICA, Event::Topic(topic.clone()));
    sync
}

#[test]
fn a_new_topic_is_created_first_and_ready_only_when_it_is_here() {
    let mut sync = CatalogSync::new();
    let topic = source(1, &[0, 0]);
    assert_eq!(tell(&mut sync, &REPLICA, Event::Topic(topic.clone())), [], "what is here is not known yet");
    let create = Command::CreateReplica { topic: topic.clone() };
    assert_eq!(tell(&mut sync, &REPLICA, Event::Local(BTreeMap::new())), [create]);
    assert_eq!(tell(&mut sync, &REPLICA, Event::Topic(topic.clone())), [], "asked for once");
    let done = Event::Done { id: id(1), skipped_configs: Vec::new() };
    assert_eq!(tell(&mut sync, &REPLICA, done), []);
    assert_eq!(tell(&mut sync, &REPLICA, local(&topic)), [ready(1, 0), ready(1, 1)]);
    assert_eq!(tell(&mut sync, &REPLICA, local(&topic)), []);
}

#[test]
fn case_15_partitions_grow_here_before_they_are_subscribed() {
    let topic = source(1, &[0]);
    let mut sync = following(&topic);
    let grown = source(1, &[0, 0]);
    let follow = Command::FollowReplica { topic: grown.clone() };
    assert_eq!(tell(&mut sync, &REPLICA, Event::Topic(grown.clone())), [follow]);
    assert_eq!(tell(&mut sync, &REPLICA, local(&grown)), [ready(1, 1)]);
}

#[test]
fn case_15_more_partitions_here_are_kept_and_told_once() {
    let mut sync = CatalogSync::new();
    tell(&mut sync, &REPLICA, local(&source(1, &[0, 0, 0])));
    let notice = Notice::MorePartitionsHere { topic: TopicName::from("orders"), target: 3, source_has: 1 };
    let out = tell(&mut sync, &REPLICA, Event::Topic(source(1, &[0])));
    assert_eq!(out, [ready(1, 0), Command::Notice(notice)]);
    assert_eq!(tell(&mut sync, &REPLICA, Event::Topic(source(1, &[0]))), []);
}

#[test]
fn a_higher_leader_epoch_at_the_source_is_followed_and_a_lower_one_is_not() {
    let mut sync = following(&source(1, &[3]));
    let raised = source(1, &[4]);
    let follow = Command::FollowReplica { topic: raised.clone() };
    assert_eq!(tell(&mut sync, &REPLICA, Event::Topic(raised)), [follow]);
    let mut sync = following(&source(1, &[3]));
    assert_eq!(tell(&mut sync, &REPLICA, Event::Topic(source(1, &[2]))), []);
}

#[test]
fn case_8_a_topic_deleted_at_the_source_stops_and_is_kept() {
    let mut sync = following(&source(1, &[0]));
    let stop = TopicStop::SourceMissing { name: TopicName::from("orders") };
    let notice = Notice::Stopped { topic: TopicName::from("orders"), stop: stop.clone() };
    let out = tell(&mut sync, &REPLICA, Event::TopicGone { id: id(1) });
    assert_eq!(out, [withdraw(1, 0, Some(stop.clone())), Command::Notice(notice)]);
    assert_eq!(sync.rows().next().unwrap().stop, Some(stop));
}

#[test]
fn case_9_a_topic_created_again_is_another_topic() {
    let mut sync = following(&source(1, &[0]));
    let stop = TopicStop::SourceIdChanged { name: TopicName::from("orders"), was: id(1), now: id(2) };
    let out = tell(&mut sync, &REPLICA, Event::Topic(source(2, &[0])));
    let notice = Notice::Stopped { topic: TopicName::from("orders"), stop: stop.clone() };
    assert_eq!(out, [withdraw(1, 0, Some(stop)), Command::Notice(notice)]);

    // The operator deletes the old one here.
    let out = tell(&mut sync, &REPLICA, Event::Local(BTreeMap::new()));
    let resumed = Command::Notice(Notice::Resumed { topic: TopicName::from("orders") });
    assert_eq!(out, [resumed, Command::CreateReplica { topic: source(2, &[0]) }]);
}

#[test]
fn a_topic_of_this_datacenter_in_the_way_is_named_as_such() {
    let mut sync = CatalogSync::new();
    let here = LocalTopic {
        id: id(9),
        leader_epochs: vec![LeaderEpoch(0)],
        configs: BTreeMap::new(),
        replica: false,
    };
    tell(&mut sync, &REPLICA, Event::Local(BTreeMap::from([(TopicName::from("orders"), here)])));
    let out = tell(&mut sync, &REPLICA, Event::Topic(source(1, &[0])));
    let name = TopicName::from("orders");
    let stop = TopicStop::LocalTopicInTheWay { name: name.clone(), here: id(9), source_id: id(1) };
    assert_eq!(out, [Command::Notice(Notice::Stopped { topic: name, stop })]);
}

#[test]
fn a_listing_that_no_longer_names_a_topic_says_that_it_is_gone() {
    let mut sync = following(&source(1, &[0]));
    assert_eq!(tell(&mut sync, &REPLICA, Event::Complete), [], "no listing was begun");
    tell(&mut sync, &REPLICA, Event::Connected);
    tell(&mut sync, &REPLICA, Event::Topic(source(1, &[0])));
    assert_eq!(tell(&mut sync, &REPLICA, Event::Complete), []);
    tell(&mut sync, &REPLICA, Event::Connected);
    tell(&mut sync, &REPLICA, Event::Disconnected);
    assert_eq!(tell(&mut sync, &REPLICA, Event::Complete), [], "a listing that broke off says nothing");
    tell(&mut sync, &REPLICA, Event::Connected);
    assert_eq!(tell(&mut sync, &REPLICA, Event::Complete).len(), 2);
}

#[test]
fn case_31_internal_topics_are_excluded_by_name_and_printed_once() {
    let mut sync = CatalogSync::new();
    tell(&mut sync, &REPLICA, Event::Local(BTreeMap::new()));
    let mut topic = source(1, &[0]);
    topic.name = TopicName::from("__consumer_offsets");
    let notice = Notice::InternalExcluded { topic: topic.name.clone() };
    assert_eq!(tell(&mut sync, &REPLICA, Event::Topic(topic.clone())), [Command::Notice(notice)]);
    assert_eq!(tell(&mut sync, &REPLICA, Event::Topic(topic)), []);
    let mut topic = source(2, &[0]);
    topic.name = TopicName::from("__mine-internal");
    let out = tell(&mut sync, &REPLICA, Event::Topic(topic.clone()));
    assert_eq!(out, [Command::CreateReplica { topic }]);
}

#[test]
fn case_32_configs_that_are_not_known_here_are_skipped_reported_and_not_asked_for_again() {
    let mut sync = CatalogSync::new();
    let mut topic = source(1, &[0]);
    let created = topic.clone();
    topic.configs.insert("from.the.future".to_owned(), "1".to_owned());
    tell(&mut sync, &REPLICA, Event::Local(BTreeMap::new()));
    tell(&mut sync, &REPLICA, Event::Topic(topic.clone()));
    let keys = vec!["from.the.future".to_owned()];
    let out = tell(&mut sync, &REPLICA, Event::Done { id: id(1), skipped_configs: keys.clone() });
    let notice = Notice::ConfigsSkipped { topic: topic.name.clone(), keys };
    assert_eq!(out, [Command::Notice(notice)]);
    assert_eq!(tell(&mut sync, &REPLICA, local(&created)), [ready(1, 0)]);
    assert_eq!(tell(&mut sync, &REPLICA, Event::Topic(topic)), []);
}

#[test]
fn when_the_home_moves_partitions_are_withdrawn_without_a_stop() {
    let mut sync = following(&source(1, &[0]));
    assert_eq!(tell(&mut sync, &Link(None), Event::FlowsChanged), [withdraw(1, 0, None)]);
    assert_eq!(tell(&mut sync, &REPLICA, Event::FlowsChanged), [ready(1, 0)]);
}

#[test]
fn merged_topics_go_to_the_same_partition_of_another_topic() {
    let link = Link(Some(Flow::Merged { into: TopicName::from("all") }));
    let mut sync = CatalogSync::new();
    tell(&mut sync, &link, Event::Local(BTreeMap::new()));
    let topic = source(1, &[0]);
    let ensure = Command::EnsureMerged { into: TopicName::from("all"), partitions: 1, source: topic.clone() };
    assert_eq!(tell(&mut sync, &link, Event::Topic(topic)), [ensure]);
    let all = LocalTopic {
        id: id(5),
        leader_epochs: vec![LeaderEpoch(0); 4],
        configs: BTreeMap::new(),
        replica: false,
    };
    let out = tell(&mut sync, &link, Event::Local(BTreeMap::from([(TopicName::from("all"), all)])));
    let ready = Command::Ready {
        topic_id: id(1),
        partition: PartitionId(0),
        target: TopicName::from("all"),
        target_id: id(5),
        merged: true,
    };
    assert_eq!(out, [ready]);
}

#[test]
fn a_command_that_failed_is_tried_again_after_a_pause_or_stops_the_topic() {
    let mut sync = CatalogSync::new();
    let topic = source(1, &[0]);
    tell(&mut sync, &REPLICA, Event::Local(BTreeMap::new()));
    tell(&mut sync, &REPLICA, Event::Topic(topic.clone()));
    let failed = |again| Event::Failed { id: id(1), what: "no".to_owned(), again };
    assert_eq!(tell(&mut sync, &REPLICA, failed(true)), []);
    let mut out = Vec::new();
    let at = sync.next_deadline().unwrap();
    sync.handle(at, Event::DeadlinePassed, &REPLICA, &mut out);
    assert_eq!(out, [Command::CreateReplica { topic: topic.clone() }]);
    let out = tell(&mut sync, &REPLICA, failed(false));
    let stop = TopicStop::Refused { what: "no".to_owned() };
    assert_eq!(out, [Command::Notice(Notice::Stopped { topic: topic.name.clone(), stop })]);
    // Something changed at the source: another try.
    let resumed = Command::Notice(Notice::Resumed { topic: topic.name.clone() });
    let again = source(1, &[1]);
    let out = tell(&mut sync, &REPLICA, Event::Topic(again.clone()));
    assert_eq!(out, [resumed, Command::CreateReplica { topic: again }]);
}
