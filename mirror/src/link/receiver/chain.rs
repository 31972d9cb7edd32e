//! The blocks of one subscription, put into the order of their chain.

use std::collections::{BTreeMap, VecDeque};

use protocol::Offset;

use crate::link::{
    BlockNumber,
    block::{Block, BlockHeader},
};

/// Blocks that wait for their predecessor, and blocks that may be applied.
#[derive(Debug, Default)]
pub(super) struct Chain {
    start: Offset,
    /// Where the next block must continue; `None` until the source said where it starts.
    expected: Option<Offset>,
    ready: VecDeque<Link>,
    /// By what they continue.
    ahead: BTreeMap<Offset, Link>,
}

/// One block, or all fragments of one batch.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) previous_end: Offset,
    pub(super) first_offset: Offset,
    pub(super) next_offset: Offset,
    pub(super) unpacked_bytes: usize,
    /// Of the first block that came.
    number: BlockNumber,
    fragments: Vec<Option<Block>>,
}

/// What became of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placed {
    /// It is in order, or waits for its predecessor.
    Taken,
    /// Its records are here already.
    Repeated,
    /// It is neither the same as another one nor beside it.
    Overlapping,
}

impl Link {
    fn new(header: &BlockHeader) -> Self {
        Self {
            previous_end: header.previous_end,
            first_offset: header.first_offset,
            next_offset: header.next_offset(),
            unpacked_bytes: header.whole_bytes as usize,
            number: header.number,
            fragments: vec![None; usize::from(header.fragment_count)],
        }
    }

    fn is_whole(&self) -> bool {
        self.fragments.iter().all(Option::is_some)
    }

    fn agrees(&self, header: &BlockHeader) -> bool {
        let same_offsets =
            self.first_offset == header.first_offset && self.next_offset == header.next_offset();
        let same_cut = self.fragments.len() == usize::from(header.fragment_count)
            && self.unpacked_bytes == header.whole_bytes as usize;
        same_offsets && same_cut
    }

    pub(super) fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.fragments.iter().flatten()
    }

    pub(super) fn wire_bytes(&self) -> u64 {
        self.blocks().map(Block::wire_bytes).sum()
    }
}

impl Chain {
    /// The source said where it starts. Answers the wire bytes of what came before that and does not fit.
    pub(super) fn start(&mut self, at: Offset) -> u64 {
        self.start = at;
        self.expected = Some(at);
        self.settle()
    }

    /// Where the source said it starts.
    pub(super) fn start_offset(&self) -> Offset {
        self.start
    }

    /// Puts a block into its place; also answers the wire bytes of others that turned out to overlap.
    pub(super) fn insert(&mut self, block: Block) -> (Placed, u64) {
        let header = &block.header;
        if self.expected.is_some_and(|expected| header.previous_end < expected) {
            return (Placed::Repeated, 0);
        }
        let link = self.ahead.entry(header.previous_end).or_insert_with(|| Link::new(header));
        if !link.agrees(header) {
            return (Placed::Overlapping, 0);
        }
        // The header's parser has held the index below the count.
        match link.fragments.get_mut(usize::from(header.fragment_index)) {
            Some(place @ None) => *place = Some(block),
            Some(Some(_)) | None => return (Placed::Repeated, 0),
        }
        (Placed::Taken, self.settle())
    }

    /// Moves what has its predecessor over to what may be applied.
    fn settle(&mut self) -> u64 {
        let Some(mut expected) = self.expected else { return 0 };
        while let Some(link) = self.ahead.get(&expected)
            && link.is_whole()
            && let Some(link) = self.ahead.remove(&expected)
        {
            expected = link.next_offset;
            self.ready.push_back(link);
        }
        self.expected = Some(expected);
        let waiting = self.ahead.split_off(&expected);
        let overlapping = std::mem::replace(&mut self.ahead, waiting);
        overlapping.values().map(Link::wire_bytes).sum()
    }

    /// The chain has a hole that nothing under way can fill: all blocks begun before `contiguous` have arrived, and one of
    /// them continues what never came.
    pub(super) fn hole(&self, contiguous: BlockNumber) -> Option<(Offset, Offset)> {
        let expected = self.expected?;
        let (found, link) = self.ahead.first_key_value()?;
        (*found != expected && link.number < contiguous).then_some((expected, *found))
    }

    pub(super) fn is_waiting(&self) -> bool {
        !self.ahead.is_empty()
    }

    pub(super) fn ready(&self) -> &VecDeque<Link> {
        &self.ready
    }

    /// Takes out what was applied: all that ends at or before `end`. Answers its wire bytes.
    pub(super) fn take_applied(&mut self, end: Offset) -> u64 {
        let mut bytes = 0;
        while let Some(link) = self.ready.front()
            && link.next_offset <= end
        {
            bytes += link.wire_bytes();
            self.ready.pop_front();
        }
        bytes
    }

    /// The wire bytes of all that is here.
    pub(super) fn wire_bytes(&self) -> u64 {
        self.ready.iter().chain(self.ahead.values()).map(Link::wire_bytes).sum()
    }
}
