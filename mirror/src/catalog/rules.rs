//! The question that the catalog asks of the topology and the ownership views.

use protocol::TopicName;

/// Implemented by the driver for one link.
pub trait Rules {
    /// How a topic of the source flows over this link now; `None` also while its home is not the source.
    fn flow(&self, topic: &TopicName) -> Option<Flow>;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Same name, same id, same offsets.
    Replica,
    /// Records go into that topic, which may take others too.
    Merged { into: TopicName },
}
