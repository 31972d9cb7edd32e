//! From what a read gave to what goes on the wire.

use bytes::Bytes;

use protocol::{
    LeaderEpoch, Offset,
    batch::{BatchHeader, Compression, HEADER_SIZE as BATCH_HEADER_SIZE},
};

use super::Class;
use crate::{
    link::{
        Handle,
        limits::{BLOCK_BYTES_MAX, wire_bytes_of_batch},
    },
    stop::StopReason,
};

/// One block, or one batch that goes in fragments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) handle: Handle,
    pub(super) class: Class,
    pub(super) previous_end: Offset,
    pub(super) first_offset: Offset,
    pub(super) last_offset: Offset,
    /// Of the last batch.
    pub(super) leader_epoch: LeaderEpoch,
    pub(super) pieces: Vec<Bytes>,
    pub(super) bytes: usize,
    pub(super) compressible: bool,
    pub(super) fragments_sent: u16,
}

impl Unit {
    pub(super) fn wire_bytes(&self) -> u64 {
        wire_bytes_of_batch(self.bytes)
    }

    pub(super) fn fragment_count(&self) -> u16 {
        self.bytes.div_ceil(BLOCK_BYTES_MAX) as u16 // Held by the largest batch.
    }

    /// The payload of the next fragment, or of the block if it is one.
    pub(super) fn next_payload(&self) -> Vec<Bytes> {
        if self.fragment_count() <= 1 {
            return self.pieces.clone();
        }
        let from = usize::from(self.fragments_sent) * BLOCK_BYTES_MAX;
        // A batch that is cut lies in one piece.
        let until = self.bytes.min(from + BLOCK_BYTES_MAX);
        self.pieces.first().map(|batch| batch.slice(from.min(until)..until)).into_iter().collect()
    }
}

/// What is known of a read's batches.
pub(super) struct Cut {
    pub(super) handle: Handle,
    pub(super) class: Class,
    pub(super) position: Offset,
    pub(super) until: Offset,
    pub(super) compacted: bool,
    pub(super) batch_bytes_max: usize,
}

impl Cut {
    /// Checks the batches and cuts them into units. What was good before a bad one is sent still.
    pub(super) fn units(&self, pieces: Vec<Bytes>) -> (Vec<Unit>, Option<StopReason>) {
        let mut units: Vec<Unit> = Vec::new();
        let mut position = self.position;
        for mut piece in pieces {
            let mut at = 0;
            // As long as the batches of a piece fit into one block, the piece stays whole.
            while at < piece.len() {
                let checked = self.check(piece.get(at..).unwrap_or_default(), position);
                let batch = match checked {
                    Ok(batch) => batch,
                    Err(reason) => {
                        flush(&mut units, piece.split_to(at));
                        return (units, Some(reason));
                    }
                };
                let joins = units.last().is_some_and(|unit| unit.bytes + batch.size_bytes <= BLOCK_BYTES_MAX);
                if !joins {
                    flush(&mut units, piece.split_to(at));
                    at = 0;
                    units.push(self.empty_unit(&batch, position));
                }
                if let Some(unit) = units.last_mut() {
                    unit.bytes += batch.size_bytes;
                    unit.last_offset = batch.last_offset();
                    unit.leader_epoch = batch.leader_epoch;
                    unit.compressible &= batch.attributes.compression() == Ok(Compression::None);
                }
                at += batch.size_bytes;
                position = batch.next_offset();
            }
            flush(&mut units, piece);
        }
        (units, None)
    }

    fn empty_unit(&self, first: &BatchHeader, previous_end: Offset) -> Unit {
        Unit {
            handle: self.handle,
            class: self.class,
            previous_end,
            first_offset: first.base_offset,
            last_offset: first.last_offset(),
            leader_epoch: first.leader_epoch,
            pieces: Vec::new(),
            bytes: 0,
            compressible: true,
            fragments_sent: 0,
        }
    }

    /// The batch at the start of `bytes`, if it may be sent as the next one.
    fn check(&self, bytes: &[u8], position: Offset) -> Result<BatchHeader, StopReason> {
        let damaged = |what: String| StopReason::SourceDamaged { offset: position, what };
        let size = BatchHeader::parse(bytes).map_err(|error| damaged(error.to_string()))?.size_bytes;
        let whole = bytes.get(..size.max(BATCH_HEADER_SIZE)).unwrap_or(bytes);
        let batch = BatchHeader::parse_whole(whole).map_err(|error| damaged(error.to_string()))?;
        let found = batch.base_offset;
        if batch.last_offset_delta < 0 || batch.next_offset() > self.until {
            return Err(damaged(format!("a batch from {found} to {}", batch.last_offset())));
        }
        if found < position {
            // The target's log ends inside a batch of ours.
            return Err(StopReason::Diverged { common: found, position, epoch: batch.leader_epoch });
        }
        if found > position && !self.compacted {
            return Err(StopReason::UnexpectedGap { expected: position, found });
        }
        if size > self.batch_bytes_max {
            let (bytes, limit) = (size as u64, self.batch_bytes_max as u64);
            return Err(StopReason::BatchTooLarge { offset: found, bytes, limit });
        }
        Ok(batch)
    }
}

fn flush(units: &mut [Unit], piece: Bytes) {
    if let Some(unit) = units.last_mut()
        && !piece.is_empty()
    {
        unit.pieces.push(piece);
    }
}
