//! From offset to position: entries of (relative last offset of a batch u32, position of that batch u32).

use bytes::Buf;

use protocol::Offset;

use super::relative;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OffsetIndex {
    base: Offset,
    entries: Vec<(u32, u32)>,
}

impl OffsetIndex {
    pub(crate) const ENTRY_BYTES: usize = 8;

    pub(crate) fn new(base: Offset) -> Self {
        Self { base, entries: Vec::new() }
    }

    pub(crate) fn push(&mut self, offset: Offset, position: u64) {
        if let (Some(relative), Ok(position)) = (relative(self.base, offset), u32::try_from(position)) {
            self.entries.push((relative, position));
        }
    }

    /// Where to start looking for `offset`: no batch that ends after it starts before that position.
    pub(crate) fn position_before(&self, offset: Offset) -> u64 {
        let after =
            self.entries.partition_point(|(relative, _)| self.base.plus(i64::from(*relative)) <= offset);
        let entry = after.checked_sub(1).and_then(|at| self.entries.get(at));
        entry.map_or(0, |(_, position)| u64::from(*position))
    }

    pub(crate) fn last(&self) -> Option<(Offset, u64)> {
        let (relative, position) = self.entries.last()?;
        Some((self.base.plus(i64::from(*relative)), u64::from(*position)))
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let pairs = self.entries.iter();
        pairs
            .flat_map(|(relative, position)| [relative.to_be_bytes(), position.to_be_bytes()])
            .flatten()
            .collect()
    }

    /// `None` if this cannot be the index of a segment with `segment_bytes`.
    pub(crate) fn decode(base: Offset, mut bytes: &[u8], segment_bytes: u64) -> Option<Self> {
        if !bytes.len().is_multiple_of(Self::ENTRY_BYTES) {
            return None;
        }
        let mut entries: Vec<(u32, u32)> = Vec::with_capacity(bytes.len() / Self::ENTRY_BYTES);
        while bytes.has_remaining() {
            let (relative, position) = (bytes.get_u32(), bytes.get_u32());
            let grows = entries.last().is_none_or(|last| relative > last.0 && position > last.1);
            if !grows || i32::try_from(relative).is_err() || u64::from(position) >= segment_bytes {
                return None;
            }
            entries.push((relative, position));
        }
        Some(Self { base, entries })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> OffsetIndex {
        let mut index = OffsetIndex::new(Offset(100));
        index.push(Offset(109), 50);
        index.push(Offset(119), 90);
        index
    }

    #[test]
    fn the_position_is_of_the_last_entry_at_or_before_the_offset() {
        let index = index();
        for (offset, position) in [(100, 0), (108, 0), (109, 50), (118, 50), (119, 90), (500, 90)] {
            assert_eq!(index.position_before(Offset(offset)), position, "{offset}");
        }
    }

    #[test]
    fn entries_survive_the_file_and_bad_ones_are_refused() {
        let index = index();
        let bytes = index.encode();
        assert_eq!(bytes, [0, 0, 0, 9, 0, 0, 0, 50, 0, 0, 0, 19, 0, 0, 0, 90]);
        assert_eq!(OffsetIndex::decode(Offset(100), &bytes, 91), Some(index));
        assert_eq!(OffsetIndex::decode(Offset(100), &bytes, 90), None, "points behind the segment's end");
        assert_eq!(OffsetIndex::decode(Offset(100), &bytes[..15], 91), None, "half an entry");
        let zeros = [&bytes[..], &[0; 8]].concat();
        assert_eq!(OffsetIndex::decode(Offset(100), &zeros, 1000), None, "zeros where a write was lost");
    }
}
