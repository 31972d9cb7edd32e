use std::{collections::BTreeMap, sync::Arc};

use protocol::{TopicId, TopicName};

use super::*;
use crate::{
    limits::{PARTITIONS_PER_TOPIC_MAX, PRODUCER_ID_BLOCK},
    metadata::{
        change::*,
        testing::{BROKER, counting_ids},
        topic_config::{ConfigKind, InvalidConfig},
        topic_name::{self, InvalidTopicName},
    },
    settings::TopicSettings,
};

/// An image that changes are made in at once.
struct World {
    image: Image,
    ids: Arc<dyn IdSource>,
}

impl World {
    fn new() -> Self {
        let defaults = TopicSettings { partitions: 3, ..TopicSettings::default() };
        Self { image: Image::new(Arc::new(defaults)), ids: counting_ids() }
    }

    fn with(names: &[&'static str]) -> Self {
        let mut world = Self::new();
        for name in names {
            world.change(Change::CreateTopic(NewTopic::named(*name))).expect("the name is free");
        }
        world
    }

    fn plan(&self, change: &Change) -> Result<Vec<MetadataRecord>, Refusal> {
        plan(&self.image, change, Rules { broker_id: BROKER, ids: self.ids.as_ref() })
    }

    fn change(&mut self, change: Change) -> Result<Vec<MetadataRecord>, Refusal> {
        let records = self.plan(&change)?;
        for record in &records {
            self.image.apply(record).expect("a plan's settings are sound");
        }
        Ok(records)
    }

    fn refuse(&self, topic: NewTopic) -> Refusal {
        self.plan(&Change::CreateTopic(topic)).expect_err("it is refused")
    }

    fn overrides(&self, topic: &str) -> Vec<(&str, &str)> {
        let topic = self.image.topic(topic).expect("it is there");
        topic.overrides.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    fn adjust(
        &mut self,
        name: &str,
        operation: ConfigOperation,
        value: Option<&str>,
    ) -> Result<Vec<MetadataRecord>, Refusal> {
        let adjustment =
            ConfigAdjustment { name: name.to_owned(), operation, value: value.map(str::to_owned) };
        let edit = ConfigEdit::Adjust(vec![adjustment]);
        self.change(Change::AlterTopicConfig(TopicConfigChange { topic: "orders".into(), edit }))
    }
}

fn grow(topic: &'static str, count: i32, assignments: Option<Vec<Vec<i32>>>) -> Change {
    Change::AddPartitions(NewPartitions { topic: topic.into(), count, assignments })
}

/// Replicas by partition.
type Assignments = &'static [(i32, &'static [i32])];

fn assigned(assignments: Assignments) -> NewTopic {
    let assignments = assignments.iter().map(|(index, replicas)| (*index, replicas.to_vec())).collect();
    NewTopic { assignments, ..NewTopic::named("orders") }
}

#[test]
fn a_topic_gets_the_default_count_and_a_fresh_id() {
    let mut world = World::with(&["orders", "bills"]);
    let (orders, bills) = (world.image.topic("orders").cloned(), world.image.topic("bills").cloned());
    let (orders, bills) = (orders.expect("created"), bills.expect("created"));
    assert_eq!((orders.partition_count(), orders.internal), (3, false));
    assert_ne!(orders.id, bills.id);
    assert_ne!(orders.id, TopicId::ZERO);

    world.change(Change::DeleteTopic(orders.id)).expect("it is there");
    world.change(Change::CreateTopic(NewTopic::named("orders"))).expect("the name is free again");
    assert_ne!(world.image.topic("orders").expect("created").id, orders.id);
    assert_eq!(world.image.topic_by_id(orders.id), None);
    assert_eq!(world.image.partition_count(), 6);
}

#[test]
fn names_that_are_not_allowed_or_not_free_are_refused() {
    let world = World::with(&["a.b", "plain"]);
    let refused = |name: &'static str| world.refuse(NewTopic::named(name));
    assert_eq!(refused(""), Refusal::InvalidName(InvalidTopicName::Empty));
    assert_eq!(refused("plain"), Refusal::Exists("plain".into()));
    assert_eq!(refused("a.b"), Refusal::Exists("a.b".into()));
    assert_eq!(refused("a_b"), Refusal::Collides { name: "a_b".into(), existing: "a.b".into() });
    assert_eq!(refused("__cluster_metadata"), Refusal::ClusterMetadata);
    assert_eq!(refused("__consumer_offsets"), Refusal::Internal("__consumer_offsets".into()));
}

