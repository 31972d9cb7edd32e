//! Between the ownership messages of the cores and those on the wire.

use super::{
    Fenced, OwnershipMessage, PartitionEnd, Stage, WireError,
    convert::{id_bytes, name, offset, partition, text, topic_id},
    proto,
};
use crate::ownership::HomeGeneration;

impl From<&OwnershipMessage> for proto::Ownership {
    fn from(message: &OwnershipMessage) -> Self {
        use proto::ownership::Message;
        let message = match message.clone() {
            OwnershipMessage::State { unit, generation, home, stage } => Message::State(proto::UnitState {
                unit,
                generation: generation.0,
                home,
                stage: proto::Stage::from(stage).into(),
            }),
            OwnershipMessage::Fence { request, unit, generation } => {
                Message::Fence(proto::Fence { request, unit, generation: generation.0 })
            }
            OwnershipMessage::Fenced(fenced) => Message::Fenced(fenced.into()),
            OwnershipMessage::Unfence { request, unit, generation } => {
                Message::Unfence(proto::Unfence { request, unit, generation: generation.0 })
            }
            OwnershipMessage::Promoted { unit, generation, home } => {
                Message::Promoted(proto::Promoted { unit, generation: generation.0, home })
            }
            OwnershipMessage::Refused { request, reason } => {
                Message::Refused(proto::OwnershipRefused { request, reason })
            }
        };
        Self { message: Some(message) }
    }
}

impl TryFrom<proto::Ownership> for OwnershipMessage {
    type Error = WireError;

    fn try_from(proto: proto::Ownership) -> Result<Self, WireError> {
        use proto::ownership::Message;
        Ok(match proto.message.ok_or(WireError::UnknownKind)? {
            Message::State(state) => Self::State {
                stage: state.stage().try_into()?,
                unit: name("unit", state.unit)?,
                generation: HomeGeneration(state.generation),
                home: name("home", state.home)?,
            },
            Message::Fence(proto::Fence { request, unit, generation }) => {
                Self::Fence { request, unit: name("unit", unit)?, generation: HomeGeneration(generation) }
            }
            Message::Fenced(fenced) => Self::Fenced(fenced.try_into()?),
            Message::Unfence(proto::Unfence { request, unit, generation }) => {
                Self::Unfence { request, unit: name("unit", unit)?, generation: HomeGeneration(generation) }
            }
            Message::Promoted(proto::Promoted { unit, generation, home }) => Self::Promoted {
                unit: name("unit", unit)?,
                generation: HomeGeneration(generation),
                home: name("home", home)?,
            },
            Message::Refused(proto::OwnershipRefused { request, reason }) => {
                Self::Refused { request, reason: text("reason", reason)? }
            }
        })
    }
}

impl From<Fenced> for proto::Fenced {
    fn from(fenced: Fenced) -> Self {
        Self {
            request: fenced.request,
            unit: fenced.unit,
            generation: fenced.generation.0,
            ends: fenced.ends.into_iter().map(proto::PartitionEnd::from).collect(),
            groups: fenced.groups.iter().map(proto::GroupOffsets::from).collect(),
            last: fenced.last,
        }
    }
}

impl TryFrom<proto::Fenced> for Fenced {
    type Error = WireError;

    fn try_from(proto: proto::Fenced) -> Result<Self, WireError> {
        Ok(Self {
            request: proto.request,
            unit: name("unit", proto.unit)?,
            generation: HomeGeneration(proto.generation),
            ends: proto.ends.into_iter().map(PartitionEnd::try_from).collect::<Result<_, _>>()?,
            groups: proto.groups.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
            last: proto.last,
        })
    }
}

impl From<PartitionEnd> for proto::PartitionEnd {
    fn from(end: PartitionEnd) -> Self {
        Self { topic_id: id_bytes(end.topic_id), partition: end.partition.0, end: end.end.0 }
    }
}

impl TryFrom<proto::PartitionEnd> for PartitionEnd {
    type Error = WireError;

    fn try_from(proto: proto::PartitionEnd) -> Result<Self, WireError> {
        Ok(Self {
            topic_id: topic_id(&proto.topic_id)?,
            partition: partition(proto.partition)?,
            end: offset("end", proto.end)?,
        })
    }
}

impl From<Stage> for proto::Stage {
    fn from(stage: Stage) -> Self {
        match stage {
            Stage::Home => Self::Home,
            Stage::Fencing => Self::Fencing,
            Stage::Draining => Self::Draining,
            Stage::Promoting => Self::Promoting,
            Stage::Standby => Self::Standby,
            Stage::Diverged => Self::Diverged,
            Stage::Restoring => Self::Restoring,
        }
    }
}

impl TryFrom<proto::Stage> for Stage {
    type Error = WireError;

    fn try_from(proto: proto::Stage) -> Result<Self, WireError> {
        Ok(match proto {
            proto::Stage::Unspecified => return Err(WireError::Field { field: "stage" }),
            proto::Stage::Home => Self::Home,
            proto::Stage::Fencing => Self::Fencing,
            proto::Stage::Draining => Self::Draining,
            proto::Stage::Promoting => Self::Promoting,
            proto::Stage::Standby => Self::Standby,
            proto::Stage::Diverged => Self::Diverged,
            proto::Stage::Restoring => Self::Restoring,
        })
    }
}
