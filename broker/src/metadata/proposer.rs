//! The one writer of the metadata log.
//!
//! It takes the proposals that wait, plans each against the image as the ones before would leave it, appends all their records
//! as one batch, and only then publishes the image and answers. A caller that goes away does not interrupt it, so a stored
//! record is always folded in.
//!
//! If the append fails, nothing is published and every caller of that batch hears the error. The records may be on disk all
//! the same: the log stays offline until the next start, whose replay decides.

use std::sync::Arc;

use protocol::BrokerId;
use tokio::sync::{mpsc, oneshot};

use super::{
    change::{Change, Refusal},
    handle::Published,
    identity::IdSource,
    image::Image,
    plan::{self, Rules},
};
use crate::record_log::{KeyValue, RecordLog, RecordLogError};

/// Changes that one caller wants made together.
pub(super) struct Proposal {
    pub changes: Vec<Change>,
    pub mode: Mode,
    pub reply: oneshot::Sender<Answer>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Commit,
    /// Only says what would happen.
    Rehearse,
}

/// For each change, the image right after it.
pub(super) type Outcomes = Vec<Result<Arc<Image>, Refusal>>;
type Answer = Result<Outcomes, RecordLogError>;

/// Proposals that share one append.
const PROPOSALS_PER_BATCH_MAX: usize = 64;
/// Stored bytes after which an append takes no further proposal: half of Kafka's largest batch.
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
    while queue.recv_many(&mut waiting, PROPOSALS_PER_BATCH_MAX).await > 0 {
        let mut batch = Batch::after(published.image());
        for proposal in waiting.drain(..) {
            batch.add(proposal, Rules { broker_id, ids: ids.as_ref() });
            if batch.bytes >= BATCH_BYTES_MAX {
                batch.commit(log.as_ref(), &published).await;
                batch = Batch::after(published.image());
            }
        }
        batch.commit(log.as_ref(), &published).await;
    }
}

/// Proposals planned one after the other, not yet stored.
struct Batch {
    image: Arc<Image>,
    records: Vec<KeyValue>,
    bytes: usize,
    answers: Vec<(oneshot::Sender<Answer>, Outcomes)>,
}

impl Batch {
    fn after(image: Arc<Image>) -> Self {
        Self { image, records: Vec::new(), bytes: 0, answers: Vec::new() }
    }

    fn add(&mut self, proposal: Proposal, rules: Rules<'_>) {
        let mut image = self.image.clone();
        let mut records = Vec::new();
        let mut outcomes = Vec::with_capacity(proposal.changes.len());
        for change in &proposal.changes {
            let outcome = make(&image, change, rules, &mut records);
            if let Ok(after) = &outcome {
                image = after.clone();
            }
            outcomes.push(outcome);
        }
        if proposal.mode == Mode::Commit {
            self.image = image;
            self.bytes += records.iter().map(stored_bytes).sum::<usize>();
            self.records.append(&mut records);
        }
        self.answers.push((proposal.reply, outcomes));
    }

    async fn commit(self, log: &dyn RecordLog, published: &Published) {
        let stored = if self.records.is_empty() { Ok(()) } else { log.append(self.records).await.map(drop) };
        match &stored {
            Ok(()) if Arc::ptr_eq(&self.image, &published.image()) => {}
            Ok(()) => published.publish(self.image),
            Err(error) => tracing::error!(%error, "metadata changes could not be stored"),
        }
        for (reply, outcomes) in self.answers {
            // A caller that has gone needs no answer.
            let _gone = reply.send(stored.clone().map(|()| outcomes));
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
    records.extend(planned.iter().map(super::record::MetadataRecord::encode));
    Ok(Arc::new(after))
}

fn stored_bytes(record: &KeyValue) -> usize {
    record.key.len() + record.value.as_ref().map_or(0, |value| value.len())
}
