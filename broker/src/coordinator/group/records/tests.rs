//! Golden bytes, written out by hand from Kafka's definitions (`OffsetCommitKey`, `OffsetCommitValue`,
//! `GroupMetadataKey`, `GroupMetadataValue`).

use protocol::{GenerationId, LeaderEpoch, MemberId, Offset};

use super::*;

/// Bytes from text: two hex digits a byte, or a quoted string.
fn bytes(text: &str) -> Bytes {
    let mut bytes = Vec::new();
    for (at, part) in text.split('"').enumerate() {
        if at % 2 == 1 {
            bytes.extend(part.as_bytes());
        } else {
            let digits: Vec<char> = part.chars().filter(|c| !c.is_whitespace()).collect();
            let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap();
            bytes.extend(digits.chunks(2).map(byte));
        }
    }
    Bytes::from(bytes)
}

fn group() -> GroupId {
    GroupId::from("grp")
}

fn key() -> (TopicName, PartitionId) {
    (TopicName::from("orders"), PartitionId(5))
}

fn committed() -> CommittedOffset {
    CommittedOffset {
        offset: Offset(258),
        leader_epoch: LeaderEpoch(7),
        metadata: "note".into(),
        commit_ms: 1_700_000_000_000,
        expire_ms: None,
    }
}

const OFFSET_KEY: &str = r#"0001 0003"grp" 0006"orders" 00000005"#;
const GROUP_KEY: &str = r#"0002 0003"grp""#;

fn read_offset(value: &str) -> CommittedOffset {
    match read(&KeyValue { key: bytes(OFFSET_KEY), value: Some(bytes(value)) }).unwrap() {
        Record::Offset { group: of, topic, partition, value: Some(value) } => {
            assert_eq!((of, (topic, partition)), (group(), key()));
            value
        }
        other => panic!("{other:?}"),
    }
}

