//! The messages over the wire, and what is not a message.

use bytes::{BufMut, Bytes, BytesMut};
use proptest::prelude::*;

use protocol::{GroupId, LeaderEpoch, Offset, PartitionId, TopicId, TopicName, Uuid};

use super::*;
use crate::{
    link::{Handle, limits::CONTROL_BYTES_MAX},
    ownership::HomeGeneration,
    stop::StopReason,
};

fn offset() -> impl Strategy<Value = Offset> {
    (0..=i64::MAX).prop_map(Offset)
}

fn id() -> impl Strategy<Value = TopicId> {
    (1..=u128::MAX).prop_map(|id| TopicId(Uuid::from_u128(id)))
}

fn generation() -> impl Strategy<Value = HomeGeneration> {
    any::<u64>().prop_map(HomeGeneration)
}

fn stop() -> impl Strategy<Value = StopReason> {
    let pair = || (offset(), offset());
    let damage = || (offset(), "[a-z ]{0,20}");
    prop_oneof![
        pair().prop_map(|(position, source_end)| StopReason::SourceRewound { position, source_end }),
        (pair(), 0..i32::MAX).prop_map(|((common, position), epoch)| StopReason::Diverged {
            common,
            position,
            epoch: LeaderEpoch(epoch)
        }),
        pair().prop_map(|(from, until)| StopReason::SourceTrimmed { from, until }),
        pair().prop_map(|(expected, found)| StopReason::UnexpectedGap { expected, found }),
        pair().prop_map(|(expected, found)| StopReason::BrokenChain { expected, found }),
        Just(StopReason::UnknownTopic),
        Just(StopReason::TopicGone),
        id().prop_map(|found| StopReason::SourceIdChanged { found }),
        (generation(), generation()).prop_map(|(given, known)| StopReason::LowerGeneration { given, known }),
        damage().prop_map(|(offset, what)| StopReason::SourceDamaged { offset, what }),
        damage().prop_map(|(offset, what)| StopReason::BadBlock { offset, what }),
        damage().prop_map(|(offset, what)| StopReason::UnsupportedBatch { offset, what }),
        (offset(), any::<u64>(), any::<u64>()).prop_map(|(offset, bytes, limit)| StopReason::BatchTooLarge {
            offset,
            bytes,
            limit
        }),
        "[a-z]{0,9}".prop_map(|what| StopReason::SourceOffline { what }),
        "[a-z]{0,9}".prop_map(|what| StopReason::TargetOffline { what }),
        "[a-z]{0,9}".prop_map(|what| StopReason::TargetRefused { what }),
        "[a-z]{0,9}".prop_map(|what| StopReason::TranslationLost { what }),
    ]
}

fn group_offset() -> impl Strategy<Value = GroupOffset> {
    ("[a-z]{1,9}", id(), 0..i32::MAX, offset(), proptest::option::of(0..i32::MAX), ".{0,20}", offset())
        .prop_map(|(group, topic_id, partition, offset, epoch, metadata, source_end)| GroupOffset {
            group: GroupId::from(group),
            topic_id,
            partition: PartitionId(partition),
            offset,
            epoch: epoch.map(LeaderEpoch),
            metadata,
            source_end,
        })
}

fn ownership() -> impl Strategy<Value = OwnershipMessage> {
    let pieces = (1..u32::MAX).prop_flat_map(|pieces| (0..pieces, Just(pieces)));
    ("[a-z]{1,9}", any::<u64>(), pieces, proptest::collection::vec(any::<u8>(), 0..100)).prop_map(
        |(unit, number, (piece, pieces), body)| OwnershipMessage {
            unit,
            number,
            piece,
            pieces,
            body: body.into(),
        },
    )
}

fn hello() -> impl Strategy<Value = Hello> {
    (any::<u32>(), "[a-z:]{1,9}", "[a-z]{1,9}", "[a-z]{0,9}", "[a-f0-9]{0,9}", any::<u64>()).prop_map(
        |(version, link, node, topology, digest, clock)| Hello {
            version,
            link,
            node,
            topology,
            digest,
            clock,
        },
    )
}

