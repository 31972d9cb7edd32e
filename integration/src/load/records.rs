//! The records of what a fetch brought.

use bytes::Bytes;
use protocol::batch::{BatchHeader, Record, records};

const DECOMPRESSED_BYTES_MAX: usize = 128 << 20;

/// Every record of whole batches, in order; a transaction's markers are nobody's records.
#[track_caller]
pub fn each(fetched: &Bytes, found: &mut dyn FnMut(Record)) {
    let mut at = 0;
    while let Ok(header) = BatchHeader::parse(&fetched[at..]) {
        let end = at + header.size_bytes;
        if end > fetched.len() {
            break;
        }
        let batch = fetched.slice(at..end);
        at = end;
        if header.attributes.is_control() {
            continue;
        }
        for record in records(&batch, DECOMPRESSED_BYTES_MAX).expect("a batch decodes") {
            found(record.expect("a record decodes"));
        }
    }
}
