//! What the coordinator needs from the rest of the broker.

use std::{future::Future, pin::Pin, sync::Arc};

use core_log::clock::Clock;
use protocol::{PartitionId, TopicId, TopicName, Uuid};

use crate::{
    gate::Gate,
    record_log::{RecordLog, RecordLogError},
    settings::GroupSettings,
};

pub type Opening<'a> = Pin<Box<dyn Future<Output = Result<Arc<dyn RecordLog>, RecordLogError>> + Send + 'a>>;

/// Where the partitions of `__consumer_offsets` come from.
pub trait OffsetsTopic: Send + Sync + 'static {
    /// Never changes once the topic exists: groups would be looked for in the wrong place.
    fn partition_count(&self) -> i32;

    /// Before the topic exists there is no group to be found in it.
    fn exists(&self) -> bool;

    /// Makes the topic if need be.
    fn open(&self, partition: PartitionId) -> Opening<'_>;
}

/// Which topics there are, as far as offsets are concerned.
pub trait TopicDirectory: Send + Sync {
    fn partitions(&self, name: &str) -> Option<i32>;
    fn name_of(&self, id: TopicId) -> Option<TopicName>;
    fn id_of(&self, name: &str) -> Option<TopicId>;
}

/// Randomness for member ids.
pub type FreshIds = Arc<dyn Fn() -> Uuid + Send + Sync>;

/// Settings and components of a coordinator.
pub struct GroupsParts {
    pub settings: GroupSettings,
    pub topic: Arc<dyn OffsetsTopic>,
    pub clock: Arc<dyn Clock>,
    pub fresh_ids: FreshIds,
    /// Which groups are served here.
    pub gate: Arc<dyn Gate>,
}
