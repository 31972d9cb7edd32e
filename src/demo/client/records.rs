//! The records of a fetch: whole batches one behind the other, each checked by its CRC.

use bytes::Bytes;

use protocol::batch::{self, BatchError, BatchHeader, Record};

const DECOMPRESSED_MAX: usize = 16 << 20;

/// Data records, and where to fetch on.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Read {
    pub(super) records: Vec<Record>,
    pub(super) next: i64,
}

/// The data records from `from` on; a fetch begins with the batch that holds its offset, not at it. A batch that was cut
/// off at the end is left for the next fetch.
pub(super) fn read(mut batches: Bytes, from: i64) -> Result<Read, BatchError> {
    let mut read = Read { records: Vec::new(), next: from };
    while !batches.is_empty() {
        let header = match BatchHeader::parse(&batches) {
            Ok(header) if header.size_bytes <= batches.len() => header,
            Ok(_) | Err(BatchError::Truncated { .. }) => break,
            Err(error) => return Err(error),
        };
        let batch = batches.split_to(header.size_bytes);
        batch::verify_crc(&batch)?;
        read.next = read.next.max(header.next_offset().0);
        if header.attributes.is_control() {
            continue;
        }
        for record in batch::records(&batch, DECOMPRESSED_MAX)? {
            let record = record?;
            if record.offset.0 >= from {
                read.records.push(record);
            }
        }
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use protocol::{Offset, batch::BatchBuilder};

    use super::*;

    fn batch(base: i64, values: &[&str]) -> Vec<u8> {
        let builder = BatchBuilder::new().base_offset(Offset(base));
        let whole = values
            .iter()
            .fold(builder, |builder, value| builder.record(1, None, Some(value.as_bytes()), &[]));
        whole.build().expect("a small batch").to_vec()
    }

    fn offsets(read: &Read) -> Vec<i64> {
        read.records.iter().map(|record| record.offset.0).collect()
    }

    #[test]
    fn records_before_the_position_and_a_cut_batch_are_left_out() {
        let mut bytes = [batch(10, &["a", "b", "c"]), batch(13, &["d"]), batch(14, &["e"])].concat();
        bytes.pop();
        let found = read(bytes.into(), 11).expect("sound batches");
        assert_eq!((offsets(&found), found.next), (vec![11, 12, 13], 14));
    }

    #[test]
    fn a_flipped_bit_is_an_error() {
        let mut bytes = batch(0, &["a"]);
        *bytes.last_mut().expect("not empty") ^= 1;
        assert!(read(bytes.into(), 0).is_err());
    }

    #[test]
    fn nothing_leaves_the_position_where_it_was() {
        assert_eq!(read(Bytes::new(), 7).expect("nothing"), Read { records: vec![], next: 7 });
    }
}
