//! What a client may do, as a set of Kafka's `AclOperation` bits. Without an authorizer: everything the resource has.

const CREATE: i32 = 1 << 5;
const ALTER: i32 = 1 << 7;
const DESCRIBE: i32 = 1 << 8;
const DESCRIBE_CONFIGS: i32 = 1 << 10;
const ALTER_CONFIGS: i32 = 1 << 11;
const OF_BOTH: i32 = CREATE | ALTER | DESCRIBE | DESCRIBE_CONFIGS | ALTER_CONFIGS;

const READ: i32 = 1 << 3;
const WRITE: i32 = 1 << 4;
const DELETE: i32 = 1 << 6;
/// Everything that can be done to a topic.
const TOPIC: i32 = OF_BOTH | READ | WRITE | DELETE;

const CLUSTER_ACTION: i32 = 1 << 9;
const IDEMPOTENT_WRITE: i32 = 1 << 12;
/// Everything that can be done to the cluster.
const CLUSTER: i32 = OF_BOTH | CLUSTER_ACTION | IDEMPOTENT_WRITE;

/// "Not asked for".
const NOT_ASKED: i32 = i32::MIN;

pub(super) fn of_topic(asked: bool) -> i32 {
    if asked { TOPIC } else { NOT_ASKED }
}

pub(super) fn of_cluster(asked: bool) -> i32 {
    if asked { CLUSTER } else { NOT_ASKED }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bits_are_those_kafka_answers_without_an_authorizer() {
        assert_eq!((of_topic(true), of_cluster(true)), (3_576, 8_096));
        assert_eq!((of_topic(false), of_cluster(false)), (i32::MIN, i32::MIN));
    }
}