#[test]
fn a_deleted_topic_frees_its_name_and_what_collides_with_it() {
    let mut world = World::with(&["a.b"]);
    let id = world.image.topic("a.b").expect("created").id;
    world.change(Change::DeleteTopic(id)).expect("it is there");
    world.change(Change::CreateTopic(NewTopic::named("a_b"))).expect("nothing collides any more");
    let collides = Refusal::Collides { name: "a.b".into(), existing: "a_b".into() };
    assert_eq!(world.refuse(NewTopic::named("a.b")), collides);
    assert_eq!((world.image.topic_count(), world.image.partition_count()), (1, 3));
}

#[test]
fn counts_out_of_range_are_refused() {
    let world = World::new();
    let partitions = |partitions| world.refuse(NewTopic { partitions, ..NewTopic::named("orders") });
    let max = PARTITIONS_PER_TOPIC_MAX;
    assert_eq!(partitions(0), Refusal::PartitionsNotPositive);
    assert_eq!(partitions(-2), Refusal::PartitionsNotPositive);
    assert_eq!(partitions(max + 1), Refusal::TooManyPartitions { asked: max + 1, max });

    let factor = |factor| NewTopic { replication_factor: factor, partitions: 1, ..NewTopic::named("orders") };
    assert_eq!(world.refuse(factor(0)), Refusal::FactorNotPositive);
    assert_eq!(world.refuse(factor(-2)), Refusal::FactorNotPositive);
    assert_eq!(world.refuse(factor(2)), Refusal::FactorTooLarge(2));
    assert!(world.plan(&Change::CreateTopic(factor(1))).is_ok());
}

#[test]
fn the_cluster_has_room_for_so_many_partitions_only() {
    let mut world = World::new();
    let largest = |name: String| {
        Change::CreateTopic(NewTopic { partitions: PARTITIONS_PER_TOPIC_MAX, ..NewTopic::named(name) })
    };
    for index in 0..10 {
        world.change(largest(format!("t{index}"))).expect("there is room");
    }
    assert_eq!(world.image.partition_count(), partitions::PARTITIONS_MAX);
    let full = Refusal::ClusterFull { max: partitions::PARTITIONS_MAX };
    assert_eq!(world.refuse(NewTopic::named("one-more")), full);
}

#[test]
fn replicas_must_be_on_this_broker_exactly() {
    let world = World::new();
    let wrong = |assignments: Assignments| world.refuse(assigned(assignments));
    let cases: [(Assignments, InvalidAssignment); 6] = [
        (&[(0, &[1_001]), (0, &[1_001])], InvalidAssignment::Repeated(0)),
        (&[(0, &[1_001]), (2, &[1_001])], InvalidAssignment::NotConsecutive),
        (&[(1, &[1_001])], InvalidAssignment::NotConsecutive),
        (&[(0, &[])], InvalidAssignment::Empty),
        (&[(0, &[1_001, 7])], InvalidAssignment::UnknownBroker(7)),
        (&[(0, &[1_001, 1_001])], InvalidAssignment::RepeatedBroker(1_001)),
    ];
    for (assignments, expected) in cases {
        assert_eq!(wrong(assignments), Refusal::InvalidAssignment(expected));
    }

    let both = NewTopic { partitions: 1, ..assigned(&[(0, &[1_001])]) };
    assert_eq!(world.refuse(both), Refusal::CountsAndAssignments("numPartitions"));
    let both = NewTopic { replication_factor: 1, ..assigned(&[(0, &[1_001])]) };
    assert_eq!(world.refuse(both), Refusal::CountsAndAssignments("replication factor"));

    let records = world.plan(&Change::CreateTopic(assigned(&[(1, &[1_001]), (0, &[1_001])])));
    assert!(matches!(records.as_deref(), Ok([MetadataRecord::Topic(topic)]) if topic.partitions == 2));
}

