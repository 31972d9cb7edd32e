//! Which partition of `__consumer_offsets` keeps a group: Kafka's choice, so that its tools look in the right place.

use protocol::{GroupId, PartitionId};

/// `abs(groupId.hashCode()) % partitions`, with Java's hash over UTF-16 units.
pub fn partition_of(group: &GroupId, partitions: i32) -> PartitionId {
    let units = group.as_str().encode_utf16();
    let hash = units.fold(0i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)));
    // The smallest integer has no absolute value: Kafka takes 0.
    let positive = hash.checked_abs().unwrap_or(0);
    PartitionId(positive.checked_rem(partitions).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_lie_where_kafka_puts_them() {
        // Expected values: Java's "...".hashCode().
        assert_eq!(partition_of(&GroupId::from("hello"), 50), PartitionId(99_162_322 % 50));
        assert_eq!(partition_of(&GroupId::from(""), 50), PartitionId(0));
        // 0xD83D, 0xDE00: 55357 * 31 + 56832.
        assert_eq!(partition_of(&GroupId::from("\u{1F600}"), 50), PartitionId(1_772_899 % 50));
    }

    #[test]
    fn negative_hashes_have_a_place() {
        // "polygenelubricants".hashCode() is i32::MIN; "zzzzzzz" is negative.
        assert_eq!(partition_of(&GroupId::from("polygenelubricants"), 50), PartitionId(0));
        assert!((0..50).contains(&partition_of(&GroupId::from("zzzzzzz"), 50).0));
    }

    #[test]
    fn a_topic_without_partitions_does_not_divide_by_zero() {
        assert_eq!(partition_of(&GroupId::from("g"), 0), PartitionId(0));
    }
}
