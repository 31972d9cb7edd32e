//! Runs in memory: coded bytes in blocks, and an uncoded head for each block.
//!
//! ```text
//!   heads   source base | target base | where the bytes start          one for every 32 runs
//!   bytes   the runs of block 0 | of block 1 | ...                      as in `coding`, ~3 bytes each
//! ```
//!
//! A look-up searches the heads, then decodes one block up to the run it wants. The heads of the two sides stand in
//! arrays of their own: a search touches 8 bytes per step, and a million runs' heads fit a processor's cache.

use super::{
    coding::{Decoder, Ends, put_run},
    run::{Run, Side},
};
use crate::position::{Position, TargetOffset};
use protocol::Offset;

/// Small enough that decoding half a block costs no more than the search for it; large enough that its head costs
/// less than a byte per run.
pub(super) const BLOCK_RUNS: usize = 32;

#[derive(Debug, Clone, Default)]
pub(super) struct Blocks {
    sources: Vec<i64>,
    targets: Vec<i64>,
    /// Where each block's bytes start.
    starts: Vec<usize>,
    bytes: Vec<u8>,
    runs: usize,
    /// Of the last run.
    ends: Option<Ends>,
}

impl Blocks {
    /// Appends a run that lies after all others on both sides.
    pub(super) fn push(&mut self, run: &Run) {
        let mut ends = match self.ends {
            Some(ends) if !self.runs.is_multiple_of(BLOCK_RUNS) => ends,
            _ => {
                self.sources.push(run.source.offset().0);
                self.targets.push(run.target.offset().0);
                self.starts.push(self.bytes.len());
                Ends { source: run.source, target: run.target }
            }
        };
        put_run(&mut self.bytes, &mut ends, run);
        self.ends = Some(ends);
        self.runs += 1;
    }

    /// The first run that ends after `position`.
    pub(super) fn find<S: Side>(&self, position: i64) -> Option<Run> {
        let heads = S::pick(&self.sources, &self.targets);
        let after = heads.partition_point(|head| *head <= position);
        let block = after.saturating_sub(1);
        let mut decoder = self.decoder(block)?;
        for _ in 0..BLOCK_RUNS {
            let Some(run) = decoder.take_run() else { break };
            if position < S::base(&run) + run.length {
                return Some(run);
            }
        }
        // It lies after the block's last run: the next block's first run is the answer.
        self.decoder(block + 1)?.take_run()
    }

    pub(super) fn runs(&self) -> usize {
        self.runs
    }

    pub(super) fn coded_bytes(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let heads = self.sources.capacity() + self.targets.capacity();
        self.bytes.capacity() + heads * size_of::<i64>() + self.starts.capacity() * size_of::<usize>()
    }

    /// Every run from a block on, in order.
    pub(super) fn iter_from(&self, block: usize) -> impl Iterator<Item = Run> + '_ {
        let blocks = block..self.starts.len();
        blocks
            .filter_map(|block| self.decoder(block))
            .flat_map(|mut decoder| (0..BLOCK_RUNS).map_while(move |_| decoder.take_run()))
    }

    /// Drops every run from `end` on, and the part of a run that lies there.
    pub(super) fn cut(&mut self, end: TargetOffset) {
        let block = self.targets.partition_point(|head| *head < end.offset().0).saturating_sub(1);
        let Some(start) = self.starts.get(block).copied() else { return };
        let kept: Vec<Run> = self
            .iter_from(block)
            .take_while(|run| run.target < end)
            .map(|run| Run { length: run.length.min(end.since(run.target)), ..run })
            .take(BLOCK_RUNS)
            .collect();
        self.ends = block
            .checked_sub(1)
            .and_then(|before| self.iter_from(before).take(BLOCK_RUNS).last())
            .map(|run| Ends::of(&run));
        self.sources.truncate(block);
        self.targets.truncate(block);
        self.starts.truncate(block);
        self.bytes.truncate(start);
        self.runs = block * BLOCK_RUNS;
        kept.iter().for_each(|run| self.push(run));
    }

    /// Takes the last run out.
    pub(super) fn pop(&mut self) -> Option<Run> {
        let last = self.iter_from(self.starts.len().checked_sub(1)?).last()?;
        self.cut(last.target);
        Some(last)
    }

    /// Drops the blocks whose runs all end at or below `start`, when they are half of all blocks or more; the work is
    /// then paid for by the appends that filled them. `next` is the target base of the run after the last block. Answers
    /// where the last dropped run ended.
    pub(super) fn trim(&mut self, start: TargetOffset, next: TargetOffset) -> Option<Ends> {
        let blocks = self.starts.len();
        // A block ends at or below the base of the one that follows it.
        let dead = match next <= start {
            true => blocks,
            false => self.targets.partition_point(|head| *head <= start.offset().0).saturating_sub(1),
        };
        if dead == 0 || dead * 2 < blocks {
            return None;
        }
        let last = self.iter_from(dead - 1).take(BLOCK_RUNS).last()?;
        let bytes = self.starts.get(dead).copied().unwrap_or(self.bytes.len());
        self.runs -= (dead * BLOCK_RUNS).min(self.runs);
        self.sources.drain(..dead);
        self.targets.drain(..dead);
        self.starts.drain(..dead);
        self.bytes.drain(..bytes);
        self.starts.iter_mut().for_each(|start| *start -= bytes);
        self.ends = self.ends.filter(|_| self.runs > 0);
        Some(Ends::of(&last))
    }

    fn decoder(&self, block: usize) -> Option<Decoder<'_>> {
        let bytes = self.bytes.get(*self.starts.get(block)?..)?;
        let (source, target) = (*self.sources.get(block)?, *self.targets.get(block)?);
        Some(Decoder::new(
            bytes,
            Ends { source: Position::new(Offset(source)), target: Position::new(Offset(target)) },
        ))
    }
}
