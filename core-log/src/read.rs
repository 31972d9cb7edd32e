//! Reading batches from segment files.

use std::sync::Arc;

use bytes::Bytes;

use protocol::{Offset, batch::HEADER_SIZE};

use crate::{
    Batches, Corruption, ReadError, ReadLimit,
    names::Kind,
    segment::{self, ScanError, Segment},
    shared::Shared,
    storage::File,
};

/// What lies between an index entry and the batch looked for, usually.
const SLACK_BYTES: usize = 8192;

/// Batches from the one that holds `from`, out of one segment. `None`: the segments start after `from`.
pub(crate) fn read(
    shared: &Shared,
    segments: &[Arc<Segment>],
    from: Offset,
    limit: ReadLimit,
) -> Result<Option<Batches>, ReadError> {
    let after = segments.partition_point(|segment| segment.base <= from);
    let Some(first) = after.checked_sub(1) else { return Ok(None) };
    for segment in segments.get(first..).unwrap_or_default() {
        if segment.base >= limit.until {
            break;
        }
        // The offset may lie in a gap at the segment's end.
        let found =
            read_segment(shared, segment, from, limit).map_err(|error| damage(segment, from, error))?;
        if let Some(batches) = found {
            return Ok(Some(batches));
        }
    }
    Ok(Some(Batches::empty_at(from)))
}

pub(crate) fn damage(segment: &Segment, offset: Offset, error: ScanError) -> ReadError {
    match error {
        ScanError::Io(error) => ReadError::Io(error),
        ScanError::Bad { position, what } => {
            ReadError::Corrupt(Corruption { file: segment.path(Kind::Log), position, offset, what })
        }
    }
}

/// `None`: all of the segment is before `from`.
fn read_segment(
    shared: &Shared,
    segment: &Segment,
    from: Offset,
    limit: ReadLimit,
) -> Result<Option<Batches>, ScanError> {
    let size = segment.size();
    let mut position = segment.position_before(shared, from)?;
    if position >= size {
        return Ok(None);
    }
    let file = segment.file(shared)?;
    let mut wanted = limit.max_bytes.saturating_add(SLACK_BYTES);
    while position < size {
        let bytes = read_bytes(&*file, position, wanted, size)?;
        match cut(&bytes, position, from, limit)? {
            Cut::Found { start, end, next_offset } => {
                let bytes = Bytes::from(bytes).slice(start..end);
                return Ok(Some(Batches { bytes: bytes.len(), pieces: vec![bytes], next_offset }));
            }
            Cut::Stop => return Ok(Some(Batches::empty_at(from))),
            Cut::GoOn { at } => position = at,
            Cut::Larger { at, size: batch_bytes } => {
                if at + batch_bytes as u64 > size {
                    return Err(ScanError::Bad { position: at, what: "a cut batch".to_owned() });
                }
                (position, wanted) = (at, batch_bytes.max(limit.max_bytes));
            }
        }
    }
    Ok(None)
}

fn read_bytes(file: &dyn File, position: u64, wanted: usize, size: u64) -> Result<Vec<u8>, ScanError> {
    let left = usize::try_from(size - position).unwrap_or(usize::MAX);
    // The allocator hands out large zeroed buffers without touching them.
    let mut bytes = vec![0; wanted.min(left)];
    file.read_exact_at(&mut bytes, position).map_err(|error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => ScanError::Bad { position, what: "a shorter file".to_owned() },
        _ => ScanError::Io(error),
    })?;
    Ok(bytes)
}

/// What a stretch of a segment holds for a reader.
#[derive(Debug, PartialEq, Eq)]
enum Cut {
    Found {
        start: usize,
        end: usize,
        next_offset: Offset,
    },
    /// There is something, but the limit does not let it through.
    Stop,
    /// The reader's offset lies behind; batches to look at start at this position.
    GoOn {
        at: u64,
    },
    /// The batch that the reader wants is here but not whole.
    Larger {
        at: u64,
        size: usize,
    },
}

