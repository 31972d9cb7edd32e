//! Between the messages of the cores and those on the wire.

use bytes::Bytes;

use protocol::{GroupId, LeaderEpoch, Offset, PartitionId, TopicId, TopicName, Uuid};

use super::{
    Control, GroupGone, GroupOffset, Hello, OwnershipMessage, Subscribe, Subscribed, ToSource, ToTarget,
    Topic, Unsubscribe, Watermark, WireError, proto,
};
use crate::{link::Handle, ownership::HomeGeneration, stop::StopReason};

/// Kafka's limit for topic names.
const TOPIC_NAME_BYTES_MAX: usize = 249;
/// Of names, group ids and other short text.
const TEXT_BYTES_MAX: usize = 32 << 10;

impl Control for ToSource {
    type Proto = proto::ToSource;

    fn to_proto(&self) -> proto::ToSource {
        use proto::to_source::Message;
        let message = match self {
            Self::Hello(hello) => Message::Hello(hello.into()),
            Self::Subscribe(subscribe) => Message::Subscribe(subscribe.into()),
            Self::Unsubscribe(Unsubscribe { handle, reason }) => Message::Unsubscribe(proto::Unsubscribe {
                handle: handle.0,
                reason: reason.as_ref().map(proto::Stop::from),
            }),
            Self::Ack { handle, durable_end } => {
                Message::Ack(proto::Ack { handle: handle.0, durable_end: durable_end.0 })
            }
            Self::Credit { total_bytes } => Message::Credit(proto::Credit { total_bytes: *total_bytes }),
            Self::Ownership(ownership) => Message::Ownership(ownership.into()),
            Self::Ping { clock } => Message::Ping(proto::Ping { clock: *clock }),
        };
        proto::ToSource { message: Some(message) }
    }

    fn from_proto(proto: proto::ToSource) -> Result<Self, WireError> {
        use proto::to_source::Message;
        Ok(match proto.message.ok_or(WireError::UnknownKind)? {
            Message::Hello(hello) => Self::Hello(hello.try_into()?),
            Message::Subscribe(subscribe) => Self::Subscribe(subscribe.try_into()?),
            Message::Unsubscribe(proto::Unsubscribe { handle, reason }) => Self::Unsubscribe(Unsubscribe {
                handle: Handle(handle),
                reason: reason.map(StopReason::try_from).transpose()?,
            }),
            Message::Ack(ack) => {
                Self::Ack { handle: Handle(ack.handle), durable_end: offset("durable end", ack.durable_end)? }
            }
            Message::Credit(proto::Credit { total_bytes }) => Self::Credit { total_bytes },
            Message::Ownership(ownership) => Self::Ownership(OwnershipMessage::try_from(ownership)?),
            Message::Ping(proto::Ping { clock }) => Self::Ping { clock },
        })
    }
}

impl Control for ToTarget {
    type Proto = proto::ToTarget;

    fn to_proto(&self) -> proto::ToTarget {
        use proto::to_target::Message;
        let message = match self {
            Self::Hello(hello) => Message::Hello(hello.into()),
            Self::Topic(topic) => Message::Topic(topic.into()),
            Self::TopicGone { id } => Message::TopicGone(proto::TopicGone { id: id_bytes(*id) }),
            Self::CatalogComplete => Message::CatalogComplete(proto::CatalogComplete {}),
            Self::Subscribed(subscribed) => Message::Subscribed(subscribed.into()),
            Self::Refused { handle, reason } => {
                Message::Refused(proto::Refused { handle: handle.0, reason: Some(reason.into()) })
            }
            Self::Watermark(watermark) => Message::Watermark(watermark.into()),
            Self::GroupOffset(offset) => Message::GroupOffsets(offset.into()),
            Self::GroupGone(gone) => Message::GroupGone(gone.into()),
            Self::GroupsComplete => Message::GroupsComplete(proto::GroupsComplete {}),
            Self::Ownership(ownership) => Message::Ownership(ownership.into()),
            Self::Pong { clock, source_clock } => {
                Message::Pong(proto::Pong { clock: *clock, source_clock: *source_clock })
            }
        };
        proto::ToTarget { message: Some(message) }
    }

