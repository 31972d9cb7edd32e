//! The one writer of the metadata log.
//!
//! It takes the proposals that wait, plans each change against the image as the ones before would leave it, appends the records
//! of many changes as one batch, and only then publishes the image and answers. A caller that goes away does not interrupt
//! it, so a stored record is always folded in.
//!
//! If an append fails, nothing of it is published and every change in it is answered with the error. The records may be on disk
//! all the same: the log stays offline until the next start, whose replay decides.

use std::sync::Arc;

use protocol::BrokerId;
use tokio::sync::{mpsc, oneshot};

use super::{
    change::{Change, Refusal},
    error::MetadataError,
    handle::Published,
    identity::IdSource,
    image::Image,
    plan::{self, Rules},
    record::MetadataRecord,
};
use crate::record_log::{KeyValue, RecordLog, RecordLogError};

/// Changes that one caller wants made, in order.
pub(super) struct Proposal {
    pub changes: Vec<Change>,
    pub mode: Mode,
    pub reply: oneshot::Sender<Vec<Outcome>>,
}

/// Whether a proposal is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Commit,
    /// Only says what would happen.
    Rehearse,
}

/// The image right after a change.
pub(super) type Outcome = Result<Arc<Image>, MetadataError>;

/// Proposals that are planned together.
const PROPOSALS_PER_ROUND_MAX: usize = 64;
/// Stored bytes after which an append takes no further change: half of Kafka's largest batch.
const BATCH_BYTES_MAX: usize = 512 << 10;

/// Serves proposals until the last handle is gone.
pub(super) async fn run(
    log: Arc<dyn RecordLog>,
    published: Arc<Published>,
    broker_id: BrokerId,
    ids: Arc<dyn IdSource>,
    mut queue: mpsc::Receiver<Proposal>,
) {
    let mut waiting = Vec::new();
    while queue.recv_many(&mut waiting, PROPOSALS_PER_ROUND_MAX).await > 0 {
        let mut round = Round::new(log.as_ref(), &published, Rules { broker_id, ids: ids.as_ref() });
        for proposal in waiting.drain(..) {
            round.take(proposal).await;
        }
        round.finish().await;
    }
}

/// Proposals that are planned one after the other and answered together.
struct Round<'a> {
    log: &'a dyn RecordLog,
    published: &'a Published,
    rules: Rules<'a>,
    /// As the planned changes will leave it.
    image: Arc<Image>,
    /// Planned, not yet stored.
    records: Vec<KeyValue>,
    bytes: usize,
    answers: Vec<(oneshot::Sender<Vec<Outcome>>, Vec<Outcome>)>,
    /// The answers, and outcomes in them, that depend on the next append.
    unsettled: Vec<(usize, usize)>,
}

impl<'a> Round<'a> {
    fn new(log: &'a dyn RecordLog, published: &'a Published, rules: Rules<'a>) -> Self {
        let image = published.image();
        let (records, answers, unsettled) = (Vec::new(), Vec::new(), Vec::new());
        Self { log, published, rules, image, records, bytes: 0, answers, unsettled }
    }

    async fn take(&mut self, proposal: Proposal) {
        let mut outcomes = Vec::with_capacity(proposal.changes.len());
        match proposal.mode {
            Mode::Rehearse => self.rehearse(&proposal.changes, &mut outcomes),
            Mode::Commit => {
                for change in &proposal.changes {
                    outcomes.push(self.plan(change, outcomes.len()));
                    if self.bytes >= BATCH_BYTES_MAX {
                        // A failed append has to find the outcomes of this proposal, too.
                        self.store(&mut outcomes).await;
                    }
                }
            }
        }
        self.answers.push((proposal.reply, outcomes));
    }

    fn rehearse(&self, changes: &[Change], outcomes: &mut Vec<Outcome>) {
        let mut image = self.image.clone();
        for change in changes {
            let outcome = make(&image, change, self.rules, &mut Vec::new());
            if let Ok(after) = &outcome {
                image = after.clone();
            }
            outcomes.push(outcome.map_err(MetadataError::from));
        }
    }

    fn plan(&mut self, change: &Change, place: usize) -> Outcome {
        let planned_before = self.records.len();
        let after = make(&self.image, change, self.rules, &mut self.records)?;
        self.bytes += self.records.iter().skip(planned_before).map(stored_bytes).sum::<usize>();
        self.unsettled.push((self.answers.len(), place));
        self.image = after.clone();
        Ok(after)
    }

    /// Stores and publishes what is planned; `last` are the outcomes of the proposal that is being planned.
    async fn store(&mut self, last: &mut [Outcome]) {
        let records = std::mem::take(&mut self.records);
        self.bytes = 0;
        let stored = if records.is_empty() { Ok(()) } else { self.log.append(records).await.map(drop) };
        match stored {
            Ok(()) => self.publish(),
            Err(error) => self.fail(error, last),
        }
        self.unsettled.clear();
    }

    fn publish(&self) {
        if !Arc::ptr_eq(&self.image, &self.published.image()) {
            self.published.publish(self.image.clone());
        }
    }

    fn fail(&mut self, error: RecordLogError, last: &mut [Outcome]) {
        tracing::error!(%error, changes = self.unsettled.len(), "metadata changes could not be stored");
        for (answer, place) in self.unsettled.drain(..) {
            let outcomes = self.answers.get_mut(answer).map_or(&mut *last, |(_, outcomes)| outcomes);
            if let Some(outcome) = outcomes.get_mut(place) {
                *outcome = Err(MetadataError::Log(error.clone()));
            }
        }
        self.image = self.published.image();
    }

    async fn finish(mut self) {
        self.store(&mut []).await;
        for (reply, outcomes) in self.answers {
            // A caller that has gone needs no answer.
            let _gone = reply.send(outcomes);
        }
    }
}

/// Plans and folds in one change; the records it takes are added to `records`.
fn make(
    image: &Arc<Image>,
    change: &Change,
    rules: Rules<'_>,
    records: &mut Vec<KeyValue>,
) -> Result<Arc<Image>, Refusal> {
    let planned = plan::plan(image, change, rules)?;
    if planned.is_empty() {
        return Ok(image.clone());
    }
    let mut after = Image::clone(image);
    for record in &planned {
        after.apply(record)?;
    }
    records.extend(planned.iter().map(MetadataRecord::encode));
    Ok(Arc::new(after))
}

fn stored_bytes(record: &KeyValue) -> usize {
    record.key.len() + record.value.as_ref().map_or(0, |value| value.len())
}
