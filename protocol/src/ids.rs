//! Newtypes for every position, epoch and id that could be taken for another.

use std::{fmt, ops};

use bytestring::ByteString;
pub use uuid::Uuid;

/// An integer that counts one thing only.
macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub $inner);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number! {
    /// Position of a record in a partition's log. The *log end offset* is the offset of the next record.
    Offset(i64)
}

impl Offset {
    pub const ZERO: Self = Self(0);
    /// "No such offset" in Kafka's messages.
    pub const NONE: Self = Self(-1);

    /// The offset `records` further on; saturates, because offsets come from the network.
    pub fn plus(self, records: i64) -> Self {
        Self(self.0.saturating_add(records))
    }
}

impl ops::Sub for Offset {
    type Output = i64;

    /// Records between two offsets; saturates.
    fn sub(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

number! {
    /// Grows by one each time a partition gets a new leader; stamped on every batch (KIP-101).
    LeaderEpoch(i32)
}

impl LeaderEpoch {
    pub const NONE: Self = Self(-1);
}

number! {
    /// Index of a partition in its topic, from 0.
    PartitionId(i32)
}

number! {
    /// Identifies an idempotent or transactional producer (KIP-98); -1 for the others.
    ProducerId(i64)
}

impl ProducerId {
    pub const NONE: Self = Self(-1);
}

number! {
    /// Fences older instances of a producer.
    ProducerEpoch(i16)
}

impl ProducerEpoch {
    pub const NONE: Self = Self(-1);
}

number! {
    /// A producer's count of its records in one partition; wraps from `i32::MAX` to 0.
    Sequence(i32)
}

impl Sequence {
    pub const NONE: Self = Self(-1);

    /// The sequence `records` further on, wrapping as Kafka's `DefaultRecordBatch.incrementSequence` does.
    pub fn plus(self, records: i32) -> Self {
        let wrapped = (i64::from(self.0) + i64::from(records)) % (i64::from(i32::MAX) + 1);
        Self(i32::try_from(wrapped).unwrap_or(0))
    }
}

number! {
    /// Unique over all datacenters: datacenter id x 1000 + node.
    BrokerId(i32)
}

number! {
    /// Grows by one each time a group's members change.
    GenerationId(i32)
}

/// A name; cheap to clone, because decoded names are slices of their frame.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub ByteString);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// A copy that no longer keeps the frame alive in which the name arrived: for names that are kept.
            pub fn detached(&self) -> Self {
                Self(ByteString::from(self.as_str()))
            }
        }

        impl From<&str> for $name {
            fn from(name: &str) -> Self {
                Self(ByteString::from(name))
            }
        }

        impl From<String> for $name {
            fn from(name: String) -> Self {
                Self(ByteString::from(name))
            }
        }

        impl From<ByteString> for $name {
            fn from(name: ByteString) -> Self {
                Self(name)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:?})"), self.as_str())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

name! {
    /// A topic's name, as clients see it.
    TopicName
}
name! {
    /// A consumer group's id.
    GroupId
}
name! {
    /// A group member's id, given out by the coordinator (KIP-394).
    MemberId
}

/// A topic's identity: a topic deleted and created again under its old name has another id (KIP-516).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct TopicId(pub Uuid);

impl TopicId {
    /// "No topic id" on the wire.
    pub const ZERO: Self = Self(Uuid::nil());
}

impl fmt::Display for TopicId {
    /// The plain form; Kafka's tools print unpadded base64.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A partition, by its topic's name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TopicPartition {
    pub topic: TopicName,
    pub partition: PartitionId,
}

impl TopicPartition {
    pub fn new(topic: impl Into<TopicName>, partition: i32) -> Self {
        Self { topic: topic.into(), partition: PartitionId(partition) }
    }
}

impl fmt::Display for TopicPartition {
    /// `<topic>-<partition>`: also the name of the partition's directory, as in Kafka.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_wrap_to_zero_after_the_largest() {
        assert_eq!(Sequence(i32::MAX).plus(1), Sequence(0));
        assert_eq!(Sequence(i32::MAX - 1).plus(3), Sequence(1));
        assert_eq!(Sequence(5).plus(2), Sequence(7));
    }

    #[test]
    fn offsets_saturate_instead_of_overflowing() {
        assert_eq!(Offset(i64::MAX).plus(1), Offset(i64::MAX));
        assert_eq!(Offset(i64::MIN) - Offset(1), i64::MIN);
    }
}
