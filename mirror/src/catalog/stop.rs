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
