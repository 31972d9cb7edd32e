//! What we advertise: the explicit table of APIs and versions that are served.
//!
//! It moves in the steps of Kafka's releases, because clients guess the broker's release from it. What is not
//! implemented is not in it.

use crate::{
    ErrorCode,
    messages::k18_api_versions::{ApiVersionsResponse, ApiVersionsResponseApiVersion},
};

/// One API's served versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served {
    pub key: i16,
    pub name: &'static str,
    pub min: i16,
    pub max: i16,
    /// The first flexible version, or more than `max`.
    pub flexible_from: i16,
}

impl Served {
    pub fn serves(&self, version: i16) -> bool {
        (self.min..=self.max).contains(&version)
    }

    pub fn is_flexible(&self, version: i16) -> bool {
        version >= self.flexible_from
    }

    /// The lowest version shown to clients. Old librdkafka turns compression off unless Produce starts at 0, so
    /// Kafka shows that without serving it (KAFKA-18659), and so do we.
    fn shown_min(&self) -> i16 {
        if self.key == 0 { 0 } else { self.min }
    }
}

macro_rules! served {
    ($($key:literal $name:ident $min:literal..=$max:literal flexible $flexible:literal,)*) => {
        /// Every API we serve, by key.
        pub const SERVED: &[Served] = &[
            $(Served { key: $key, name: stringify!($name), min: $min, max: $max, flexible_from: $flexible },)*
        ];
    };
}

served! {
    0 Produce 3..=11 flexible 9,
    1 Fetch 4..=18 flexible 12,
    2 ListOffsets 1..=10 flexible 6,
    3 Metadata 0..=13 flexible 9,
    8 OffsetCommit 2..=10 flexible 8,
    9 OffsetFetch 1..=10 flexible 6,
    10 FindCoordinator 0..=6 flexible 3,
    11 JoinGroup 0..=9 flexible 6,
    12 Heartbeat 0..=4 flexible 4,
    13 LeaveGroup 0..=5 flexible 4,
    14 SyncGroup 0..=5 flexible 4,
    15 DescribeGroups 0..=6 flexible 5,
    16 ListGroups 0..=5 flexible 3,
    18 ApiVersions 0..=4 flexible 3,
    19 CreateTopics 2..=7 flexible 5,
    20 DeleteTopics 1..=6 flexible 4,
    21 DeleteRecords 0..=2 flexible 2,
    22 InitProducerId 0..=5 flexible 2,
    23 OffsetForLeaderEpoch 2..=4 flexible 4,
    32 DescribeConfigs 1..=4 flexible 4,
    33 AlterConfigs 0..=2 flexible 2,
    35 DescribeLogDirs 1..=4 flexible 2,
    37 CreatePartitions 0..=3 flexible 2,
    42 DeleteGroups 0..=2 flexible 2,
    44 IncrementalAlterConfigs 0..=1 flexible 1,
    47 OffsetDelete 0..=0 flexible 1,
    60 DescribeCluster 0..=2 flexible 0,
    75 DescribeTopicPartitions 0..=0 flexible 0,
}

/// The entry of an API, if we serve it.
pub fn served(key: i16) -> Option<&'static Served> {
    SERVED.iter().find(|served| served.key == key)
}

/// The ApiVersions answer. No feature is finalized: transactions v2 and others that clients switch on by finalized
/// feature are not served.
pub fn api_versions() -> ApiVersionsResponse {
    ApiVersionsResponse { api_keys: SERVED.iter().map(shown).collect(), ..Default::default() }
}

pub(crate) fn api_versions_refusal() -> ApiVersionsResponse {
    ApiVersionsResponse {
        error_code: ErrorCode::UNSUPPORTED_VERSION,
        api_keys: SERVED.iter().filter(|served| served.name == "ApiVersions").map(shown).collect(),
        ..Default::default()
    }
}

fn shown(served: &Served) -> ApiVersionsResponseApiVersion {
    ApiVersionsResponseApiVersion {
        api_key: served.key,
        min_version: served.shown_min(),
        max_version: served.max,
    }
}