fn to_source() -> impl Strategy<Value = ToSource> {
    let handle = || any::<u32>().prop_map(Handle);
    prop_oneof![
        hello().prop_map(ToSource::Hello),
        (
            handle(),
            id(),
            0..i32::MAX,
            offset(),
            proptest::option::of(0..i32::MAX),
            generation(),
            any::<bool>()
        )
            .prop_map(|(handle, topic_id, partition, next_offset, epoch, generation, fresh)| {
                ToSource::Subscribe(Subscribe {
                    handle,
                    topic_id,
                    partition: PartitionId(partition),
                    next_offset,
                    last_epoch: epoch.map(LeaderEpoch),
                    generation,
                    fresh,
                })
            }),
        (handle(), proptest::option::of(stop()))
            .prop_map(|(handle, reason)| ToSource::Unsubscribe(Unsubscribe { handle, reason })),
        (handle(), offset()).prop_map(|(handle, durable_end)| ToSource::Ack { handle, durable_end }),
        any::<u64>().prop_map(|total_bytes| ToSource::Credit { total_bytes }),
        ownership().prop_map(ToSource::Ownership),
        any::<u64>().prop_map(|clock| ToSource::Ping { clock }),
    ]
}

fn to_target() -> impl Strategy<Value = ToTarget> {
    let handle = || any::<u32>().prop_map(Handle);
    let topic = (
        "[a-z]{1,20}",
        id(),
        proptest::collection::vec(0..i32::MAX, 0..9),
        proptest::collection::btree_map("[a-z.]{1,9}", ".{0,9}", 0..4),
        any::<bool>(),
        generation(),
    )
        .prop_map(|(name, id, epochs, configs, compacted, generation)| {
            let leader_epochs = epochs.into_iter().map(LeaderEpoch).collect();
            ToTarget::Topic(Topic {
                name: TopicName::from(name),
                id,
                leader_epochs,
                configs,
                compacted,
                generation,
            })
        });
    prop_oneof![
        hello().prop_map(ToTarget::Hello),
        topic,
        id().prop_map(|id| ToTarget::TopicGone { id }),
        Just(ToTarget::CatalogComplete),
        (handle(), offset(), offset(), offset(), any::<bool>()).prop_map(
            |(handle, start_offset, log_start, end, compacted)| ToTarget::Subscribed(Subscribed {
                handle,
                start_offset,
                log_start,
                end,
                compacted
            })
        ),
        (handle(), stop()).prop_map(|(handle, reason)| ToTarget::Refused { handle, reason }),
        (handle(), offset(), offset(), any::<u64>()).prop_map(|(handle, log_start, end, clock)| {
            ToTarget::Watermark(Watermark { handle, log_start, end, clock })
        }),
        group_offset().prop_map(ToTarget::GroupOffset),
        "[a-z]{1,9}".prop_map(|group| ToTarget::GroupGone(GroupGone::Group(GroupId::from(group)))),
        ("[a-z]{1,9}", id(), 0..9i32).prop_map(|(group, topic_id, partition)| {
            let (group, partition) = (GroupId::from(group), PartitionId(partition));
            ToTarget::GroupGone(GroupGone::Offset { group, topic_id, partition })
        }),
        Just(ToTarget::GroupsComplete),
        ownership().prop_map(ToTarget::Ownership),
        (any::<u64>(), any::<u64>()).prop_map(|(clock, source_clock)| ToTarget::Pong { clock, source_clock }),
    ]
}

/// Decodes all messages of a stream that comes in pieces of so many bytes.
fn decode_all<M: Control>(stream: &[u8], piece: usize) -> Result<Vec<M>, WireError> {
    let mut decoder = Decoder::new();
    let mut messages = Vec::new();
    for piece in stream.chunks(piece) {
        decoder.push(Bytes::copy_from_slice(piece));
        while let Some(message) = decoder.next_message()? {
            messages.push(message);
        }
    }
    Ok(messages)
}

