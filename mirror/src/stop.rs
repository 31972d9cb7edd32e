//! Why a partition is not mirrored any further.
//!
//! A stop is a decision that the mirror does not take back by itself, save where the cause is seen to be gone: going on
//! would skip records, keep records that the source does not have, or write what may not be written. What comes and goes
//! by itself (a lost connection, a full disk) is not a stop. Each reason has a code that operators and metrics see, and
//! says what to do.

use std::fmt;

use serde::{Deserialize, Serialize};

use protocol::{LeaderEpoch, Offset, TopicId, Uuid};

use crate::ownership::HomeGeneration;

/// Offsets are offsets of the source's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum StopReason {
    /// The target holds more than the source, under the same topic id: the source went back in time.
    SourceRewound {
        #[serde(with = "OffsetDef")]
        position: Offset,
        #[serde(with = "OffsetDef")]
        source_end: Offset,
    },
    /// The target's last epoch ended earlier at the source: from `common` on the two logs tell different stories.
    Diverged {
        #[serde(with = "OffsetDef")]
        common: Offset,
        #[serde(with = "OffsetDef")]
        position: Offset,
        #[serde(with = "LeaderEpochDef")]
        epoch: LeaderEpoch,
    },
    /// The source deleted records before they were mirrored: `from` up to, not including, `until`.
    SourceTrimmed {
        #[serde(with = "OffsetDef")]
        from: Offset,
        #[serde(with = "OffsetDef")]
        until: Offset,
    },
    /// Offsets are missing inside a topic that is not compacted.
    UnexpectedGap {
        #[serde(with = "OffsetDef")]
        expected: Offset,
        #[serde(with = "OffsetDef")]
        found: Offset,
    },
    /// All blocks that were sent are here, and yet one is missing in the chain.
    BrokenChain {
        #[serde(with = "OffsetDef")]
        expected: Offset,
        #[serde(with = "OffsetDef")]
        found: Offset,
    },
    /// The source does not have this topic or partition.
    UnknownTopic,
    /// The source deleted the topic.
    TopicGone,
    /// The source has another topic under the old name.
    SourceIdChanged {
        #[serde(with = "topic_id")]
        found: TopicId,
    },
    /// One side's home generation is below what the other side knows.
    LowerGeneration { given: HomeGeneration, known: HomeGeneration },
    /// The source cannot read its own log, or a batch in it has a bad CRC.
    SourceDamaged {
        #[serde(with = "OffsetDef")]
        offset: Offset,
        what: String,
    },
    /// A block that arrived is not what its header says, or a batch in it has a bad CRC.
    BadBlock {
        #[serde(with = "OffsetDef")]
        offset: Offset,
        what: String,
    },
    /// A batch is larger than the link carries.
    BatchTooLarge {
        #[serde(with = "OffsetDef")]
        offset: Offset,
        bytes: u64,
        limit: u64,
    },
    /// A batch that cannot be written to this target.
    UnsupportedBatch {
        #[serde(with = "OffsetDef")]
        offset: Offset,
        what: String,
    },
    /// The source's log gives nothing until a restart.
    SourceOffline { what: String },
    /// The target's log takes nothing until a restart.
    TargetOffline { what: String },
    /// The target's log does not take the records.
    TargetRefused { what: String },
    /// The table of a merged topic is damaged, and the log cannot tell any more how far the source was mirrored.
    TranslationLost { what: String },
}

