//! The versions that `kafka-protocol` does not know yet: bytes by hand, from Kafka's message definitions.

use bytes::Bytes;
use bytestring::ByteString;
use kafka_protocol::{messages as theirs, protocol::Message};

use protocol::{
    ErrorCode, Uuid,
    codec::{Api, Encoder},
    messages::{k08_offset_commit::*, k09_offset_fetch::*},
};

use crate::apis::each_api;

macro_rules! unknown_to_them {
    ($($module:ident: $request:ident, $response:ident;)*) => {
        [$(
            unknown::<protocol::messages::$module::$request, theirs::$request>(),
            unknown::<protocol::messages::$module::$response, theirs::$response>(),
        )*]
    };
}

fn unknown<O: Api, T: Message>() -> Vec<(&'static str, i16)> {
    O::VERSIONS
        .filter(|version| !(T::VERSIONS.min..=T::VERSIONS.max).contains(version))
        .map(|version| (O::NAME, version))
        .collect()
}

/// When this fails because they have learned more, the tests below have done their work.
#[test]
fn only_the_versions_tested_here_are_unknown_to_them() {
    let unknown = each_api!(unknown_to_them).concat();
    // They know the responses; tested here too, beside their requests.
    assert_eq!(unknown, ["OffsetCommitRequest", "OffsetFetchRequest"].map(|name| (name, 10)));
}

const TOPIC: u128 = 0x0011_2233_4455_6677_8899_aabb_ccdd_eeff;

/// Both ways, and not one byte more or less.
#[track_caller]
fn same<M: Api + std::fmt::Debug + PartialEq>(message: M, parts: &[&[u8]]) {
    let bytes = Bytes::from(parts.concat());
    let mut to = Encoder::new();
    message.write(&mut to, 10).unwrap();
    assert_eq!(to.into_bytes(), bytes);
    assert_eq!(M::read(bytes, 10), Ok(message));
}

#[test]
fn offset_commit_10_names_topics_by_id() {
    let partition = OffsetCommitRequestPartition {
        partition_index: 3,
        committed_offset: 0x0102_0304_0506,
        committed_leader_epoch: 7,
        committed_metadata: None,
    };
    let request = OffsetCommitRequest {
        group_id: ByteString::from("g"),
        generation_id_or_member_epoch: 5,
        member_id: ByteString::from("me"),
        topics: vec![OffsetCommitRequestTopic {
            topic_id: Uuid::from_u128(TOPIC),
            partitions: vec![partition],
            ..Default::default()
        }],
        ..Default::default()
    };
    same(
        request,
        &[
            b"\x02g\0\0\0\x05\x03me\0\x02",
            &TOPIC.to_be_bytes(),
            b"\x02\0\0\0\x03\0\0\x01\x02\x03\x04\x05\x06\0\0\0\x07\0\0",
            b"\0\0",
        ],
    );
    let partition =
        OffsetCommitResponsePartition { partition_index: 3, error_code: ErrorCode::UNKNOWN_TOPIC_ID };
    let response = OffsetCommitResponse {
        throttle_time_ms: 9,
        topics: vec![OffsetCommitResponseTopic {
            topic_id: Uuid::from_u128(TOPIC),
            partitions: vec![partition],
            ..Default::default()
        }],
    };
    same(response, &[b"\0\0\0\x09\x02", &TOPIC.to_be_bytes(), b"\x02\0\0\0\x03\0\x64\0\0\0"]);
}

#[test]
fn offset_fetch_10_names_topics_by_id() {
    let request = OffsetFetchRequest {
        groups: vec![OffsetFetchRequestGroup {
            group_id: ByteString::from("g"),
            member_id: None,
            member_epoch: -1,
            topics: Some(vec![OffsetFetchRequestGroupTopic {
                topic_id: Uuid::from_u128(TOPIC),
                partition_indexes: vec![1, 2],
                ..Default::default()
            }]),
        }],
        require_stable: true,
        ..Default::default()
    };
    same(
        request,
        &[b"\x02\x02g\0\xff\xff\xff\xff\x02", &TOPIC.to_be_bytes(), b"\x03\0\0\0\x01\0\0\0\x02\0\0\x01\0"],
    );
    let partition = OffsetFetchResponseGroupPartition {
        partition_index: 1,
        committed_offset: -1,
        committed_leader_epoch: -1,
        metadata: Some(ByteString::from("m")),
        error_code: ErrorCode::NONE,
    };
    let response = OffsetFetchResponse {
        groups: vec![OffsetFetchResponseGroup {
            group_id: ByteString::from("g"),
            topics: vec![OffsetFetchResponseGroupTopic {
                topic_id: Uuid::from_u128(TOPIC),
                partitions: vec![partition],
                ..Default::default()
            }],
            error_code: ErrorCode::NOT_COORDINATOR,
        }],
        ..Default::default()
    };
    same(
        response,
        &[
            b"\0\0\0\0\x02\x02g\x02",
            &TOPIC.to_be_bytes(),
            b"\x02\0\0\0\x01",
            &[0xff; 12],
            b"\x02m\0\0\0\0\0\x10\0\0",
        ],
    );
}
