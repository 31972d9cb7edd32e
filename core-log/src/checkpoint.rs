//! Kafka's checkpoint files: a version, a count, and a line for each entry.
//!
//! ```text
//! recovery-point-, log-start-, producer-start-offset-checkpoint      leader-epoch-checkpoint
//!   0                                                                  0
//!   2                                                                  1
//!   orders 0 1200                                                      4 1000      <- epoch, start offset
//!   orders 1 900      <- topic, partition, offset
//! ```
//!
//! A file is replaced as a whole, so after a power cut it is an old one or a new one. What reads it takes any white
//! space and line ends, and nothing that it would have to guess at; an empty file has no entries, as in Kafka.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
    io,
    path::Path,
    str::FromStr,
};

use protocol::{Offset, PartitionId, TopicName, TopicPartition};

use crate::storage::{Storage, read_whole, replace_file};

/// Offsets below which all is durable: what lies below and is damaged is corrupt, not torn.
pub const RECOVERY_POINTS: &str = "recovery-point-offset-checkpoint";
/// First offsets of logs whose beginning was deleted within a segment.
pub const LOG_STARTS: &str = "log-start-offset-checkpoint";

/// Offsets below which batches tell nothing about producers any more; a file of ours alone.
pub const PRODUCER_STARTS: &str = "producer-start-offset-checkpoint";

const VERSION: &str = "0";
/// A million partitions with topic names of the largest size.
const FILE_BYTES_MAX: usize = 300 << 20;
/// As much of a bad line as an error shows.
const SHOWN_CHARS: usize = 80;

/// An offset for each of a directory's partitions.
pub type Offsets = BTreeMap<TopicPartition, Offset>;

#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("line {line} of the checkpoint is {found:?}, not {expected}")]
    BadLine { line: usize, found: String, expected: &'static str },
    #[error("the checkpoint counts {counted} entries and has {found}")]
    BadCount { counted: usize, found: usize },
}

/// Reads a checkpoint of offsets; an absent file has no entries.
pub fn read_offsets(storage: &dyn Storage, path: &Path) -> Result<Offsets, CheckpointError> {
    match read_whole(storage, path, FILE_BYTES_MAX) {
        Ok(bytes) => parse_offsets(&bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Offsets::new()),
        Err(error) => Err(error.into()),
    }
}

/// Durable when it returns `Ok`.
pub fn write_offsets(storage: &dyn Storage, path: &Path, offsets: &Offsets) -> io::Result<()> {
    replace_file(storage, path, format_offsets(offsets).as_bytes())
}

pub fn parse_offsets(bytes: &[u8]) -> Result<Offsets, CheckpointError> {
    const EXPECTED: &str = "a topic, a partition and an offset";
    let mut offsets = Offsets::new();
    let mut entries = 0;
    let counted = parse(bytes, EXPECTED, |fields| {
        let topic = TopicName::from(fields.next()?);
        let partition = PartitionId(number(fields)?);
        entries += 1;
        offsets.insert(TopicPartition { topic, partition }, Offset(number(fields)?));
        Some(())
    })?;
    let found = offsets.len();
    // An entry that is there twice leaves open which one holds.
    if found != entries {
        return Err(CheckpointError::BadCount { counted, found });
    }
    Ok(offsets)
}

pub fn format_offsets(offsets: &Offsets) -> String {
    let entries = offsets.iter().map(|(id, offset)| (&id.topic, id.partition, *offset));
    format(entries, |to, (topic, partition, offset)| writeln!(to, "{topic} {partition} {offset}"))
}

/// Reads all entries with `entry`, which takes a line's fields, and answers how many there are.
pub(crate) fn parse(
    bytes: &[u8],
    expected: &'static str,
    mut entry: impl FnMut(&mut Fields<'_>) -> Option<()>,
) -> Result<usize, CheckpointError> {
    let mut lines =
        bytes.split(|byte| *byte == b'\n').enumerate().map(Line::of).filter(|line| !line.is_blank());
    let Some(version) = lines.next() else { return Ok(0) };
    if version.text.trim() != VERSION {
        return Err(version.is_not("version 0"));
    }
    let Some(count) = lines.next() else { return Ok(0) };
    let counted: usize = count.text.trim().parse().map_err(|_| count.is_not("a count of entries"))?;
    let mut found = 0;
    for line in lines {
        let mut fields = line.text.split_whitespace();
        if entry(&mut fields).is_none() || fields.next().is_some() {
            return Err(line.is_not(expected));
        }
        found += 1;
    }
    if found == counted { Ok(found) } else { Err(CheckpointError::BadCount { counted, found }) }
}

pub(crate) fn format<T>(
    entries: impl ExactSizeIterator<Item = T>,
    line: impl Fn(&mut String, T) -> fmt::Result,
) -> String {
    let mut text = format!("{VERSION}\n{}\n", entries.len());
    for entry in entries {
        line(&mut text, entry).expect("a String takes any text");
    }
    text
}

pub(crate) type Fields<'a> = std::str::SplitWhitespace<'a>;

/// The next field, which is a number and not negative.
pub(crate) fn number<T: FromStr + PartialOrd + Default>(fields: &mut Fields<'_>) -> Option<T> {
    fields.next()?.parse().ok().filter(|number| *number >= T::default())
}

struct Line<'a> {
    /// From 1.
    number: usize,
    text: std::borrow::Cow<'a, str>,
}

