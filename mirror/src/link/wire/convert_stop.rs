//! Between stop reasons and their form on the wire.

use protocol::Offset;

use super::{
    WireError,
    convert::{epoch, id_bytes, offset, text, topic_id},
    proto::{self, stop::Reason},
};
use crate::{ownership::HomeGeneration, stop::StopReason};

impl From<&StopReason> for proto::Stop {
    fn from(reason: &StopReason) -> Self {
        let pair =
            |expected: Offset, found: Offset| proto::OffsetPair { expected: expected.0, found: found.0 };
        let damage = |offset: Offset, what: String| proto::Damage { offset: offset.0, what };
        let reason = match reason.clone() {
            StopReason::SourceRewound { position, source_end } => {
                Reason::SourceRewound(proto::SourceRewound { position: position.0, source_end: source_end.0 })
            }
            StopReason::Diverged { common, position, epoch } => {
                Reason::Diverged(proto::Diverged { common: common.0, position: position.0, epoch: epoch.0 })
            }
            StopReason::SourceTrimmed { from, until } => {
                Reason::SourceTrimmed(proto::SourceTrimmed { from: from.0, until: until.0 })
            }
            StopReason::UnexpectedGap { expected, found } => Reason::UnexpectedGap(pair(expected, found)),
            StopReason::BrokenChain { expected, found } => Reason::BrokenChain(pair(expected, found)),
            StopReason::UnknownTopic => Reason::UnknownTopic(proto::Nothing {}),
            StopReason::TopicGone => Reason::TopicGone(proto::Nothing {}),
            StopReason::SourceIdChanged { found } => Reason::SourceIdChanged(id_bytes(found)),
            StopReason::LowerGeneration { given, known } => {
                Reason::LowerGeneration(proto::LowerGeneration { given: given.0, known: known.0 })
            }
            StopReason::SourceDamaged { offset, what } => Reason::SourceDamaged(damage(offset, what)),
            StopReason::BadBlock { offset, what } => Reason::BadBlock(damage(offset, what)),
            StopReason::BatchTooLarge { offset, bytes, limit } => {
                Reason::BatchTooLarge(proto::TooLarge { offset: offset.0, bytes, limit })
            }
            StopReason::UnsupportedBatch { offset, what } => Reason::UnsupportedBatch(damage(offset, what)),
            StopReason::SourceOffline { what } => Reason::SourceOffline(what),
            StopReason::TargetOffline { what } => Reason::TargetOffline(what),
            StopReason::TargetRefused { what } => Reason::TargetRefused(what),
            StopReason::TranslationLost { what } => Reason::TranslationLost(what),
        };
        Self { reason: Some(reason) }
    }
}

impl TryFrom<proto::Stop> for StopReason {
    type Error = WireError;

    fn try_from(proto: proto::Stop) -> Result<Self, WireError> {
        let pair = |pair: proto::OffsetPair| -> Result<_, WireError> {
            Ok((offset("expected offset", pair.expected)?, offset("found offset", pair.found)?))
        };
        let damage = |damage: proto::Damage| -> Result<_, WireError> {
            Ok((offset("damaged offset", damage.offset)?, text("damage", damage.what)?))
        };
        Ok(match proto.reason.ok_or(WireError::UnknownKind)? {
            Reason::SourceRewound(proto::SourceRewound { position, source_end }) => Self::SourceRewound {
                position: offset("position", position)?,
                source_end: offset("source end", source_end)?,
            },
            Reason::Diverged(proto::Diverged { common, position, epoch: at }) => Self::Diverged {
                common: offset("common offset", common)?,
                position: offset("position", position)?,
                epoch: epoch(at)?,
            },
            Reason::SourceTrimmed(proto::SourceTrimmed { from, until }) => {
                Self::SourceTrimmed { from: offset("from", from)?, until: offset("until", until)? }
            }
            Reason::UnexpectedGap(gap) => {
                pair(gap).map(|(expected, found)| Self::UnexpectedGap { expected, found })?
            }
            Reason::BrokenChain(gap) => {
                pair(gap).map(|(expected, found)| Self::BrokenChain { expected, found })?
            }
            Reason::UnknownTopic(proto::Nothing {}) => Self::UnknownTopic,
            Reason::TopicGone(proto::Nothing {}) => Self::TopicGone,
            Reason::SourceIdChanged(id) => Self::SourceIdChanged { found: topic_id(&id)? },
            Reason::LowerGeneration(proto::LowerGeneration { given, known }) => {
                Self::LowerGeneration { given: HomeGeneration(given), known: HomeGeneration(known) }
            }
            Reason::SourceDamaged(at) => {
                damage(at).map(|(offset, what)| Self::SourceDamaged { offset, what })?
            }
            Reason::BadBlock(at) => damage(at).map(|(offset, what)| Self::BadBlock { offset, what })?,
            Reason::BatchTooLarge(proto::TooLarge { offset: at, bytes, limit }) => {
                Self::BatchTooLarge { offset: offset("offset", at)?, bytes, limit }
            }
            Reason::UnsupportedBatch(at) => {
                damage(at).map(|(offset, what)| Self::UnsupportedBatch { offset, what })?
            }
            Reason::SourceOffline(what) => Self::SourceOffline { what: text("what", what)? },
            Reason::TargetOffline(what) => Self::TargetOffline { what: text("what", what)? },
            Reason::TargetRefused(what) => Self::TargetRefused { what: text("what", what)? },
            Reason::TranslationLost(what) => Self::TranslationLost { what: text("what", what)? },
        })
    }
}
