//! Why a topic of the source does not flow although the rules say it should.

use protocol::{TopicId, TopicName};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopicStop {
    #[error(
        "the source deleted topic {name} and created it again: its id was {was} and is {now}. The mirror keeps the old one's data; delete or rename it here to follow the new one"
    )]
    SourceIdChanged { name: TopicName, was: TopicId, now: TopicId },
    #[error(
        "a topic {name} of its own is here (id {here}, the source's is {source_id}); delete or rename one of them"
    )]
    LocalTopicInTheWay { name: TopicName, here: TopicId, source_id: TopicId },
    #[error("the source no longer has topic {name}; its data here is kept")]
    SourceMissing { name: TopicName },
    #[error("the topic cannot be created or changed here: {what}")]
    Refused { what: String },
}

impl TopicStop {
    /// What operators and metrics call it; never changes.
    pub fn code(&self) -> &'static str {
        match self {
            Self::SourceIdChanged { .. } => "source-id-changed",
            Self::LocalTopicInTheWay { .. } => "local-topic-in-the-way",
            Self::SourceMissing { .. } => "topic-gone",
            Self::Refused { .. } => "target-refused",
        }
    }

    /// What the operator can do about it. The topic goes on by itself once that is done.
    pub fn action(&self) -> &'static str {
        match self {
            Self::SourceIdChanged { .. } => {
                "keep the data here by taking the topic out of the link, or delete the topic here to follow the new one"
            }
            Self::LocalTopicInTheWay { .. } => "delete the topic here, or give one of the two another name",
            Self::SourceMissing { .. } => {
                "nothing, if the topic was to be deleted; its data here stays until it is deleted here, too"
            }
            Self::Refused { .. } => {
                "see what was refused; change the topic at the source, or what is in the way here"
            }
        }
    }
}
