//! Reads for the sender: whole batches, their CRCs checked, off the link's thread when they are large.

use std::sync::Arc;

use core_log::{Batches, ReadError, ReadLimit};
use protocol::{
    Offset,
    batch::{BatchError, BatchHeader},
};

use crate::{
    driver::workers::Workers,
    link::sender::{ReadBatches, ReadFailure},
    ports::SourcePartition,
};

/// As much is checked in the time that handing it over takes.
const INLINE_BYTES: usize = 64 << 10;

/// Reads from memory if all is there, else from the disk.
pub(super) async fn read(
    partition: Arc<dyn SourcePartition>,
    from: Offset,
    limit: ReadLimit,
    workers: Workers,
) -> Result<ReadBatches, ReadFailure> {
    let batches = match partition.read_recent(from, limit) {
        Some(result) => result,
        None => partition.read(from, limit).await,
    };
    let batches = batches.map_err(failure)?;
    let checked = if batches.bytes <= INLINE_BYTES {
        check(&batches).map(|()| batches)
    } else {
        let job = move || check(&batches).map(|()| batches);
        workers.run(job).await.map_err(|error| ReadFailure::Offline { what: error.to_string() })?
    };
    match checked {
        Ok(batches) => Ok(ReadBatches { pieces: batches.pieces }),
        Err(error) => Err(ReadFailure::Damaged { what: format!("batch after offset {from}: {error}") }),
    }
}

/// Every batch is what its CRC says.
fn check(batches: &Batches) -> Result<(), BatchError> {
    for piece in &batches.pieces {
        let mut rest: &[u8] = piece;
        while !rest.is_empty() {
            let size = BatchHeader::parse(rest)?.size_bytes;
            let truncated = BatchError::Truncated { needed: size, found: rest.len() };
            let (batch, after) = rest.split_at_checked(size).ok_or(truncated)?;
            BatchHeader::parse_whole(batch)?;
            rest = after;
        }
    }
    Ok(())
}

fn failure(error: ReadError) -> ReadFailure {
    match error {
        ReadError::OutOfRange { log_start, log_end } => ReadFailure::OutOfRange { log_start, log_end },
        ReadError::Corrupt(_) | ReadError::Records { .. } | ReadError::Io(_) => {
            ReadFailure::Damaged { what: error.to_string() }
        }
        ReadError::Offline(what) => ReadFailure::Offline { what: what.to_string() },
    }
}
