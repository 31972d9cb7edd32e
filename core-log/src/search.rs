//! Searching a log by timestamp, exact per record. Timestamps need not be in order.

use std::sync::Arc;

use bytes::Bytes;

use protocol::batch;

use crate::{
    LogEnds, ReadError, TimestampOffset,
    read::damage,
    segment::{Found, Scanner, Segment},
    shared::Shared,
};

/// Most batches looked at are rejected by their header.
const WINDOW_BYTES: usize = 16 * 1024;

/// The first record, in offset order, with a timestamp of at least `timestamp`.
pub(crate) fn first_at_or_after(
    shared: &Shared,
    segments: &[Arc<Segment>],
    ends: LogEnds,
    timestamp: i64,
) -> Result<Option<TimestampOffset>, ReadError> {
    for segment in segments {
        let failed = |error| damage(segment, segment.base, error);
        if segment.largest(shared).map_err(failed)?.is_none_or(|(largest, _)| largest < timestamp) {
            continue;
        }
        let position = segment.position_before_time(shared, timestamp).map_err(failed)?;
        let file = segment.file(shared)?;
        let mut scanner = Scanner::new(&*file, position, segment.size(), segment.base, WINDOW_BYTES);
        while let Some(found) = scanner.next().map_err(failed)? {
            if found.header.max_timestamp < timestamp || !is_inside(&found, ends) {
                continue;
            }
            // The header may promise what no record keeps.
            let records = timestamps(shared, &mut scanner, &found, segment, ends)?;
            if let Some(first) = records.into_iter().find(|record| record.timestamp >= timestamp) {
                return Ok(Some(first));
            }
        }
    }
    Ok(None)
}

/// The first of the records with the largest timestamp.
pub(crate) fn largest(
    shared: &Shared,
    segments: &[Arc<Segment>],
    ends: LogEnds,
) -> Result<Option<TimestampOffset>, ReadError> {
    let mut largest: Option<(i64, &Arc<Segment>, Found)> = None;
    for segment in segments {
        let failed = |error| damage(segment, segment.base, error);
        let known = largest.as_ref().map(|(timestamp, ..)| *timestamp);
        let Some((timestamp, offset)) = segment.largest(shared).map_err(failed)? else { continue };
        if known.is_some_and(|known| timestamp <= known) {
            continue;
        }
        // What the index knows as the largest may lie before the log start; then only looking at all the rest helps.
        let from = if offset >= ends.log_start { offset } else { ends.log_start };
        let position = segment.position_before(shared, from).map_err(failed)?;
        let file = segment.file(shared)?;
        let mut scanner = Scanner::new(&*file, position, segment.size(), segment.base, WINDOW_BYTES);
        while let Some(found) = scanner.next().map_err(failed)? {
            let larger = largest.as_ref().is_none_or(|(known, ..)| found.header.max_timestamp > *known);
            if larger && is_inside(&found, ends) {
                largest = Some((found.header.max_timestamp, segment, found));
                if found.header.max_timestamp >= timestamp {
                    break;
                }
            }
        }
    }
    let Some((_, segment, found)) = largest else { return Ok(None) };
    let file = segment.file(shared)?;
    let mut scanner =
        Scanner::new(&*file, found.position, found.end(), found.header.base_offset, found.header.size_bytes);
    let records = timestamps(shared, &mut scanner, &found, segment, ends)?;
    let first = records
        .into_iter()
        .reduce(|best, record| if record.timestamp > best.timestamp { record } else { best });
    Ok(first)
}

fn is_inside(found: &Found, ends: LogEnds) -> bool {
    found.header.last_offset() >= ends.log_start && found.header.base_offset < ends.log_end
}

/// The timestamps of a batch's records that are not before the log start.
fn timestamps(
    shared: &Shared,
    scanner: &mut Scanner<'_>,
    found: &Found,
    segment: &Segment,
    ends: LogEnds,
) -> Result<Vec<TimestampOffset>, ReadError> {
    let offset = found.header.base_offset;
    let bytes = scanner.batch(found).map_err(|error| damage(segment, offset, error))?;
    let failed = |error| ReadError::Records { offset, error };
    let records = batch::records(&Bytes::copy_from_slice(bytes), shared.settings.decompressed_bytes_max);
    let mut found_records = Vec::new();
    for record in records.map_err(failed)? {
        let record = record.map_err(failed)?;
        if record.offset >= ends.log_start {
            found_records.push(TimestampOffset {
                timestamp: record.timestamp,
                offset: record.offset,
                leader_epoch: found.header.leader_epoch,
            });
        }
    }
    Ok(found_records)
}

#[cfg(test)]
mod tests {
    use protocol::Offset;

    use super::*;

    #[test]
    fn a_batch_counts_only_with_records_from_log_start_to_log_end() {
        let header = batch::BatchHeader::parse(
            &batch::BatchBuilder::new().base_offset(Offset(10)).record(1, None, None, &[]).build().unwrap(),
        );
        let found = Found { position: 0, header: header.unwrap() };
        let ends = |start, end| LogEnds { log_start: Offset(start), ..LogEnds::empty_at(Offset(end)) };
        assert!(is_inside(&found, ends(10, 11)));
        assert!(!is_inside(&found, ends(11, 12)));
        assert!(!is_inside(&found, ends(0, 10)));
    }
}