fn cut(bytes: &[u8], position: u64, from: Offset, limit: ReadLimit) -> Result<Cut, ScanError> {
    let (mut at, mut next_offset) = (0, Offset(i64::MIN));
    let mut found: Option<(usize, Offset)> = None;
    while let Some(rest) = bytes.get(at..).filter(|rest| rest.len() >= HEADER_SIZE) {
        let place = position + at as u64;
        let header =
            segment::check(rest, next_offset).map_err(|what| ScanError::Bad { position: place, what })?;
        next_offset = header.next_offset();
        let end = at + header.size_bytes;
        if next_offset <= from {
            at = end;
            continue;
        }
        let start = found.map_or(at, |(start, _)| start);
        let fits = end - start <= limit.max_bytes || found.is_none() && limit.at_least_one;
        if next_offset > limit.until || !fits {
            return Ok(found.map_or(Cut::Stop, |(start, next_offset)| Cut::Found {
                start,
                end: at,
                next_offset,
            }));
        }
        if end > bytes.len() {
            let whole = Cut::Larger { at: place, size: header.size_bytes };
            return Ok(found.map_or(whole, |(start, next_offset)| Cut::Found {
                start,
                end: at,
                next_offset,
            }));
        }
        found = Some((start, next_offset));
        at = end;
    }
    let go_on = match bytes.len().checked_sub(at) {
        // A cut header with nothing read before it is the whole rest of the segment.
        Some(rest) if rest > 0 && at == 0 => {
            return Err(ScanError::Bad { position, what: "a cut header".to_owned() });
        }
        _ => Cut::GoOn { at: position + at as u64 },
    };
    Ok(found.map_or(go_on, |(start, next_offset)| Cut::Found { start, end: at, next_offset }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::batch::BatchBuilder;

    /// Batches of ten records at 0, 10, 20; each as large as the others.
    fn three() -> (Vec<u8>, usize) {
        let batch = |base| {
            let builder = BatchBuilder::new().base_offset(Offset(base));
            let filled = (0..10).fold(builder, |builder, _| builder.record(1, None, Some(b"value"), &[]));
            filled.build().unwrap()
        };
        let batches = [batch(0), batch(10), batch(20)];
        (batches.concat(), batches[0].len())
    }

    fn limit(max_bytes: usize, until: i64, at_least_one: bool) -> ReadLimit {
        ReadLimit { max_bytes, until: Offset(until), at_least_one }
    }

    fn found(start: usize, end: usize, next: i64) -> Cut {
        Cut::Found { start, end, next_offset: Offset(next) }
    }

    #[test]
    fn whole_batches_from_the_one_that_holds_the_offset() {
        let (bytes, size) = three();
        let cut = |from, limit| cut(&bytes, 1000, Offset(from), limit).unwrap();
        assert_eq!(cut(15, limit(10 * size, 100, true)), found(size, 3 * size, 30));
        assert_eq!(cut(15, limit(2 * size - 1, 100, true)), found(size, 2 * size, 20));
        assert_eq!(cut(15, limit(1, 100, true)), found(size, 2 * size, 20));
        assert_eq!(cut(15, limit(1, 100, false)), Cut::Stop);
        assert_eq!(cut(15, limit(10 * size, 29, true)), found(size, 2 * size, 20));
        assert_eq!(cut(30, limit(10 * size, 100, true)), Cut::GoOn { at: 1000 + 3 * size as u64 });
    }

    #[test]
    fn a_batch_cut_by_the_buffer_is_asked_for_whole() {
        let (bytes, size) = three();
        let part = &bytes[..2 * size - 1];
        let cut = |from| cut(part, 0, Offset(from), limit(10 * size, 100, true)).unwrap();
        assert_eq!(cut(5), found(0, size, 10));
        assert_eq!(cut(15), Cut::Larger { at: size as u64, size });
        assert_eq!(cut(25), Cut::GoOn { at: 2 * size as u64 }, "skipped though not whole");
    }

    #[test]
    fn damaged_headers_are_errors() {
        let (bytes, size) = three();
        let mut zeroed = bytes.clone();
        zeroed[size..].fill(0);
        assert!(cut(&zeroed, 0, Offset(15), limit(1 << 20, 100, true)).is_err());
        let repeated = [&bytes[..size], &bytes[..size]].concat();
        assert!(cut(&repeated, 0, Offset(15), limit(1 << 20, 100, true)).is_err());
        assert!(cut(&bytes[..20], 0, Offset(0), limit(1 << 20, 100, true)).is_err());
    }
}
