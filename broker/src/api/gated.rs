//! What a gate lets clients do with a topic, and what they are told where it does not.

use protocol::ErrorCode;

use super::failure::Failure;
use crate::gate::{Gate, TopicGate};

/// Whether records may be written.
pub(super) fn check_write(gate: &dyn Gate, topic: &str) -> Result<(), Failure> {
    match gate.topic(topic) {
        TopicGate::Open => Ok(()),
        TopicGate::ReadOnly { home } => Err(Failure::new(
            ErrorCode::POLICY_VIOLATION,
            format!("topic {topic} is a read-only replica; its home is {home}: produce there"),
        )),
        TopicGate::Fenced => Err(between_homes(topic)),
    }
}

/// What a write is told that was let in, but came to its log after the gate had changed.
pub(super) fn came_too_late(gate: &dyn Gate, topic: &str) -> Failure {
    check_write(gate, topic).err().unwrap_or_else(|| between_homes(topic))
}

/// Whether records may be deleted.
pub(super) fn check_deletion(gate: &dyn Gate, topic: &str) -> Result<(), ErrorCode> {
    check_write(gate, topic).map_err(|failure| failure.code)
}

/// Whether the topic may be created, changed or deleted.
pub(super) fn check_change(gate: &dyn Gate, topic: &str) -> Result<(), Failure> {
    let message = match gate.topic(topic) {
        TopicGate::Open => return Ok(()),
        TopicGate::ReadOnly { home } => {
            format!("topic {topic} is a read-only replica; its home is {home}: change it there")
        }
        TopicGate::Fenced => format!("topic {topic} is fenced while its home is decided: change it later"),
    };
    Err(Failure::new(ErrorCode::POLICY_VIOLATION, message))
}

/// Retriable: producers ask again who leads.
fn between_homes(topic: &str) -> Failure {
    let message = format!("topic {topic} is fenced while its home is decided: try again");
    Failure::new(ErrorCode::NOT_LEADER_OR_FOLLOWER, message)
}
