//! How the ids of the room `protocol` are written in records and reports: numbers as numbers, names and uuids as text.

/// A serde module for a newtype over an integer.
macro_rules! number {
    ($module:ident, $type:ident, $inner:ty) => {
        pub(crate) mod $module {
            use serde::{Deserialize, Deserializer, Serializer};

            use protocol::$type;

            pub(crate) fn serialize<S: Serializer>(value: &$type, serializer: S) -> Result<S::Ok, S::Error> {
                serde::Serialize::serialize(&value.0, serializer)
            }

            pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
                <$inner>::deserialize(deserializer).map($type)
            }
        }
    };
}

number!(offset, Offset, i64);
number!(partition, PartitionId, i32);

/// A serde module for a name.
macro_rules! name {
    ($module:ident, $type:ident) => {
        pub(crate) mod $module {
            use serde::{Deserialize, Deserializer, Serializer};

            use protocol::$type;

            pub(crate) fn serialize<S: Serializer>(value: &$type, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(value.as_str())
            }

            pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
                String::deserialize(deserializer).map($type::from)
            }
        }
    };
}

name!(topic_name, TopicName);
name!(group_id, GroupId);

pub(crate) mod topic_id {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use protocol::{TopicId, Uuid};

    pub(crate) fn serialize<S: Serializer>(id: &TopicId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(id)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TopicId, D::Error> {
        let text = String::deserialize(deserializer)?;
        Uuid::parse_str(&text).map(TopicId).map_err(D::Error::custom)
    }
}
