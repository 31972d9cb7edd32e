//! Names on disk, as Kafka gives them.

use std::path::{Path, PathBuf};

use protocol::{Offset, TopicId, TopicPartition};

use crate::limits;

pub(crate) const CLEAN_SHUTDOWN: &str = ".kafka_cleanshutdown";
/// Kafka looks for its own broker epoch there, and takes an unknown one as what it is.
pub(crate) const CLEAN_SHUTDOWN_CONTENT: &[u8] = b"version: 0\nbrokerEpoch: -1\n";

const DELETED_SUFFIX: &str = ".deleted";
const REMOVED_SUFFIX: &str = "-delete";
const STRAY_SUFFIX: &str = "-stray";
/// How often another name is tried for a directory that gets one.
pub(crate) const ATTEMPTS_MAX: u128 = 1000;

/// The files of a segment; each is named after the segment's base offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Log,
    Index,
    TimeIndex,
    /// Of the producers, as they were before the segment's first batch.
    Snapshot,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::Log, Self::Index, Self::TimeIndex, Self::Snapshot];

    fn extension(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Index => "index",
            Self::TimeIndex => "timeindex",
            Self::Snapshot => "snapshot",
        }
    }
}

pub(crate) fn segment_file(dir: &Path, base: Offset, kind: Kind) -> PathBuf {
    dir.join(format!("{:020}.{}", base.0, kind.extension()))
}

/// What a name in a log's directory stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    Segment(Offset, Kind),
    /// Left by a deletion or a replacement that a crash cut short.
    Leftover,
    Other,
}

pub(crate) fn parse_entry(name: &str) -> Entry {
    if [DELETED_SUFFIX, ".tmp", ".cleaned", ".swap"].iter().any(|suffix| name.ends_with(suffix)) {
        return Entry::Leftover;
    }
    let segment = name.split_once('.').and_then(|(digits, extension)| {
        let well_formed = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
        let base = digits.parse().ok().filter(|_| well_formed)?;
        let kind = Kind::ALL.into_iter().find(|kind| kind.extension() == extension)?;
        Some(Entry::Segment(Offset(base), kind))
    });
    segment.unwrap_or(Entry::Other)
}

/// The name that a file gets before it is deleted.
pub(crate) fn deleted(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(DELETED_SUFFIX);
    PathBuf::from(name)
}

/// The name that a log's directory gets before it is deleted; `attempt` tells several of the same topic apart.
pub(crate) fn removed_dir(id: &TopicPartition, topic_id: TopicId, attempt: u128) -> String {
    unique_dir(id, topic_id.0.as_u128().wrapping_add(attempt), REMOVED_SUFFIX)
}

/// The name that a directory gets which belongs to no topic.
pub(crate) fn stray_dir(id: &TopicPartition, attempt: u128) -> String {
    unique_dir(id, attempt, STRAY_SUFFIX)
}

fn unique_dir(id: &TopicPartition, unique: u128, suffix: &str) -> String {
    let end = format!("-{}.{unique:032x}{suffix}", id.partition);
    let room = limits::NAME_BYTES_MAX.saturating_sub(end.len());
    let topic: String = id.topic.as_str().chars().take(room).collect();
    format!("{topic}{end}")
}

pub(crate) fn is_removed_dir(name: &str) -> bool {
    name.ends_with(REMOVED_SUFFIX)
}

/// The partition whose log has a directory of this name.
pub(crate) fn parse_dir(name: &str) -> Option<TopicPartition> {
    let (topic, partition) = name.rsplit_once('-')?;
    let canonical = partition == "0" || !partition.starts_with('0');
    let digits = !partition.is_empty() && partition.bytes().all(|byte| byte.is_ascii_digit());
    let partition = partition.parse().ok().filter(|_| canonical && digits)?;
    (!topic.is_empty()).then(|| TopicPartition::new(topic, partition))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segment_names_are_kafkas() {
        let path = segment_file(Path::new("/d"), Offset(42), Kind::TimeIndex);
        assert_eq!(path, Path::new("/d/00000000000000000042.timeindex"));
        assert_eq!(
            parse_entry("00000000000000000042.timeindex"),
            Entry::Segment(Offset(42), Kind::TimeIndex)
        );
        assert_eq!(parse_entry("00000000000000000042.log.deleted"), Entry::Leftover);
        for other in ["42.log", "0000000000000000004x.log", "+0000000000000000042.log", "partition.metadata"]
        {
            assert_eq!(parse_entry(other), Entry::Other, "{other}");
        }
    }

    #[test]
    fn a_directory_name_is_the_partitions_and_no_other() {
        for (name, expected) in [
            ("orders-0", Some(TopicPartition::new("orders", 0))),
            ("a-b-12", Some(TopicPartition::new("a-b", 12))),
            ("orders", None),
            ("-1", None),
            ("orders-", None),
            ("orders-01", None),
            ("orders-+1", None),
            ("orders-0.00000000000000000000000000000001-delete", None),
        ] {
            assert_eq!(parse_dir(name), expected, "{name}");
        }
    }

    #[test]
    fn a_removed_directorys_name_fits_and_is_recognised() {
        let id = TopicPartition::new("t".repeat(249), 3);
        let name = removed_dir(&id, TopicId::ZERO, 1);
        assert!(name.len() <= 255 && is_removed_dir(&name), "{name}");
        assert_ne!(name, removed_dir(&id, TopicId::ZERO, 2));
    }
}