impl StopReason {
    /// What operators and metrics call it; never changes.
    pub fn code(&self) -> &'static str {
        match self {
            Self::SourceRewound { .. } => "source-rewound",
            Self::Diverged { .. } => "diverged",
            Self::SourceTrimmed { .. } => "source-trimmed",
            Self::UnexpectedGap { .. } => "unexpected-gap",
            Self::BrokenChain { .. } => "broken-chain",
            Self::UnknownTopic => "unknown-topic",
            Self::TopicGone => "topic-gone",
            Self::SourceIdChanged { .. } => "source-id-changed",
            Self::LowerGeneration { .. } => "lower-generation",
            Self::SourceDamaged { .. } => "source-damaged",
            Self::BadBlock { .. } => "bad-block",
            Self::BatchTooLarge { .. } => "batch-too-large",
            Self::UnsupportedBatch { .. } => "unsupported-batch",
            Self::SourceOffline { .. } => "source-offline",
            Self::TargetOffline { .. } => "target-offline",
            Self::TargetRefused { .. } => "target-refused",
            Self::TranslationLost { .. } => "translation-lost",
        }
    }

    /// What the operator can do about it.
    pub fn action(&self) -> &'static str {
        match self {
            Self::SourceRewound { .. } => {
                "find out whether the source was restored from a backup; keep the target as the better copy, or empty its topic to take the source's"
            }
            Self::Diverged { .. } => {
                "compare both sides from the common offset on, save the target's records from there if they matter, then truncate the target to it"
            }
            Self::SourceTrimmed { .. } => {
                "the records are lost to this mirror: accept the range, or empty the target's topic; raise the source's retention or the link's rate"
            }
            Self::UnexpectedGap { .. } | Self::SourceDamaged { .. } => {
                "check the source's disk and log; the target still has what was mirrored before"
            }
            Self::BrokenChain { .. } => {
                "restart the link; if it comes again, report it with both sides' logs"
            }
            Self::UnknownTopic => "create the topic at the source, or take it out of the topology",
            Self::TopicGone => "the target keeps its records; delete its topic when they are not needed",
            Self::SourceIdChanged { .. } => {
                "the topic was deleted and created again: move the target's old topic away, then it is mirrored anew"
            }
            Self::LowerGeneration { .. } => {
                "the home moved: the side that is behind goes on by itself once it has heard of it; check that the two can talk"
            }
            Self::BadBlock { .. } => {
                "restart the link; if it comes again, check the memory and disks of both machines"
            }
            Self::BatchTooLarge { .. } => {
                "raise the link's largest batch and its credit window on both sides"
            }
            Self::UnsupportedBatch { .. } => "mirror this topic as a replica instead of merging it",
            Self::SourceOffline { .. } => "see the source's log for the disk error and restart it",
            Self::TargetOffline { .. } => "see the target's log for the disk error and restart it",
            Self::TargetRefused { .. } => {
                "see whether something else writes the target's topic; compare both sides"
            }
            Self::TranslationLost { .. } => {
                "to go on, move the table's file away and restart: what the source still has is then mirrored again, behind what is here, and offsets mirrored before are not translated any more; or mirror the topic into a new one"
            }
        }
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SourceRewound { position, source_end } => {
                write!(f, "the target is at {position}, but the source ends at {source_end}")
            }
            Self::Diverged { common, position, epoch } => {
                write!(f, "epoch {epoch} ended at {common} at the source, the target is at {position}")
            }
            Self::SourceTrimmed { from, until } => {
                write!(f, "the source deleted offsets {from} to {until} before they were mirrored")
            }
            Self::UnexpectedGap { expected, found } => {
                write!(
                    f,
                    "offset {expected} should come next, but {found} did, and the topic is not compacted"
                )
            }
            Self::BrokenChain { expected, found } => {
                write!(f, "a block is missing: {expected} should come next, but the chain goes on at {found}")
            }
            Self::UnknownTopic => f.write_str("the source does not have this partition"),
            Self::TopicGone => f.write_str("the source deleted the topic"),
            Self::SourceIdChanged { found } => {
                write!(f, "the source has another topic under this name, with id {found}")
            }
            Self::LowerGeneration { given, known } => {
                write!(f, "home generation {given} is below {known}")
            }
            Self::SourceDamaged { offset, what } => {
                write!(f, "the source cannot give offset {offset}: {what}")
            }
            Self::BadBlock { offset, what } => write!(f, "the block at offset {offset} is bad: {what}"),
            Self::BatchTooLarge { offset, bytes, limit } => {
                write!(f, "the batch at offset {offset} has {bytes} bytes, the link carries {limit}")
            }
            Self::UnsupportedBatch { offset, what } => {
                write!(f, "the batch at offset {offset} cannot be taken: {what}")
            }
            Self::SourceOffline { what } => write!(f, "the source's log is offline: {what}"),
            Self::TargetOffline { what } => write!(f, "the target's log is offline: {what}"),
            Self::TargetRefused { what } => write!(f, "the target's log refused: {what}"),
            Self::TranslationLost { what } => f.write_str(what),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Offset")]
struct OffsetDef(i64);

#[derive(Serialize, Deserialize)]
#[serde(remote = "LeaderEpoch")]
struct LeaderEpochDef(i32);

mod topic_id {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use super::{TopicId, Uuid};

    pub(super) fn serialize<S: Serializer>(id: &TopicId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(id)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TopicId, D::Error> {
        let text = String::deserialize(deserializer)?;
        Uuid::parse_str(&text).map(TopicId).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_code_is_the_code_that_operators_see() {
        let reasons = [
            StopReason::SourceTrimmed { from: Offset(3), until: Offset(9) },
            StopReason::SourceIdChanged { found: TopicId(Uuid::from_u128(7)) },
            StopReason::LowerGeneration { given: HomeGeneration(1), known: HomeGeneration(2) },
            StopReason::TopicGone,
        ];
        for reason in reasons {
            let text = serde_json::to_string(&reason).unwrap();
            assert!(text.contains(&format!("\"code\":\"{}\"", reason.code())), "{text}");
            assert_eq!(serde_json::from_str::<StopReason>(&text).unwrap(), reason);
        }
    }
}
