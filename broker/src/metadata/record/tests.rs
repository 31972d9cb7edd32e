//! The stored form: a golden file that every later version must still read, and bytes that nobody wrote on purpose.

use std::{collections::BTreeMap, sync::Arc};

use proptest::prelude::*;
use protocol::Uuid;

use super::*;
use crate::{metadata::image::Image, settings::TopicSettings};

const GOLDEN: &str = include_str!("../golden/records-v1.txt");

fn golden() -> Vec<KeyValue> {
    let stored = |line: &'static str| {
        let (key, value) = line.split_once('\t').expect("key, tab, value");
        KeyValue {
            key: Bytes::from_static(key.as_bytes()),
            value: Some(Bytes::from_static(value.as_bytes())),
        }
    };
    GOLDEN.lines().map(stored).collect()
}

fn sample() -> Vec<MetadataRecord> {
    let orders = TopicId(Uuid::from_u64_pair(3, 4));
    let gone = TopicId(Uuid::from_u64_pair(5, 6));
    let config = |name: &str, value: Option<&str>| {
        MetadataRecord::TopicConfig(TopicConfigRecord {
            version: 1,
            id: orders,
            name: name.to_owned(),
            value: value.map(str::to_owned),
        })
    };
    let topic = |name: &str, id, partitions, overrides: &[(&str, &str)]| {
        let overrides: BTreeMap<_, _> =
            overrides.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        MetadataRecord::Topic(TopicRecord { version: 1, name: name.to_owned(), id, partitions, overrides })
    };
    vec![
        MetadataRecord::Cluster(ClusterRecord {
            version: 1,
            cluster_id: identity::print(Uuid::from_u64_pair(1, 2)),
        }),
        topic("orders", orders, 3, &[("cleanup.policy", "compact"), ("retention.ms", "1000")]),
        MetadataRecord::Partitions(PartitionsRecord { version: 1, id: orders, partitions: 5 }),
        config("retention.ms", None),
        config("segment.ms", Some("60000")),
        MetadataRecord::ProducerIds(ProducerIdsRecord {
            version: 1,
            next_producer_id: ProducerId(2_000),
            floor: ProducerId(0),
        }),
        topic("gone", gone, 1, &[]),
        MetadataRecord::RemoveTopic(RemoveTopicRecord { version: 1, id: gone, name: "gone".to_owned() }),
        MetadataRecord::LeaderEpoch(LeaderEpochRecord { version: 1, leader_epoch: 3 }),
        MetadataRecord::PartitionEpochs(PartitionEpochsRecord {
            version: 1,
            id: orders,
            leader_epochs: vec![3, 9, 3, 3, 3],
        }),
        MetadataRecord::Ownership(OwnershipRecord {
            version: 1,
            unit: "shop".to_owned(),
            record: "home \"eu-west\", generation 2".to_owned(),
        }),
        MetadataRecord::ProducerIds(ProducerIdsRecord {
            version: 1,
            next_producer_id: ProducerId(5_000),
            floor: ProducerId(4_321),
        }),
    ]
}

fn stored(key: &str, value: &str) -> KeyValue {
    KeyValue {
        key: Bytes::copy_from_slice(key.as_bytes()),
        value: Some(Bytes::copy_from_slice(value.as_bytes())),
    }
}

#[test]
fn records_are_stored_as_in_the_golden_file() {
    let encoded: Vec<_> = sample().iter().map(MetadataRecord::encode).collect();
    assert_eq!(encoded, golden());
}

#[test]
fn the_golden_file_is_read() {
    let decoded: Result<Vec<_>, _> = golden().iter().map(MetadataRecord::decode).collect();
    let decoded: Vec<_> = decoded.expect("every record is known").into_iter().flatten().collect();
    assert_eq!(decoded, sample());
}

#[test]
fn keeping_the_last_record_of_each_key_keeps_the_meaning() {
    let mut all = Image::new(Arc::new(TopicSettings::default()));
    let mut compacted = all.clone();
    let stored = golden();
    for (index, record) in stored.iter().enumerate() {
        let decoded = MetadataRecord::decode(record).expect("known").expect("no tombstone");
        all.apply(&decoded).expect("its settings are sound");
        let is_last = !stored.iter().skip(index + 1).any(|later| later.key == record.key);
        if is_last {
            compacted.apply(&decoded).expect("its settings are sound");
        }
    }
    assert_eq!(all, compacted);
    assert_eq!(all.topic_count(), 1);
    let orders = all.topic("orders").expect("it is there");
    assert_eq!((orders.partition_count(), orders.config.segment_ms), (5, 60_000));
}