#[test]
fn settings_of_a_new_topic_are_checked() {
    let world = World::new();
    let refused = |configs: &[(&str, Option<&str>)]| {
        let configs =
            configs.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned))).collect();
        world.refuse(NewTopic { configs, ..NewTopic::named("orders") })
    };
    let unknown = InvalidConfig::UnknownName("no.such".to_owned());
    assert_eq!(refused(&[("no.such", Some("1"))]), Refusal::InvalidConfig(unknown));
    assert_eq!(refused(&[("retention.ms", None)]), Refusal::NullConfigs(vec!["retention.ms".to_owned()]));
    assert_eq!(
        refused(&[("retention.ms", Some("1")), ("retention.ms", Some("1"))]),
        Refusal::RepeatedConfigs
    );
    let long = "x".repeat(32_768);
    assert_eq!(refused(&[("retention.ms", Some(&long))]), Refusal::ConfigTooLong { max: 32_767 });
}

#[test]
fn the_offsets_topic_is_made_once_and_by_the_broker_only() {
    let mut world = World::new();
    let ensure = || Change::EnsureInternalTopic(InternalTopic::ConsumerOffsets { partitions: 50 });
    assert_eq!(world.change(ensure()).expect("it is made").len(), 1);
    assert_eq!(world.change(ensure()), Ok(Vec::new()));

    let topic = world.image.topic(topic_name::CONSUMER_OFFSETS).expect("it is there").clone();
    assert!(topic.internal && topic.config.compact && !topic.config.delete && !topic.config.write_caching);
    assert_eq!(topic.partition_count(), 50);
    let internal = Err(Refusal::Internal(topic.name.clone()));
    assert_eq!(world.plan(&Change::DeleteTopic(topic.id)), internal);
    assert_eq!(world.plan(&grow(topic_name::CONSUMER_OFFSETS, 60, None)), internal);

    let adjustment = ConfigAdjustment {
        name: "write.caching".to_owned(),
        operation: ConfigOperation::Set,
        value: Some("true".to_owned()),
    };
    let edit = ConfigEdit::Adjust(vec![adjustment]);
    let unsynced = Change::AlterTopicConfig(TopicConfigChange { topic: topic.name.clone(), edit });
    assert_eq!(world.plan(&unsynced), Err(Refusal::InternalUnsynced));

    let none = Change::EnsureInternalTopic(InternalTopic::ConsumerOffsets { partitions: 0 });
    assert_eq!(World::new().plan(&none), Err(Refusal::PartitionsNotPositive));
}

#[test]
fn unknown_topics_are_refused() {
    let world = World::new();
    let id = TopicId(protocol::Uuid::from_u128(77));
    assert_eq!(world.plan(&Change::DeleteTopic(id)), Err(Refusal::UnknownTopicId(id)));
    let unknown = Refusal::UnknownTopic(TopicName::from("none"));
    assert_eq!(world.plan(&grow("none", 2, None)), Err(unknown.clone()));
    let change = TopicConfigChange { topic: "none".into(), edit: ConfigEdit::Replace(Vec::new()) };
    assert_eq!(world.plan(&Change::AlterTopicConfig(change)), Err(unknown));
}

#[test]
fn partitions_only_grow() {
    let mut world = World::with(&["orders"]);
    let shrink = |asked| Err(Refusal::PartitionsShrink { topic: "orders".into(), current: 3, asked });
    assert_eq!(world.plan(&grow("orders", 3, None)), Err(Refusal::PartitionsUnchanged(3)));
    assert_eq!(world.plan(&grow("orders", 2, None)), shrink(2));
    assert_eq!(world.plan(&grow("orders", i32::MIN, None)), shrink(i32::MIN));
    let count = InvalidAssignment::Count { added: 2, given: 1 };
    let too_few = grow("orders", 5, Some(vec![vec![1_001]]));
    assert_eq!(world.plan(&too_few), Err(Refusal::InvalidAssignment(count)));
    let elsewhere = grow("orders", 4, Some(vec![vec![2]]));
    let unknown = InvalidAssignment::UnknownBroker(2);
    assert_eq!(world.plan(&elsewhere), Err(Refusal::InvalidAssignment(unknown)));

    world.change(grow("orders", 5, Some(vec![vec![1_001], vec![1_001]]))).expect("it grows");
    assert_eq!(world.image.topic("orders").expect("it is there").partition_count(), 5);
    assert_eq!(world.image.partition_count(), 5);
}