proptest! {
    #[test]
    fn messages_to_the_source_come_out_as_they_went_in(
        messages in proptest::collection::vec(to_source(), 1..5), piece in 1..40usize
    ) {
        let mut stream = BytesMut::new();
        messages.iter().try_for_each(|message| encode(message, &mut stream)).unwrap();
        prop_assert_eq!(decode_all::<ToSource>(&stream, piece), Ok(messages));
    }

    #[test]
    fn messages_to_the_target_come_out_as_they_went_in(
        messages in proptest::collection::vec(to_target(), 1..5), piece in 1..40usize
    ) {
        let mut stream = BytesMut::new();
        messages.iter().try_for_each(|message| encode(message, &mut stream)).unwrap();
        prop_assert_eq!(decode_all::<ToTarget>(&stream, piece), Ok(messages));
    }

    #[test]
    fn arbitrary_bytes_are_an_error_or_a_message_and_never_a_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..300)
    ) {
        let mut framed = BytesMut::new();
        framed.put_u32(bytes.len() as u32);
        framed.extend_from_slice(&bytes);
        let _ = decode_all::<ToSource>(&framed, 64);
        let _ = decode_all::<ToTarget>(&framed, 64);
        let _ = decode_all::<ToTarget>(&bytes, 64);
    }

    #[test]
    fn a_message_with_a_changed_byte_never_panics(
        message in to_target(), at in any::<prop::sample::Index>(), byte in any::<u8>()
    ) {
        let mut stream = BytesMut::new();
        encode(&message, &mut stream).unwrap();
        let at = at.index(stream.len());
        stream[at] = byte;
        let _ = decode_all::<ToTarget>(&stream, 1000);
    }
}

#[test]
fn a_length_above_the_limit_is_refused_before_anything_else_comes() {
    let mut decoder = Decoder::new();
    decoder.push(Bytes::copy_from_slice(&(CONTROL_BYTES_MAX as u32 + 1).to_be_bytes()));
    let error = decoder.next_message::<ToSource>().unwrap_err();
    assert_eq!(error, WireError::TooLarge { bytes: CONTROL_BYTES_MAX + 1 });
}

#[test]
fn a_message_that_the_other_side_would_refuse_is_not_encoded() {
    let message = ToSource::Ownership(OwnershipMessage {
        unit: "u".into(),
        number: 1,
        piece: 0,
        pieces: 1,
        body: vec![0; CONTROL_BYTES_MAX].into(),
    });
    let mut out = BytesMut::new();
    assert!(matches!(encode(&message, &mut out), Err(WireError::TooLarge { .. })));
    assert!(out.is_empty());
}

#[test]
fn fields_that_cannot_be_are_refused_by_name() {
    use prost::Message as _;
    let refused = |message: proto::to_source::Message| {
        let mut stream = BytesMut::new();
        let proto = proto::ToSource { message: Some(message) };
        stream.put_u32(proto.encoded_len() as u32);
        proto.encode(&mut stream).unwrap();
        decode_all::<ToSource>(&stream, 1000).unwrap_err()
    };
    let good = proto::Subscribe { topic_id: Bytes::from(vec![1; 16]), ..Default::default() };
    let short_id = proto::Subscribe { topic_id: Bytes::from(vec![1; 15]), ..good.clone() };
    let field = |field| WireError::Field { field };
    assert_eq!(refused(proto::to_source::Message::Subscribe(short_id)), field("topic id"));
    let nil_id = proto::Subscribe { topic_id: Bytes::from(vec![0; 16]), ..good.clone() };
    assert_eq!(refused(proto::to_source::Message::Subscribe(nil_id)), field("topic id"));
    let negative = proto::Subscribe { next_offset: -1, ..good };
    let value = WireError::Value { field: "next offset", value: -1 };
    assert_eq!(refused(proto::to_source::Message::Subscribe(negative)), value);
    assert_eq!(refused(proto::to_source::Message::Hello(proto::Hello::default())), field("link"));
    assert_eq!(decode_all::<ToSource>(&[0, 0, 0, 0], 4), Err(WireError::UnknownKind));
}