    fn from_proto(proto: proto::ToTarget) -> Result<Self, WireError> {
        use proto::to_target::Message;
        Ok(match proto.message.ok_or(WireError::UnknownKind)? {
            Message::Hello(hello) => Self::Hello(hello.try_into()?),
            Message::Topic(topic) => Self::Topic(topic.try_into()?),
            Message::TopicGone(gone) => Self::TopicGone { id: topic_id(&gone.id)? },
            Message::CatalogComplete(proto::CatalogComplete {}) => Self::CatalogComplete,
            Message::Subscribed(subscribed) => Self::Subscribed(subscribed.try_into()?),
            Message::Refused(proto::Refused { handle, reason }) => Self::Refused {
                handle: Handle(handle),
                reason: reason.ok_or(WireError::Field { field: "reason" })?.try_into()?,
            },
            Message::Watermark(watermark) => Self::Watermark(watermark.try_into()?),
            Message::GroupOffsets(offset) => Self::GroupOffset(offset.try_into()?),
            Message::GroupGone(gone) => Self::GroupGone(gone.try_into()?),
            Message::GroupsComplete(proto::GroupsComplete {}) => Self::GroupsComplete,
            Message::Ownership(ownership) => Self::Ownership(OwnershipMessage::try_from(ownership)?),
            Message::Pong(proto::Pong { clock, source_clock }) => Self::Pong { clock, source_clock },
        })
    }
}

impl From<&Hello> for proto::Hello {
    fn from(hello: &Hello) -> Self {
        let Hello { version, link, node, topology, digest, clock } = hello.clone();
        Self { version, link, node, topology, digest, clock }
    }
}

impl TryFrom<proto::Hello> for Hello {
    type Error = WireError;

    fn try_from(proto: proto::Hello) -> Result<Self, WireError> {
        Ok(Self {
            version: proto.version,
            link: name("link", proto.link)?,
            node: name("node", proto.node)?,
            topology: text("topology", proto.topology)?,
            digest: text("digest", proto.digest)?,
            clock: proto.clock,
        })
    }
}

impl From<&Subscribe> for proto::Subscribe {
    fn from(subscribe: &Subscribe) -> Self {
        Self {
            handle: subscribe.handle.0,
            topic_id: id_bytes(subscribe.topic_id),
            partition: subscribe.partition.0,
            next_offset: subscribe.next_offset.0,
            last_epoch: subscribe.last_epoch.map(|epoch| epoch.0),
            generation: subscribe.generation.0,
            fresh: subscribe.fresh,
        }
    }
}

impl TryFrom<proto::Subscribe> for Subscribe {
    type Error = WireError;

    fn try_from(proto: proto::Subscribe) -> Result<Self, WireError> {
        Ok(Self {
            handle: Handle(proto.handle),
            topic_id: topic_id(&proto.topic_id)?,
            partition: partition(proto.partition)?,
            next_offset: offset("next offset", proto.next_offset)?,
            last_epoch: proto.last_epoch.map(epoch).transpose()?,
            generation: HomeGeneration(proto.generation),
            fresh: proto.fresh,
        })
    }
}

impl From<&Subscribed> for proto::Subscribed {
    fn from(subscribed: &Subscribed) -> Self {
        Self {
            handle: subscribed.handle.0,
            start_offset: subscribed.start_offset.0,
            log_start: subscribed.log_start.0,
            end: subscribed.end.0,
            compacted: subscribed.compacted,
        }
    }
}

impl TryFrom<proto::Subscribed> for Subscribed {
    type Error = WireError;

    fn try_from(proto: proto::Subscribed) -> Result<Self, WireError> {
        Ok(Self {
            handle: Handle(proto.handle),
            start_offset: offset("start offset", proto.start_offset)?,
            log_start: offset("log start", proto.log_start)?,
            end: offset("end", proto.end)?,
            compacted: proto.compacted,
        })
    }
}

impl From<&Watermark> for proto::Watermark {
    fn from(watermark: &Watermark) -> Self {
        Self {
            handle: watermark.handle.0,
            log_start: watermark.log_start.0,
            end: watermark.end.0,
            clock: watermark.clock,
        }
    }
}

impl TryFrom<proto::Watermark> for Watermark {
    type Error = WireError;

    fn try_from(proto: proto::Watermark) -> Result<Self, WireError> {
        Ok(Self {
            handle: Handle(proto.handle),
            log_start: offset("log start", proto.log_start)?,
            end: offset("end", proto.end)?,
            clock: proto.clock,
        })
    }
}

