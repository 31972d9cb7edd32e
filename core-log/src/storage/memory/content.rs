//! What one file holds: as its readers see it, and as it would be found after a power cut.

use std::io::IoSlice;

use super::dice::Dice;

/// What a disk writes at once or not at all.
const SECTOR: usize = 512;

/// A file's bytes.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// What reads see.
    now: Vec<u8>,
    /// What a power cut cannot take.
    durable: Vec<u8>,
    /// Changes to `now` that no sync has covered, oldest first.
    pending: Vec<Change>,
}

#[derive(Debug)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Length(usize),
}

/// What a power cut left of one un-synced write.
enum Fate {
    Whole,
    Lost,
    /// The file grew, but nothing was written: zeros.
    LengthOnly,
    FirstSectors,
    SomeSectors,
}

impl Content {
    pub(super) fn found(bytes: Vec<u8>) -> Self {
        Self { now: bytes.clone(), durable: bytes, pending: vec![] }
    }

    pub(super) fn length(&self) -> usize {
        self.now.len()
    }

    pub(super) fn read(&self, buf: &mut [u8], at: usize) -> usize {
        let there = self.now.get(at..).unwrap_or_default();
        let count = there.len().min(buf.len());
        if let (Some(to), Some(from)) = (buf.get_mut(..count), there.get(..count)) {
            to.copy_from_slice(from);
        }
        count
    }

    /// Writes the first `count` bytes of `bufs`.
    pub(super) fn write(&mut self, bufs: &[IoSlice<'_>], count: usize, at: usize) {
        let bytes: Vec<u8> = bufs.iter().flat_map(|buf| buf.iter().copied()).take(count).collect();
        self.change(Change::Write { at, bytes });
    }

    pub(super) fn set_length(&mut self, length: usize) {
        self.change(Change::Length(length));
    }

    pub(super) fn sync(&mut self) {
        for change in self.pending.drain(..) {
            change.apply(&mut self.durable);
        }
    }

    /// A failed sync: reads still see the bytes, but no later sync writes them (Linux marks the pages clean).
    pub(super) fn lose_pending(&mut self) {
        self.pending.clear();
    }

    /// Inverts one bit, on the disk and for readers; `false` when the file is too short.
    pub(super) fn flip_bit(&mut self, bit: u64) -> bool {
        let at = usize::try_from(bit / 8).unwrap_or(usize::MAX);
        let mask = 1u8 << (bit % 8);
        let mut flipped = false;
        for byte in [self.now.get_mut(at), self.durable.get_mut(at)].into_iter().flatten() {
            *byte ^= mask;
            flipped = true;
        }
        flipped
    }

    /// The bytes as found after a power cut.
    pub(super) fn after_cut(&self, dice: &mut Dice) -> Vec<u8> {
        let mut found = self.durable.clone();
        for change in &self.pending {
            change.survive(dice, &mut found);
        }
        found
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.now);
        self.pending.push(change);
    }
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write { at, bytes } => put(content, *at, bytes),
            Self::Length(length) => content.resize(*length, 0),
        }
    }

    fn survive(&self, dice: &mut Dice, content: &mut Vec<u8>) {
        match (self, Fate::roll(dice)) {
            (Self::Length(_), Fate::Lost | Fate::LengthOnly) | (_, Fate::Lost) => {}
            (Self::Length(_), _) | (_, Fate::Whole) => self.apply(content),
            (Self::Write { at, bytes }, Fate::LengthOnly) => grow(content, at + bytes.len()),
            (Self::Write { at, bytes }, Fate::FirstSectors) => {
                let pieces = sectors(*at, bytes);
                let kept = dice.below(pieces.len() as u64 + 1) as usize;
                pieces.into_iter().take(kept).for_each(|(at, piece)| put(content, at, piece));
            }
            (Self::Write { at, bytes }, Fate::SomeSectors) => {
                let kept = sectors(*at, bytes).into_iter().filter(|_| dice.coin());
                kept.for_each(|(at, piece)| put(content, at, piece));
            }
        }
    }
}

impl Fate {
    fn roll(dice: &mut Dice) -> Self {
        match dice.below(5) {
            0 => Self::Whole,
            1 => Self::Lost,
            2 => Self::LengthOnly,
            3 => Self::FirstSectors,
            _ => Self::SomeSectors,
        }
    }
}

/// Cuts a write where the disk's sectors do.
fn sectors(mut at: usize, mut bytes: &[u8]) -> Vec<(usize, &[u8])> {
    let mut pieces = vec![];
    while !bytes.is_empty() {
        let (piece, rest) = bytes.split_at(bytes.len().min(SECTOR - at % SECTOR));
        pieces.push((at, piece));
        at += piece.len();
        bytes = rest;
    }
    pieces
}

fn put(content: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if bytes.is_empty() {
        return;
    }
    // The usual write appends: no zeros first that are then written over.
    if content.len() == at {
        content.extend_from_slice(bytes);
        return;
    }
    grow(content, end);
    if let Some(place) = content.get_mut(at..end) {
        place.copy_from_slice(bytes);
    }
}

fn grow(content: &mut Vec<u8>, length: usize) {
    if content.len() < length {
        content.resize(length, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_is_cut_at_the_disks_sectors() {
        let bytes = [0; 1200];
        let pieces: Vec<_> = sectors(500, &bytes).into_iter().map(|(at, piece)| (at, piece.len())).collect();
        assert_eq!(pieces, [(500, 12), (512, 512), (1024, 512), (1536, 164)]);
    }
}
