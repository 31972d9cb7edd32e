//! Records into a log that others write too: stamped with where they come from, and entered in the translation table.
//!
//! The table is written and synced after the batches are durable and before the source hears of it.

use std::sync::Arc;

use bytes::BytesMut;
use parking_lot::Mutex;

use core_log::Appended;
use protocol::{LeaderEpoch, Offset, ProducerId, batch::BatchHeader};

use super::{
    apply::{Applier, Outcome, end_of},
    landing::readable,
    tables::table_failed,
};
use crate::{
    driver::workers::Workers,
    link::receiver::{Apply, ApplyFailure, LocalPosition, Stall},
    ports::{Arrival, SinkPartition},
    position::{SourceOffset, TargetOffset},
    stop::StopReason,
    translation::{
        Run, TableError, TableFile, TargetLog,
        provenance::{Relay, stamp},
    },
};

/// A log with other writers, and the table of what came from this source.
pub(crate) struct MergedPlace {
    sink: Arc<dyn SinkPartition>,
    table: Mutex<TableFile>,
    provenance: ProducerId,
}

impl MergedPlace {
    /// `table` agrees with the log.
    pub(super) fn new(sink: Arc<dyn SinkPartition>, table: TableFile) -> Self {
        let provenance = table.provenance();
        Self { sink, table: Mutex::new(table), provenance }
    }

    pub(super) fn sink(&self) -> &Arc<dyn SinkPartition> {
        &self.sink
    }

    pub(super) fn position(&self) -> LocalPosition {
        let table = self.table.lock();
        let next_offset = table.table().resume().offset();
        let fresh = table.table().target_end().is_none();
        // The log holds what the source's log held: nothing is asked of where it starts.
        LocalPosition {
            log_start: Offset::ZERO,
            next_offset,
            durable_end: next_offset,
            last_epoch: None,
            fresh,
        }
    }

    pub(super) fn translate(&self, position: SourceOffset) -> Option<(TargetOffset, SourceOffset)> {
        let table = self.table.lock();
        let all = TargetLog { start: TargetOffset::ZERO, end: TargetOffset::new(Offset(i64::MAX)) };
        let found = table.table().to_target(position, all)?;
        Some((found.position(), table.table().resume()))
    }

    /// Answers look-ups of either direction, within what consumers can read.
    pub(crate) fn with_table<T>(
        &self,
        look_up: impl FnOnce(&crate::translation::Table, TargetLog) -> T,
    ) -> T {
        look_up(self.table.lock().table(), readable(&*self.sink))
    }

    /// The source's log begins at `position` for us: nothing before it is mirrored.
    pub(super) async fn skip_to(
        self: Arc<Self>,
        position: Offset,
        workers: &Workers,
    ) -> Result<(), ApplyFailure> {
        self.on_table(workers, move |table| {
            table.skip_to(SourceOffset::new(position)).and_then(|()| table.sync())
        })
        .await
    }

    /// Appends to a log that others write too.
    pub(super) async fn merge(self: Arc<Self>, applier: &Applier, apply: Apply) -> Outcome {
        let (from, until) = (apply.rules.from, end_of(&apply));
        let failed = |end, failure| Outcome { end, result: Err(failure) };
        let batches = match applier.unpack(apply.blocks, apply.rules).await {
            Ok(batches) => batches,
            Err(failure) => return failed(from, failure),
        };
        let Stamped { batches, sources, stop } = self.stamp(batches);
        let bytes = batches.iter().map(BytesMut::len).sum();
        let leader_epoch = self.sink.latest_epoch().unwrap_or(LeaderEpoch(0));
        let settled = match batches.is_empty() {
            true => Vec::new(),
            false => self.sink.append(batches, Arrival::Merged { leader_epoch }).await.await,
        };
        let runs = runs(&sources, settled.iter().map_while(|outcome| outcome.as_ref().ok()));
        let end = runs.last().map_or(from, |run| run.source_end().offset());
        let result = applier.result(settled, bytes);
        let skip_to = SourceOffset::new(if result.is_ok() && stop.is_none() { until } else { end });
        let entered = self
            .on_table(&applier.workers, move |table| {
                table.append(&runs)?;
                table.skip_to(skip_to)?;
                // Whoever trims the log may do so at once, and then it cannot tell any more what the table has lost.
                table.sync()
            })
            .await;
        match (entered, result, stop) {
            (Err(failure), _, _) => failed(from, failure),
            (Ok(()), Err(failure), _) => failed(end, failure),
            (Ok(()), Ok(()), Some(reason)) => failed(end, ApplyFailure::Stop(reason)),
            (Ok(()), Ok(()), None) => Outcome { end: until, result: Ok(()) },
        }
    }

    /// Says in each batch where it comes from; leaves out what has no place here.
    fn stamp(&self, batches: Vec<BytesMut>) -> Stamped {
        let mut stamped = Stamped::default();
        for mut batch in batches {
            let header = match BatchHeader::parse(&batch) {
                Ok(header) => header,
                Err(error) => return stamped.until(unsupported(Offset::NONE, &error.to_string())),
            };
            match Relay::of(&header) {
                Relay::Skip => {}
                Relay::Transactional => {
                    let what = "part of a transaction, which a merged topic cannot keep whole";
                    return stamped.until(unsupported(header.base_offset, what));
                }
                Relay::Batch => {
                    if let Err(error) = stamp(&mut batch, self.provenance) {
                        return stamped.until(unsupported(header.base_offset, &error.to_string()));
                    }
                    stamped.sources.push(header.base_offset);
                    stamped.batches.push(batch);
                }
            }
        }
        stamped
    }

    async fn on_table(
        self: Arc<Self>,
        workers: &Workers,
        job: impl FnOnce(&mut TableFile) -> Result<(), TableError> + Send + 'static,
    ) -> Result<(), ApplyFailure> {
        match workers.run(move || job(&mut self.table.lock())).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) if error.is_no_space() => Err(ApplyFailure::Wait(Stall::NoSpace)),
            Ok(Err(error)) => Err(ApplyFailure::Stop(table_failed(&error))),
            Err(error) => Err(ApplyFailure::Stop(StopReason::TargetOffline { what: error.to_string() })),
        }
    }
}

/// Batches that may be appended, and where each was at the source.
#[derive(Default)]
struct Stamped {
    batches: Vec<BytesMut>,
    sources: Vec<Offset>,
    /// Why no more of them.
    stop: Option<StopReason>,
}

impl Stamped {
    fn until(mut self, reason: StopReason) -> Self {
        self.stop = Some(reason);
        self
    }
}

/// One run for each batch that was appended.
fn runs<'a>(sources: &[Offset], appended: impl Iterator<Item = &'a Appended>) -> Vec<Run> {
    let run = |(source, done): (&Offset, &Appended)| {
        let length = done.last_offset.plus(1) - done.base_offset;
        Run::new(SourceOffset::new(*source), TargetOffset::new(done.base_offset), length)
    };
    sources.iter().zip(appended).map(run).collect()
}

fn unsupported(offset: Offset, what: &str) -> StopReason {
    StopReason::UnsupportedBatch { offset, what: what.to_owned() }
}
