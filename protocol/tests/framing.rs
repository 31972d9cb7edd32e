//! Produce and Fetch framed by hand, against the same messages as they are declared.

#![cfg(test)]

#[path = "../../fuzz/src/entropy.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the fuzz targets")]
mod entropy;
#[path = "../../fuzz/src/sample.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the fuzz targets")]
mod sample;

use bytes::{Bytes, BytesMut};
use bytestring::ByteString;

use protocol::{
    codec::{Api, DecodeError, Decoder, Encoder, Kind},
    framing::{
        fetch,
        produce::{ProduceFrame, ProducePartition, ProduceTopic},
    },
    messages::{k00_produce::*, k01_fetch::*},
    versions::served,
};

use entropy::Entropy;

const CASES: u64 = 300;

fn sample_of<M: Api>(version: i16, seed: u64) -> Bytes {
    let Kind::Struct(schema) = M::KIND else { unreachable!("a message is a struct") };
    sample::message(schema, M::layout(version), true, &mut Entropy::seeded(seed)).into()
}

fn declared_form(request: ProduceRequest) -> ProduceFrame {
    let partition = |partition: ProduceRequestPartitionData| ProducePartition {
        index: partition.index,
        records: partition.records.map(|records| BytesMut::from(&records[..])),
    };
    let topic = |topic: ProduceRequestTopicData| ProduceTopic {
        name: topic.name,
        partitions: topic.partition_data.into_iter().map(partition).collect(),
    };
    ProduceFrame {
        transactional_id: request.transactional_id,
        acks: request.acks,
        timeout_ms: request.timeout_ms,
        topics: request.topic_data.into_iter().map(topic).collect(),
    }
}

#[test]
fn a_produce_frame_reads_what_the_declared_request_reads() {
    for version in 3..=12 {
        for seed in 0..CASES {
            let body = sample_of::<ProduceRequest>(version, seed);
            let declared = ProduceRequest::read(body.clone(), version).unwrap();
            let framed = ProduceFrame::read(Decoder::new(BytesMut::from(&body[..])), version).unwrap();
            assert_eq!(framed, declared_form(declared), "version {version}, seed {seed}");
        }
    }
}

#[test]
fn a_produce_frame_refuses_what_the_declared_request_refuses() {
    for version in 3..=12 {
        for seed in 0..20 {
            let body = sample_of::<ProduceRequest>(version, seed);
            for length in 0..body.len() {
                let cut = &body[..length];
                ProduceRequest::read(Bytes::copy_from_slice(cut), version).unwrap_err();
                ProduceFrame::read(Decoder::new(BytesMut::from(cut)), version).unwrap_err();
            }
            let longer = BytesMut::from(&[&body[..], b"\0"].concat()[..]);
            let refused = ProduceFrame::read(Decoder::new(longer), version).unwrap_err();
            assert_eq!(refused, DecodeError::TrailingBytes(1));
        }
    }
}

/// From version 13 topics have ids instead of names, which this frame has no place for.
#[test]
fn versions_that_a_produce_frame_does_not_know_are_refused() {
    assert!(served(0).unwrap().max <= 12);
    for version in [i16::MIN, -1, 2, 13, i16::MAX] {
        let refused = ProduceFrame::read(Decoder::new(BytesMut::zeroed(100)), version).unwrap_err();
        assert_eq!(refused, DecodeError::UnknownVersion { message: "ProduceRequest", version });
    }
}

#[test]
fn produced_records_are_parts_of_the_frame_that_change_alone() {
    let partition = |index: i32, byte: u8| ProduceRequestPartitionData {
        index,
        records: Some(Bytes::from(vec![byte; 2_000])),
    };
    let request = ProduceRequest {
        acks: -1,
        topic_data: vec![ProduceRequestTopicData {
            name: ByteString::from("t"),
            partition_data: vec![partition(0, 7), partition(1, 8)],
            ..Default::default()
        }],
        ..Default::default()
    };
    let mut to = Encoder::new();
    request.write(&mut to, 9).unwrap();
    let body = BytesMut::from(&to.into_bytes()[..]);
    let place = body.as_ptr_range();
    let frame = ProduceFrame::read(Decoder::new(body), 9).unwrap();
    let mut records: Vec<_> =
        frame.topics.into_iter().flat_map(|topic| topic.partitions).filter_map(|p| p.records).collect();
    assert!(records.iter().all(|records| place.contains(&records.as_ptr())));
    records[0].fill(1);
    assert!(records[1].iter().all(|&byte| byte == 8));
    // Handed on as shared bytes, they are still not copied.
    let at = records[0].as_ptr();
    assert_eq!(records.swap_remove(0).freeze().as_ptr(), at);
}

/// Takes the records out of a response, in pieces of uneven length. A log answers with no records rather than null.
fn in_pieces(response: &mut FetchResponse) -> Vec<fetch::Records> {
    let partitions = response.responses.iter_mut().flat_map(|topic| &mut topic.partitions);
    partitions
        .map(|partition| {
            let mut rest = partition.records.get_or_insert_with(Bytes::new).clone();
            let mut pieces = Vec::new();
            while !rest.is_empty() {
                pieces.push(rest.split_to((rest.len() / 2).max(1)));
            }
            pieces
        })
        .collect()
}

#[test]
fn a_fetch_answer_in_pieces_is_the_declared_response() {
    for version in FetchResponse::VERSIONS {
        for seed in 0..CASES {
            let mut response =
                FetchResponse::read(sample_of::<FetchResponse>(version, seed), version).unwrap();
            let records = in_pieces(&mut response);
            let (mut declared, mut framed) = (Encoder::new(), Encoder::new());
            response.write(&mut declared, version).unwrap();
            fetch::write(&mut framed, version, &response, &records).unwrap();
            assert_eq!(framed.length(), declared.length());
            assert_eq!(framed.into_bytes(), declared.into_bytes(), "version {version}, seed {seed}");
        }
    }
}

#[test]
fn fetched_records_go_out_as_the_slices_they_were() {
    let piece = Bytes::from(vec![9; 10_000]);
    let response = FetchResponse {
        responses: vec![FetchResponseTopic {
            partitions: vec![FetchResponsePartition::default()],
            ..Default::default()
        }],
        ..Default::default()
    };
    let mut to = Encoder::new();
    fetch::write(&mut to, 13, &response, &[vec![piece.clone(), piece.clone()]]).unwrap();
    let chunks = to.into_chunks();
    assert_eq!(chunks.iter().filter(|chunk| chunk.as_ptr() == piece.as_ptr()).count(), 2);
    assert!(chunks.iter().filter(|chunk| chunk.as_ptr() != piece.as_ptr()).all(|chunk| chunk.len() < 200));
}