impl<'a> Line<'a> {
    fn of((index, bytes): (usize, &'a [u8])) -> Self {
        Self { number: index + 1, text: String::from_utf8_lossy(bytes) }
    }

    fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    fn is_not(&self, expected: &'static str) -> CheckpointError {
        let found = self.text.chars().take(SHOWN_CHARS).collect();
        CheckpointError::BadLine { line: self.number, found, expected }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::MemoryStorage;

    fn three() -> Offsets {
        let entry = |topic: &str, partition, offset| (TopicPartition::new(topic, partition), Offset(offset));
        [entry("orders", 0, 1200), entry("orders", 1, 0), entry("a.b-c_d", 17, i64::MAX)].into()
    }

    #[test]
    fn offsets_are_written_as_kafka_does() {
        let text = "0\n3\na.b-c_d 17 9223372036854775807\norders 0 1200\norders 1 0\n";
        assert_eq!(format_offsets(&three()), text);
        assert_eq!(parse_offsets(text.as_bytes()).unwrap(), three());
    }

    #[test]
    fn white_space_and_line_ends_do_not_matter() {
        let text = "0\r\n3\r\n\r\norders  0\t1200\r\n orders 1 0 \na.b-c_d 17 9223372036854775807";
        assert_eq!(parse_offsets(text.as_bytes()).unwrap(), three());
    }

    #[test]
    fn an_absent_or_empty_checkpoint_has_no_entries() {
        let disk = MemoryStorage::new(1);
        assert_eq!(read_offsets(&disk, Path::new("/c")).unwrap(), Offsets::new());
        for empty in ["", "\n", "0\n", "0\n0\n"] {
            assert_eq!(parse_offsets(empty.as_bytes()).unwrap(), Offsets::new(), "{empty:?}");
        }
    }

    #[test]
    fn written_offsets_are_read_after_a_power_cut() {
        let disk = MemoryStorage::new(1);
        write_offsets(&disk, Path::new("/c"), &three()).unwrap();
        for seed in 0..20 {
            assert_eq!(read_offsets(&disk.cut_power(seed), Path::new("/c")).unwrap(), three());
        }
    }

    #[test]
    fn bad_lines_are_named() {
        for (text, line) in [
            ("1\n0\n", 1),
            ("x\n", 1),
            ("0\n-1\n", 2),
            ("0\n99999999999999999999999\n", 2),
            ("0\n1\norders 0\n", 3),
            ("0\n1\norders 0 1 2\n", 3),
            ("0\n1\norders -1 1\n", 3),
            ("0\n2\norders 0 1\norders 1 -1\n", 4),
            ("0\n1\norders 0 9223372036854775808\n", 3),
            ("0\n1\n\u{fffd} x 1\n", 3),
        ] {
            match parse_offsets(text.as_bytes()) {
                Err(CheckpointError::BadLine { line: found, .. }) => assert_eq!(found, line, "{text:?}"),
                other => panic!("{text:?}: {other:?}"),
            }
        }
        let error = parse_offsets(b"0\n1\norders 0\n").unwrap_err().to_string();
        assert_eq!(
            error,
            r#"line 3 of the checkpoint is "orders 0", not a topic, a partition and an offset"#
        );
    }

    #[test]
    fn a_count_that_disagrees_is_an_error_and_sizes_nothing() {
        for text in ["0\n2\norders 0 1\n", "0\n0\norders 0 1\n", "0\n18446744073709551615\norders 0 1\n"] {
            let found = parse_offsets(text.as_bytes());
            assert!(matches!(found, Err(CheckpointError::BadCount { .. })), "{text:?}: {found:?}");
        }
    }

    #[test]
    fn a_partition_that_is_there_twice_is_an_error() {
        let found = parse_offsets(b"0\n2\norders 0 1\norders 0 2\n");
        assert!(matches!(found, Err(CheckpointError::BadCount { counted: 2, found: 1 })), "{found:?}");
    }
}