#[test]
fn single_settings_are_set_and_removed() {
    let mut world = World::with(&["orders"]);
    world.adjust("retention.ms", ConfigOperation::Set, Some(" 1000 ")).expect("it is allowed");
    assert_eq!(world.overrides("orders"), [("retention.ms", "1000")]);
    assert_eq!(world.image.topic("orders").expect("there").config.retention_ms, 1_000);

    let unchanged = world.adjust("retention.ms", ConfigOperation::Set, Some("1000"));
    assert_eq!(unchanged, Ok(Vec::new()), "what is so already takes no record");

    world.adjust("retention.ms", ConfigOperation::Delete, None).expect("it is there");
    assert_eq!(world.overrides("orders"), []);
    let default = TopicSettings::default().retention_ms;
    assert_eq!(world.image.topic("orders").expect("there").config.retention_ms, default);

    let unknown = Refusal::InvalidConfig(InvalidConfig::UnknownName("no.such".to_owned()));
    assert_eq!(world.adjust("no.such", ConfigOperation::Delete, None), Err(unknown));
}

#[test]
fn lists_are_appended_to_and_subtracted_from() {
    let mut world = World::with(&["orders"]);
    world.adjust("cleanup.policy", ConfigOperation::Append, Some("compact,delete")).expect("a list");
    assert_eq!(world.overrides("orders"), [("cleanup.policy", "delete,compact")]);
    world.adjust("cleanup.policy", ConfigOperation::Subtract, Some("delete")).expect("a list");
    assert_eq!(world.overrides("orders"), [("cleanup.policy", "compact")]);
    let config = world.image.topic("orders").expect("there").config;
    assert!(config.compact && !config.delete);

    let not_a_list = Refusal::NotAList { operation: "APPEND", name: "retention.ms", kind: ConfigKind::Long };
    assert_eq!(world.adjust("retention.ms", ConfigOperation::Append, Some("1")), Err(not_a_list));
    let refused = world.adjust("cleanup.policy", ConfigOperation::Append, Some("shred"));
    assert!(matches!(refused, Err(Refusal::InvalidConfig(InvalidConfig::Value { .. }))));
    assert_eq!(world.overrides("orders"), [("cleanup.policy", "compact")]);
}

#[test]
fn a_replacement_removes_what_it_does_not_name() {
    let mut world = World::with(&["orders"]);
    world.adjust("retention.ms", ConfigOperation::Set, Some("1000")).expect("allowed");
    world.adjust("segment.ms", ConfigOperation::Set, Some("5000")).expect("allowed");
    let configs = vec![
        ("segment.ms".to_owned(), Some("5000".to_owned())),
        ("retention.bytes".to_owned(), Some("7".to_owned())),
    ];
    let edit = ConfigEdit::Replace(configs);
    let change = Change::AlterTopicConfig(TopicConfigChange { topic: "orders".into(), edit });
    assert_eq!(world.change(change).expect("allowed").len(), 2, "the unchanged one takes no record");
    let expected = BTreeMap::from([("retention.bytes", "7"), ("segment.ms", "5000")]);
    assert_eq!(world.overrides("orders"), Vec::from_iter(expected));
}

#[test]
fn producer_id_blocks_follow_each_other_until_none_are_left() {
    let mut world = World::new();
    world.change(Change::TakeProducerIds).expect("there are ids");
    world.change(Change::TakeProducerIds).expect("there are ids");
    assert_eq!(world.image.next_producer_id(), ProducerId(2 * PRODUCER_ID_BLOCK));

    let last =
        ProducerIdsRecord { version: 1, next_producer_id: ProducerId(i64::MAX - 5), floor: ProducerId(0) };
    world.image.apply(&MetadataRecord::ProducerIds(last)).expect("it has no setting");
    assert_eq!(world.plan(&Change::TakeProducerIds), Err(Refusal::ProducerIdsExhausted));
}
