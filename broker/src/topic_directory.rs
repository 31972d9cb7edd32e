//! What the group coordinator asks about topics, answered from the metadata image.

use protocol::{TopicId, TopicName};

use crate::{coordinator::group::TopicDirectory, metadata::Image};

impl TopicDirectory for Image {
    fn partitions(&self, name: &str) -> Option<i32> {
        self.topic(name).map(|topic| topic.partition_count())
    }

    fn name_of(&self, id: TopicId) -> Option<TopicName> {
        self.topic_by_id(id).map(|topic| topic.name.clone())
    }

    fn id_of(&self, name: &str) -> Option<TopicId> {
        self.topic(name).map(|topic| topic.id)
    }
}
