//! After a clean shutdown: the recovery point is the log end, and the files beside the log are as they should be.

use std::{path::Path, sync::Arc};

use protocol::{Offset, batch::HEADER_SIZE};

use super::{Recovered, load_producers, state::load_epochs};
use crate::{
    segment::{ScanError, Scanner, Segment},
    shared::Shared,
};

/// `None`: not quite as a clean shutdown leaves a log, so it has to be scanned.
pub(super) fn open(
    shared: &Shared,
    dir: &Path,
    segments: &[Arc<Segment>],
    producer_start: Offset,
    mark: Offset,
) -> Option<Recovered> {
    let last = segments.last()?;
    if tail_end(shared, last).ok()? != mark {
        return None;
    }
    let epochs = load_epochs(shared, dir)?;
    let producers = load_producers(shared, dir, segments, producer_start, mark).ok()?;
    Some(Recovered {
        segments: segments.to_vec(),
        log_end: mark,
        producers,
        epochs,
        epochs_changed: false,
        changed: false,
        offline: None,
    })
}

/// Where the segment's batches end, if all its bytes are batches from the last index entry on.
fn tail_end(shared: &Shared, last: &Segment) -> Result<Offset, ScanError> {
    let position = last.position_before(shared, Offset(i64::MAX))?;
    let file = last.file(shared)?;
    let mut scanner = Scanner::new(&*file, position, last.size(), last.base, HEADER_SIZE);
    while scanner.next()?.is_some() {}
    Ok(scanner.next_offset())
}