#[test]
fn a_name_taken_over_by_another_id_leaves_nothing_of_the_first() {
    let mut image = Image::new(Arc::new(TopicSettings::default()));
    let topic = |id, partitions| {
        MetadataRecord::Topic(TopicRecord {
            version: 1,
            name: "orders".to_owned(),
            id,
            partitions,
            overrides: BTreeMap::new(),
        })
    };
    let (first, second) = (TopicId(Uuid::from_u128(7)), TopicId(Uuid::from_u128(8)));
    image.apply(&topic(first, 3)).expect("no settings");
    image.apply(&topic(second, 2)).expect("no settings");
    assert_eq!(image.topic_by_id(first), None);
    assert_eq!(image.topic("orders").map(|topic| topic.id), Some(second));
    assert_eq!(image.partition_count(), 2);
}

#[test]
fn what_a_newer_version_wrote_is_named() {
    let unknown_type = stored("topic-home/x", r#"{"type":"topic_home","version":1,"home":"east"}"#);
    let error = MetadataRecord::decode(&unknown_type).expect_err("the type is not known");
    assert_eq!(error, RecordError::Unknown { kind: "topic_home".to_owned(), version: 1 });
    assert!(error.to_string().contains("a newer Isthmus wrote it; start that version"), "{error}");

    let newer_format = stored("producer-ids", r#"{"type":"producer_ids","version":2,"ranges":[]}"#);
    let error = MetadataRecord::decode(&newer_format).expect_err("the version is not known");
    assert_eq!(error, RecordError::Unknown { kind: "producer_ids".to_owned(), version: 2 });
}

#[test]
fn tombstones_say_nothing() {
    let tombstone = KeyValue { key: Bytes::from_static(b"anything"), value: None };
    assert_eq!(MetadataRecord::decode(&tombstone), Ok(None));
}

#[test]
fn unsound_records_are_refused() {
    let cases = [
        ("cluster", r#"{"type":"cluster","version":1,"cluster_id":"short"}"#),
        ("producer-ids", r#"{"type":"producer_ids","version":1,"next_producer_id":-1}"#),
        ("other-key", r#"{"type":"producer_ids","version":1,"next_producer_id":5}"#),
        (
            "topic/AAAAAAAAAAAAAAAAAAAAAA",
            r#"{"type":"topic","version":1,"name":"a","id":"AAAAAAAAAAAAAAAAAAAAAA","partitions":1,"overrides":{}}"#,
        ),
        (
            "topic/AAAAAAAAAAMAAAAAAAAABA",
            r#"{"type":"topic","version":1,"name":"../a","id":"AAAAAAAAAAMAAAAAAAAABA","partitions":1,"overrides":{}}"#,
        ),
        (
            "partitions/AAAAAAAAAAMAAAAAAAAABA",
            r#"{"type":"partitions","version":1,"id":"AAAAAAAAAAMAAAAAAAAABA","partitions":2000000000}"#,
        ),
        ("cluster", "[]"),
        ("cluster", ""),
        ("cluster", r#"{"type":"cluster","version":-1,"cluster_id":"AAAAAAAAAAEAAAAAAAAAAg"}"#),
    ];
    for (key, value) in cases {
        let refused = MetadataRecord::decode(&stored(key, value));
        assert!(matches!(refused, Err(RecordError::Malformed(_))), "{value}: {refused:?}");
    }
    let huge = stored("cluster", &" ".repeat(VALUE_BYTES_MAX + 1));
    assert!(matches!(MetadataRecord::decode(&huge), Err(RecordError::Malformed(_))));
    let nested = stored("cluster", &"[".repeat(100_000));
    assert!(matches!(MetadataRecord::decode(&nested), Err(RecordError::Malformed(_))));
}

/// A stored record with some of its bytes changed.
fn damaged() -> impl Strategy<Value = KeyValue> {
    let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6);
    (prop::sample::select(golden()), edits).prop_map(|(record, edits)| {
        let mut value = record.value.expect("golden records have values").to_vec();
        for (at, byte) in edits {
            let at = at.index(value.len());
            value[at] = byte;
        }
        KeyValue { key: record.key, value: Some(value.into()) }
    })
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(key: Vec<u8>, value: Vec<u8>) {
        let _ = MetadataRecord::decode(&KeyValue { key: key.into(), value: Some(value.into()) });
    }

    #[test]
    fn damaged_records_are_refused_or_fold_soundly(damaged in prop::collection::vec(damaged(), 1..20)) {
        let mut image = Image::new(Arc::new(TopicSettings::default()));
        for stored in damaged {
            if let Ok(Some(record)) = MetadataRecord::decode(&stored) {
                let _ = image.apply(&record);
            }
        }
        for topic in image.topics() {
            prop_assert_eq!(image.topic_by_id(topic.id), Some(topic));
        }
        let partitions: usize = image.topics().map(|topic| topic.partitions.len()).sum();
        prop_assert_eq!(image.partition_count(), partitions);
    }
}
