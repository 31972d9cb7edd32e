//! [`RecordLog`] over a partition of this broker's own log.

use std::sync::Arc;

use bytes::{Buf, Bytes};

use core_log::{Ack, Append, AppendError, Clock, Log, LogDir, Place, ReadError, ReadLimit};
use protocol::{
    LeaderEpoch, Offset,
    batch::{BatchBuilder, BatchError, BatchHeader, records},
};

use crate::{
    limits,
    record_log::{Appending, KeyValue, RecordLog, RecordLogError},
};

/// Read at once when a log is replayed.
const REPLAY_BYTES: usize = 1 << 20;

/// A partition as a log of records.
pub(crate) struct StoredRecords {
    log_dir: Arc<LogDir>,
    log: Arc<Log>,
    clock: Arc<dyn Clock>,
    leader_epoch: LeaderEpoch,
}

impl StoredRecords {
    pub(crate) fn new(
        log_dir: Arc<LogDir>,
        log: Arc<Log>,
        clock: Arc<dyn Clock>,
        leader_epoch: LeaderEpoch,
    ) -> Self {
        Self { log_dir, log, clock, leader_epoch }
    }

    async fn append_batch(&self, records: Vec<KeyValue>) -> Result<Offset, RecordLogError> {
        let now_ms = self.clock.wall_ms();
        let batch = records.iter().fold(BatchBuilder::new(), |batch, record| {
            batch.record(now_ms, Some(&record.key), record.value.as_deref(), &[])
        });
        let batch = batch.build().map_err(|_| RecordLogError::TooLarge)?;
        let place = Place::Next { leader_epoch: self.leader_epoch };
        let append = Append { log: self.log.clone(), batch, place };
        let results = self.log_dir.submit(vec![append], Ack::Synced).await.await;
        match results.into_iter().next() {
            Some(Ok(appended)) => Ok(appended.base_offset),
            Some(Err(AppendError::LargerThanSegment { .. })) => Err(RecordLogError::TooLarge),
            Some(Err(error)) => Err(RecordLogError::Unavailable(error.to_string().into())),
            None => Err(RecordLogError::Unavailable("the log is closed".into())),
        }
    }
}

impl RecordLog for StoredRecords {
    fn append(&self, records: Vec<KeyValue>) -> Appending<'_> {
        Box::pin(self.append_batch(records))
    }

    fn replay(&self, each: &mut dyn FnMut(Offset, i64, KeyValue)) -> Result<(), RecordLogError> {
        let ends = self.log.ends();
        let mut from = ends.log_start;
        while from < ends.high_watermark {
            let limit = ReadLimit { max_bytes: REPLAY_BYTES, until: ends.high_watermark, at_least_one: true };
            let batches = self.log.read(from, limit).map_err(unreadable)?;
            if batches.is_empty() {
                let what = format!("nothing can be read at offset {from} of {}", self.log.id());
                return Err(RecordLogError::Corrupt(what.into()));
            }
            for piece in batches.pieces {
                replay_piece(piece, each).map_err(|error| {
                    let what = format!("{} from offset {from}: {error}", self.log.id());
                    RecordLogError::Corrupt(what.into())
                })?;
            }
            from = batches.next_offset;
        }
        Ok(())
    }
}

fn replay_piece(mut piece: Bytes, each: &mut dyn FnMut(Offset, i64, KeyValue)) -> Result<(), BatchError> {
    while !piece.is_empty() {
        let header = BatchHeader::parse(&piece)?;
        let found = piece.len();
        if found < header.size_bytes {
            return Err(BatchError::Truncated { needed: header.size_bytes, found });
        }
        let batch = piece.slice(..header.size_bytes);
        piece.advance(header.size_bytes);
        for record in records(&batch, limits::DECOMPRESSED_BYTES_MAX)? {
            let record = record?;
            // A record without a key has no place in a keyed log; Kafka's own loaders skip it too.
            if let Some(key) = record.key {
                each(record.offset, record.timestamp, KeyValue { key, value: record.value });
            }
        }
    }
    Ok(())
}

fn unreadable(error: ReadError) -> RecordLogError {
    match error {
        ReadError::Corrupt(_) | ReadError::Records { .. } => {
            RecordLogError::Corrupt(error.to_string().into())
        }
        ReadError::OutOfRange { .. } | ReadError::Io(_) | ReadError::Offline(_) => {
            RecordLogError::Unavailable(error.to_string().into())
        }
    }
}