fn read_group(value: &str) -> GroupMetadata {
    match read(&KeyValue { key: bytes(GROUP_KEY), value: Some(bytes(value)) }).unwrap() {
        Record::Group { value: Some(value), .. } => value,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_offset_is_written_as_version_3() {
    let record = offset(&group(), &key(), &committed()).unwrap();
    assert_eq!(record.key, bytes(OFFSET_KEY));
    let value = r#"0003 0000000000000102 00000007 0004"note" 0000018bcfe56800"#;
    assert_eq!(record.value, Some(bytes(value)));
    assert_eq!(read_offset(value), committed());
}

#[test]
fn an_offset_with_its_own_expiry_is_written_as_version_1() {
    let expiring = CommittedOffset {
        leader_epoch: LeaderEpoch::NONE,
        expire_ms: Some(1_700_000_000_001),
        ..committed()
    };
    let record = offset(&group(), &key(), &expiring).unwrap();
    let value = r#"0001 0000000000000102 0004"note" 0000018bcfe56800 0000018bcfe56801"#;
    assert_eq!(record.value, Some(bytes(value)));
    assert_eq!(read_offset(value), expiring);
}

#[test]
fn offsets_of_all_versions_are_read() {
    let without_epoch = CommittedOffset { leader_epoch: LeaderEpoch::NONE, ..committed() };
    for version in ["0000", "0002"] {
        let value = format!(r#"{version} 0000000000000102 0004"note" 0000018bcfe56800"#);
        assert_eq!(read_offset(&value), without_epoch);
    }
    // Version 1 says -1 when there is no expiry.
    let value = r#"0001 0000000000000102 0004"note" 0000018bcfe56800 ffffffffffffffff"#;
    assert_eq!(read_offset(value), without_epoch);
    // Version 4 is flexible; a topic id stands in tag 0.
    let id = "00".repeat(16);
    let value = format!(r#"0004 0000000000000102 00000007 05"note" 0000018bcfe56800 01 00 10 {id}"#);
    assert_eq!(read_offset(&value), committed());
}

#[test]
fn old_keys_are_read() {
    let record = KeyValue { key: bytes(r#"0000 0003"grp" 0006"orders" 00000005"#), value: None };
    assert!(matches!(read(&record), Ok(Record::Offset { value: None, .. })));
}

#[test]
fn tombstones_are_keys_alone() {
    assert_eq!(offset_tombstone(&group(), &key()), Ok(KeyValue { key: bytes(OFFSET_KEY), value: None }));
    assert_eq!(group_tombstone(&group()), Ok(KeyValue { key: bytes(GROUP_KEY), value: None }));
    let read = read(&group_tombstone(&group()).unwrap()).unwrap();
    assert!(matches!(read, Record::Group { value: None, .. }));
}

fn metadata() -> GroupMetadata {
    let member = StoredMember {
        member_id: MemberId::from("a-1"),
        instance_id: Some("s".into()),
        client_id: "a".into(),
        client_host: "/h".into(),
        rebalance_timeout_ms: 300_000,
        session_timeout_ms: 10_000,
        subscription: Bytes::from_static(b"sub"),
        assignment: Bytes::from_static(b"asg!"),
    };
    let dynamic = StoredMember { member_id: MemberId::from("b-2"), instance_id: None, ..member.clone() };
    GroupMetadata {
        protocol_type: "consumer".into(),
        generation: GenerationId(9),
        protocol: Some("range".into()),
        leader: Some(MemberId::from("a-1")),
        state_since_ms: Some(1_700_000_000_000),
        members: vec![member, dynamic],
    }
}

#[test]
fn a_group_is_written_as_version_3() {
    let record = metadata().record(&group()).unwrap();
    assert_eq!(record.key, bytes(GROUP_KEY));
    let value = r#"0003 0008"consumer" 00000009 0005"range" 0003"a-1" 0000018bcfe56800 00000002
        0003"a-1" 0001"s" 0001"a" 0002"/h" 000493e0 00002710 00000003"sub" 00000004"asg!"
        0003"b-2" ffff    0001"a" 0002"/h" 000493e0 00002710 00000003"sub" 00000004"asg!""#;
    assert_eq!(record.value, Some(bytes(value)));
    assert_eq!(read_group(value), metadata());
}

#[test]
fn an_empty_group_has_neither_protocol_nor_leader() {
    let empty = GroupMetadata { protocol: None, leader: None, members: Vec::new(), ..metadata() };
    let value = r#"0003 0008"consumer" 00000009 ffff ffff 0000018bcfe56800 00000000"#;
    assert_eq!(empty.record(&group()).unwrap().value, Some(bytes(value)));
    assert_eq!(read_group(value), empty);
}

#[test]
fn groups_of_all_versions_are_read() {
    let head = r#"0008"consumer" 00000009 0005"range" 0003"a-1""#;
    let first = &metadata().members[0];
    let old = StoredMember { instance_id: None, rebalance_timeout_ms: -1, ..first.clone() };

    let value =
        format!(r#"0000 {head} 00000001 0003"a-1" 0001"a" 0002"/h" 00002710 00000003"sub" 00000004"asg!""#);
    let read = read_group(&value);
    assert_eq!((read.state_since_ms, read.members), (None, vec![old.clone()]));

    let with_rebalance = StoredMember { rebalance_timeout_ms: 300_000, ..old };
    let member = r#"00000001 0003"a-1" 0001"a" 0002"/h" 000493e0 00002710 00000003"sub" 00000004"asg!""#;
    let read = read_group(&format!("0001 {head} {member}"));
    assert_eq!((read.state_since_ms, &read.members), (None, &vec![with_rebalance.clone()]));
    let read = read_group(&format!("0002 {head} 0000018bcfe56800 {member}"));
    assert_eq!((read.state_since_ms, &read.members), (Some(1_700_000_000_000), &vec![with_rebalance]));

    let value = r#"0004 09"consumer" 00000009 06"range" 04"a-1" 0000018bcfe56800 02
        04"a-1" 02"s" 02"a" 03"/h" 000493e0 00002710 04"sub" 05"asg!" 00 00"#;
    let read = read_group(value);
    assert_eq!(read.members, vec![first.clone()]);
    assert_eq!(read.protocol, metadata().protocol);
}

#[test]
fn what_is_not_ours_is_said_to_be_foreign() {
    let record = KeyValue { key: bytes(r#"0003 0003"grp" 99"#), value: Some(bytes("00")) };
    assert!(matches!(read(&record), Ok(Record::Foreign { key_version: 3 })));
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let broken = [
        ("", None),
        ("00", None),
        (r#"0002 7fff"grp""#, None),
        (r#"0002 ffff"#, None),
        (r#"0002 0003"grp" 00"#, None),
        (GROUP_KEY, Some("")),
        (GROUP_KEY, Some("0005")),
        (GROUP_KEY, Some("ffff")),
        (GROUP_KEY, Some(r#"0003 0008"consumer" 00000009 ffff ffff 0000018bcfe56800 7fffffff"#)),
        (GROUP_KEY, Some(r#"0003 0008"consumer" 00000009 ffff ffff 0000018bcfe56800 00000000 00"#)),
        (OFFSET_KEY, Some("0003 0000000000000102")),
        (OFFSET_KEY, Some(r#"0009 0000000000000102 00000007 0004"note" 0000018bcfe56800"#)),
    ];
    for (key, value) in broken {
        let record = KeyValue { key: bytes(key), value: value.map(bytes) };
        assert!(read(&record).is_err(), "{record:?}");
    }
}

#[test]
fn every_cut_of_a_record_is_an_error_and_no_panic() {
    let whole = metadata().record(&group()).unwrap();
    let value = whole.value.unwrap();
    for length in 0..value.len() {
        let record = KeyValue { key: whole.key.clone(), value: Some(value.slice(..length)) };
        assert!(read(&record).is_err(), "cut at {length}");
    }
}

#[test]
fn names_that_do_not_fit_are_an_error() {
    let long = GroupId::from("x".repeat(40_000));
    assert!(offset(&long, &key(), &committed()).is_err());
    assert!(metadata().record(&long).is_err());
    let fits = GroupId::from("x".repeat(crate::coordinator::group::limits::GROUP_ID_BYTES_MAX));
    assert!(offset(&fits, &key(), &committed()).is_ok());
}
