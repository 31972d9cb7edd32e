//! From timestamp to offset: entries of (timestamp i64, relative offset u32). An entry says: up to the batch after
//! which it was written, no timestamp is larger than this one, which stands in the batch that ends at the offset.

use bytes::Buf;

use protocol::Offset;

use super::relative;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TimeIndex {
    base: Offset,
    entries: Vec<(i64, u32)>,
}

impl TimeIndex {
    pub(crate) const ENTRY_BYTES: usize = 12;
    pub(crate) const ENTRY_MEMORY_BYTES: usize = 16;

    pub(crate) fn new(base: Offset) -> Self {
        Self { base, entries: Vec::new() }
    }

    /// Ignored unless the timestamp is larger than the last entry's.
    pub(crate) fn push(&mut self, timestamp: i64, offset: Offset) {
        let grows = self.entries.last().is_none_or(|last| timestamp > last.0);
        if let Some(relative) = relative(self.base, offset).filter(|_| grows) {
            self.entries.push((timestamp, relative));
        }
    }

    /// Where to start looking for the first record at or after `timestamp`: all records before are older.
    pub(crate) fn offset_before(&self, timestamp: i64) -> Offset {
        let after = self.entries.partition_point(|(entry, _)| *entry < timestamp);
        let entry = after.checked_sub(1).and_then(|at| self.entries.get(at));
        entry.map_or(self.base, |(_, relative)| self.base.plus(i64::from(*relative)))
    }

    pub(crate) fn last(&self) -> Option<(i64, Offset)> {
        let (timestamp, relative) = self.entries.last()?;
        Some((*timestamp, self.base.plus(i64::from(*relative))))
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.entries.len() * Self::ENTRY_BYTES);
        for (timestamp, relative) in &self.entries {
            bytes.extend_from_slice(&timestamp.to_be_bytes());
            bytes.extend_from_slice(&relative.to_be_bytes());
        }
        bytes
    }

    pub(crate) fn decode(base: Offset, mut bytes: &[u8]) -> Option<Self> {
        if !bytes.len().is_multiple_of(Self::ENTRY_BYTES) {
            return None;
        }
        let mut entries: Vec<(i64, u32)> = Vec::with_capacity(bytes.len() / Self::ENTRY_BYTES);
        while bytes.has_remaining() {
            let (timestamp, relative) = (bytes.get_i64(), bytes.get_u32());
            let grows = entries.last().is_none_or(|last| timestamp > last.0 && relative > last.1);
            if !grows || i32::try_from(relative).is_err() {
                return None;
            }
            entries.push((timestamp, relative));
        }
        Some(Self { base, entries })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> TimeIndex {
        let mut index = TimeIndex::new(Offset(100));
        index.push(1000, Offset(109));
        index.push(1000, Offset(115));
        index.push(2000, Offset(119));
        index
    }

    #[test]
    fn looking_starts_where_all_before_is_older() {
        let index = index();
        assert_eq!(index.len(), 2, "an entry that does not grow is not taken");
        for (timestamp, offset) in [(0, 100), (1000, 100), (1001, 109), (2000, 109), (2001, 119)] {
            assert_eq!(index.offset_before(timestamp), Offset(offset), "{timestamp}");
        }
    }

    #[test]
    fn entries_survive_the_file_and_bad_ones_are_refused() {
        let bytes = index().encode();
        assert_eq!(bytes.len(), 24);
        assert_eq!(TimeIndex::decode(Offset(100), &bytes), Some(index()));
        assert_eq!(TimeIndex::decode(Offset(100), &bytes[1..]), None);
        assert_eq!(TimeIndex::decode(Offset(100), &[&bytes[..], &[0; 12]].concat()), None);
    }
}