impl From<&Topic> for proto::Topic {
    fn from(topic: &Topic) -> Self {
        Self {
            name: topic.name.to_string(),
            id: id_bytes(topic.id),
            leader_epochs: topic.leader_epochs.iter().map(|epoch| epoch.0).collect(),
            configs: topic.configs.clone(),
            compacted: topic.compacted,
            generation: topic.generation.0,
        }
    }
}

impl TryFrom<proto::Topic> for Topic {
    type Error = WireError;

    fn try_from(proto: proto::Topic) -> Result<Self, WireError> {
        if proto.name.is_empty() || proto.name.len() > TOPIC_NAME_BYTES_MAX {
            return Err(WireError::Field { field: "topic name" });
        }
        Ok(Self {
            name: TopicName::from(proto.name),
            id: topic_id(&proto.id)?,
            leader_epochs: proto.leader_epochs.into_iter().map(epoch).collect::<Result<_, _>>()?,
            configs: proto.configs,
            compacted: proto.compacted,
            generation: HomeGeneration(proto.generation),
        })
    }
}

impl From<&GroupOffset> for proto::GroupOffsets {
    fn from(committed: &GroupOffset) -> Self {
        Self {
            group: committed.group.to_string(),
            topic_id: id_bytes(committed.topic_id),
            partition: committed.partition.0,
            offset: committed.offset.0,
            epoch: committed.epoch.map(|epoch| epoch.0),
            metadata: committed.metadata.clone(),
            source_end: committed.source_end.0,
        }
    }
}

impl TryFrom<proto::GroupOffsets> for GroupOffset {
    type Error = WireError;

    fn try_from(proto: proto::GroupOffsets) -> Result<Self, WireError> {
        Ok(Self {
            group: group(proto.group)?,
            topic_id: topic_id(&proto.topic_id)?,
            partition: partition(proto.partition)?,
            offset: offset("group offset", proto.offset)?,
            epoch: proto.epoch.map(epoch).transpose()?,
            metadata: text("metadata", proto.metadata)?,
            source_end: offset("source end", proto.source_end)?,
        })
    }
}

impl From<&GroupGone> for proto::GroupGone {
    fn from(gone: &GroupGone) -> Self {
        match gone {
            GroupGone::Group(group) => Self { group: group.to_string(), topic_id: None, partition: 0 },
            GroupGone::Offset { group, topic_id, partition } => {
                Self { group: group.to_string(), topic_id: Some(id_bytes(*topic_id)), partition: partition.0 }
            }
        }
    }
}

impl TryFrom<proto::GroupGone> for GroupGone {
    type Error = WireError;

    fn try_from(proto: proto::GroupGone) -> Result<Self, WireError> {
        let group = group(proto.group)?;
        Ok(match proto.topic_id {
            None => Self::Group(group),
            Some(id) => {
                Self::Offset { group, topic_id: topic_id(&id)?, partition: partition(proto.partition)? }
            }
        })
    }
}

pub(super) fn id_bytes(id: TopicId) -> Bytes {
    Bytes::copy_from_slice(id.0.as_bytes())
}

pub(super) fn topic_id(bytes: &[u8]) -> Result<TopicId, WireError> {
    match Uuid::from_slice(bytes) {
        Ok(id) if !id.is_nil() => Ok(TopicId(id)),
        Ok(_) | Err(_) => Err(WireError::Field { field: "topic id" }),
    }
}

pub(super) fn partition(value: i32) -> Result<PartitionId, WireError> {
    not_negative("partition", value.into()).map(|_| PartitionId(value))
}

pub(super) fn offset(field: &'static str, value: i64) -> Result<Offset, WireError> {
    not_negative(field, value).map(Offset)
}

pub(super) fn epoch(value: i32) -> Result<LeaderEpoch, WireError> {
    not_negative("leader epoch", value.into()).map(|_| LeaderEpoch(value))
}

/// Text that may be empty.
pub(super) fn text(field: &'static str, value: String) -> Result<String, WireError> {
    if value.len() > TEXT_BYTES_MAX { Err(WireError::Field { field }) } else { Ok(value) }
}

pub(super) fn name(field: &'static str, value: String) -> Result<String, WireError> {
    if value.is_empty() { Err(WireError::Field { field }) } else { text(field, value) }
}

fn group(value: String) -> Result<GroupId, WireError> {
    name("group", value).map(GroupId::from)
}

fn not_negative(field: &'static str, value: i64) -> Result<i64, WireError> {
    if value < 0 { Err(WireError::Value { field, value }) } else { Ok(value) }
}
