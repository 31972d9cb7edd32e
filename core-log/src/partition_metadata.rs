//! Kafka's `partition.metadata`: which topic a partition's directory belongs to (KIP-516). A topic that was deleted
//! and created again has its old name and another id, and must not be given the old one's records.
//!
//! ```text
//!   version: 0
//!   topic_id: MkTRaEKkRTWzKDmNnHrqlw      <- 16 bytes in base64, URL alphabet, no padding
//! ```

use protocol::{TopicId, Uuid};

/// The file in a partition's directory.
pub const PARTITION_METADATA: &str = "partition.metadata";

const VERSION: i32 = 0;
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const ID_CHARS: usize = 22;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PartitionMetadataError {
    #[error("partition.metadata has no line \"{0}: ...\"")]
    MissingField(&'static str),
    #[error("version {0:?} of partition.metadata is not known")]
    UnknownVersion(String),
    #[error("{0:?} in partition.metadata is not a topic id")]
    BadTopicId(String),
}

/// The content of [`PARTITION_METADATA`].
pub fn format_partition_metadata(topic_id: TopicId) -> String {
    format!("version: {VERSION}\ntopic_id: {}", encode(topic_id))
}

/// Later versions only append fields, so they are read as well.
pub fn parse_partition_metadata(bytes: &[u8]) -> Result<TopicId, PartitionMetadataError> {
    use PartitionMetadataError as Error;
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines();
    let version = field(lines.next(), "version")?;
    if !version.parse().is_ok_and(|version: i32| version >= VERSION) {
        return Err(Error::UnknownVersion(shown(version)));
    }
    let topic_id = field(lines.next(), "topic_id")?;
    let decoded = decode(topic_id).filter(|topic_id| *topic_id != TopicId::ZERO);
    decoded.ok_or_else(|| Error::BadTopicId(shown(topic_id)))
}

fn field<'a>(line: Option<&'a str>, name: &'static str) -> Result<&'a str, PartitionMetadataError> {
    let value = line.and_then(|line| line.trim().strip_prefix(name)?.strip_prefix(':'));
    value.map(str::trim).ok_or(PartitionMetadataError::MissingField(name))
}

fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

/// 128 bits, six at a time, from the highest; the last character carries two and four zeros.
fn encode(topic_id: TopicId) -> String {
    let bits = topic_id.0.as_u128();
    let sextet = |index: usize| match 122usize.checked_sub(6 * index) {
        Some(shift) => (bits >> shift) & 63,
        None => (bits << 4) & 63,
    };
    let character = |index| ALPHABET.get(sextet(index) as usize).map_or('A', |byte| char::from(*byte));
    (0..ID_CHARS).map(character).collect()
}

fn decode(text: &str) -> Option<TopicId> {
    let text = text.trim_end_matches('=');
    let (last, rest) = text.as_bytes().split_last().filter(|_| text.len() == ID_CHARS)?;
    let sextet = |byte: &u8| ALPHABET.iter().position(|known| known == byte).map(|sextet| sextet as u128);
    let high = rest.iter().try_fold(0u128, |bits, byte| Some((bits << 6) | sextet(byte)?))?;
    Some(TopicId(Uuid::from_u128((high << 2) | (sextet(last)? >> 4))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_text_is_kafkas() {
        let bytes: [u8; 16] = std::array::from_fn(|at| at as u8);
        let topic_id = TopicId(Uuid::from_bytes(bytes));
        let text = "version: 0\ntopic_id: AAECAwQFBgcICQoLDA0ODw";
        assert_eq!(format_partition_metadata(topic_id), text);
        assert_eq!(parse_partition_metadata(text.as_bytes()), Ok(topic_id));
        assert_eq!(parse_partition_metadata(format!("{text}==\r\nmore: 1\n").as_bytes()), Ok(topic_id));
        let all = TopicId(Uuid::from_u128(u128::MAX));
        assert_eq!(format_partition_metadata(all), "version: 0\ntopic_id: _____________________w");
    }

    #[test]
    fn a_later_version_is_read_and_an_unknown_one_is_not() {
        let with = |version: &str| {
            parse_partition_metadata(
                format!("version: {version}\ntopic_id: AAECAwQFBgcICQoLDA0ODw").as_bytes(),
            )
        };
        assert!(with("1").is_ok());
        assert_eq!(with("-1"), Err(PartitionMetadataError::UnknownVersion("-1".into())));
        assert_eq!(with("x"), Err(PartitionMetadataError::UnknownVersion("x".into())));
    }

    #[test]
    fn what_is_no_topic_id_is_an_error() {
        for bad in ["", "AAECAwQFBgcICQoLDA0OD", "AAECAwQFBgcICQoLDA0ODwA", "AAECAwQFBgcICQoLDA0OD+", "ä"] {
            let found = parse_partition_metadata(format!("version: 0\ntopic_id: {bad}").as_bytes());
            assert_eq!(found, Err(PartitionMetadataError::BadTopicId(bad.into())));
        }
        let zero = parse_partition_metadata(format_partition_metadata(TopicId::ZERO).as_bytes());
        assert!(matches!(zero, Err(PartitionMetadataError::BadTopicId(_))));
        for (text, name) in
            [("", "version"), ("version: 0", "topic_id"), ("topic_id: A\nversion: 0", "version")]
        {
            let found = parse_partition_metadata(text.as_bytes());
            assert_eq!(found, Err(PartitionMetadataError::MissingField(name)));
        }
    }

    proptest! {
        #[test]
        fn every_topic_id_comes_back(bits in 1..u128::MAX) {
            let topic_id = TopicId(Uuid::from_u128(bits));
            prop_assert_eq!(parse_partition_metadata(format_partition_metadata(topic_id).as_bytes()), Ok(topic_id));
        }

        #[test]
        fn any_bytes_are_parsed_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = parse_partition_metadata(&bytes);
            let _ = crate::checkpoint::parse_offsets(&bytes);
        }
    }
}
