//! Which topic names are allowed, and which of them are ours.

use crate::limits;

/// Committed offsets and group metadata.
pub const CONSUMER_OFFSETS: &str = "__consumer_offsets";
/// Transactions' states.
pub const TRANSACTION_STATE: &str = "__transaction_state";
/// The log this module is folded from; never a topic that clients see.
pub const CLUSTER_METADATA: &str = "__cluster_metadata";

/// Why a topic name is refused; the text is Kafka's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTopicName {
    #[error("Topic name is invalid: the empty string is not allowed")]
    Empty,
    #[error("Topic name is invalid: '{0}' is not allowed")]
    Directory(&'static str),
    #[error(
        "Topic name is invalid: its {bytes} bytes are more than the {} allowed",
        limits::TOPIC_NAME_BYTES_MAX
    )]
    TooLong { bytes: usize },
    #[error(
        "Topic name is invalid: '{0}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
    )]
    Character(String),
}

/// The rule of Kafka's `Topic.validate`: such a name is also safe as part of a directory's name.
pub fn check(name: &str) -> Result<(), InvalidTopicName> {
    match name {
        "" => Err(InvalidTopicName::Empty),
        "." => Err(InvalidTopicName::Directory(".")),
        ".." => Err(InvalidTopicName::Directory("..")),
        _ if name.len() > limits::TOPIC_NAME_BYTES_MAX => {
            Err(InvalidTopicName::TooLong { bytes: name.len() })
        }
        _ if !name.bytes().all(is_allowed) => Err(InvalidTopicName::Character(name.to_owned())),
        _ => Ok(()),
    }
}

/// Topics that coordinators keep their state in; clients read them but do not create, delete or grow them.
pub fn is_internal(name: &str) -> bool {
    matches!(name, CONSUMER_OFFSETS | TRANSACTION_STATE)
}

/// What a name collides by, if it has a character that can: metric names cannot tell '.' from '_'.
pub(super) fn collision_key(name: &str) -> Option<String> {
    name.contains(['.', '_']).then(|| name.replace('.', "_"))
}

fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_kafkas_rule() {
        for name in ["a", "A.b_c-9", "...", &"x".repeat(249)] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
        for name in ["", ".", "..", "a b", "a/b", "ä", "a\0", &"x".repeat(250)] {
            assert!(check(name).is_err(), "{name}");
        }
    }

    #[test]
    fn dots_and_underscores_collide() {
        assert_eq!(collision_key("a.b"), collision_key("a_b"));
        assert_ne!(collision_key("a.b"), collision_key("a.c"));
        assert_eq!(collision_key("a-b"), None);
    }
}
