//! What exists: topics, partitions, settings, the cluster's id, producer ids given away, homes of failover units.
//!
//! Everything is a record in one log ([`record`]), folded into an immutable [`Image`] that handlers read without locks. Every change
//! goes through one proposer: check against the newest image, store, fold in, publish, answer.
//!
//! 1. What was answered is on stable storage, and the image at any later start contains it.
//! 2. An image that anybody has seen consists of stored records only.
//! 3. Replaying the stored records gives the live image.
//! 4. A topic deleted and created again under its name has another id.
//!
//! Not here: where a partition's log is, who writes to it, committed offsets. Start at [`Metadata`], then [`plan`].

pub mod broker_config;
pub mod change;
mod endpoint;
mod error;
mod handle;
pub mod identity;
mod image;
pub mod plan;
mod proposer;
pub mod record;
mod replay;
pub mod topic_config;
pub mod topic_name;

pub use change::{
    Change, ConfigAdjustment, ConfigEdit, ConfigOperation, InternalTopic, NewPartitions, NewTopic,
    ProducerIdBlock, Refusal, ReplicaTopic, TopicConfigChange,
};
pub use endpoint::BrokerEndpoint;
pub use error::{MetadataError, OpenError};
pub use handle::{Metadata, Replicated};
pub use identity::IdSource;
pub use image::{Image, PartitionState, Topic};
pub use plan::SkippedConfig;
pub use proposer::Mode;
pub use topic_config::TopicConfig;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
