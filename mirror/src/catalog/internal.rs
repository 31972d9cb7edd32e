//! Topics that never flow: what they hold is mirrored in ways of its own, or belongs to one datacenter.

/// By name, because a pattern would silently take topics of users with it.
pub const INTERNAL_TOPICS: [&str; 3] = ["__consumer_offsets", "__transaction_state", "__cluster_metadata"];

pub(super) fn is_internal(topic: &str) -> bool {
    INTERNAL_TOPICS.contains(&topic)
}
