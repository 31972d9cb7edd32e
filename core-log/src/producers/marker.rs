//! Control batches: how a transaction ended.

use bytes::{Buf as _, Bytes};

use protocol::batch::{self, BatchError, BatchHeader};

/// A marker is a few bytes, and never compressed.
const DECOMPRESSED_MAX: usize = 1024;
const ABORT: i16 = 0;
const COMMIT: i16 = 1;

/// The one record of a control batch that ends a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndMarker {
    pub decision: Decision,
    /// Of the transaction coordinator that wrote it.
    pub coordinator_epoch: i32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Commit,
    Abort,
}

impl EndMarker {
    /// The marker in a whole batch with this header; `None` in all that do not end a transaction: data, control
    /// records of other kinds, and what compaction emptied.
    pub fn read(header: &BatchHeader, batch: &[u8]) -> Result<Option<Self>, BatchError> {
        if !header.attributes.is_control() {
            return Ok(None);
        }
        let mut records = batch::records(&Bytes::copy_from_slice(batch), DECOMPRESSED_MAX)?;
        let Some(record) = records.next().transpose()? else { return Ok(None) };
        let key = record.key.unwrap_or_default();
        let decision = match read_kind(&key) {
            Some(COMMIT) => Decision::Commit,
            Some(ABORT) => Decision::Abort,
            Some(_) => return Ok(None),
            None => return Err(BatchError::BadRecords("a control record has no kind")),
        };
        let value = record.value.unwrap_or_default();
        let coordinator_epoch =
            read_coordinator_epoch(&value).ok_or(BatchError::BadRecords("an end marker is too short"))?;
        Ok(Some(Self { decision, coordinator_epoch }))
    }
}

/// Version, then kind; later versions may only append.
fn read_kind(mut key: &[u8]) -> Option<i16> {
    key.try_get_i16().ok()?;
    key.try_get_i16().ok()
}

/// Version, then epoch; later versions may only append.
fn read_coordinator_epoch(mut value: &[u8]) -> Option<i32> {
    value.try_get_i16().ok()?;
    value.try_get_i32().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::batch::BatchBuilder;

    fn read(key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Option<EndMarker>, BatchError> {
        let batch = BatchBuilder::new().control().record(0, key, value, &[]).build().unwrap();
        EndMarker::read(&BatchHeader::parse(&batch).unwrap(), &batch)
    }

    #[test]
    fn markers_say_how_the_transaction_ended() {
        let value = Some(&[0, 0, 0, 0, 0, 9][..]);
        let marker = |decision| Ok(Some(EndMarker { decision, coordinator_epoch: 9 }));
        assert_eq!(read(Some(&[0, 0, 0, 0]), value), marker(Decision::Abort));
        assert_eq!(read(Some(&[0, 0, 0, 1]), value), marker(Decision::Commit));
        assert_eq!(read(Some(&[0, 0, 0, 2]), value), Ok(None), "a leader change is no end");
    }

    #[test]
    fn data_is_no_marker() {
        let batch = BatchBuilder::new().record(0, Some(&[0, 0, 0, 1]), None, &[]).build().unwrap();
        assert_eq!(EndMarker::read(&BatchHeader::parse(&batch).unwrap(), &batch), Ok(None));
    }

    #[test]
    fn short_markers_are_errors() {
        assert!(matches!(read(Some(&[0, 0, 0]), None), Err(BatchError::BadRecords(_))));
        assert!(matches!(read(None, None), Err(BatchError::BadRecords(_))));
        assert!(matches!(read(Some(&[0, 0, 0, 1]), Some(&[0; 5])), Err(BatchError::BadRecords(_))));
    }
}
