//! An operator's word that stopped partitions are worth another try. Nothing is skipped by it: each begins again where its log or
//! its table says that it stands, and stops again if what stopped it is still there.

use tokio::sync::{mpsc, oneshot};

use super::link::TargetLink;
use crate::{
    link::receiver::{Event, PartitionKey, PartitionState},
    stop::StopReason,
};

/// Requests that wait for the link.
const REQUESTS: usize = 8;

/// Stopped partitions, by the names that they have at the source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Which {
    /// Of all topics, if not given.
    pub topic: Option<String>,
    /// All partitions, if not given.
    pub partition: Option<i32>,
}

/// A partition that was stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resumed {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    /// Why it was.
    pub(crate) reason: StopReason,
}

/// Asks one link; cheap to clone.
#[derive(Clone)]
pub(crate) struct Resumer(mpsc::Sender<Request>);

pub(crate) struct Request {
    which: Which,
    /// Only tell what is stopped.
    dry_run: bool,
    answer: oneshot::Sender<Vec<Resumed>>,
}

pub(crate) fn resumer() -> (Resumer, mpsc::Receiver<Request>) {
    let (sender, requests) = mpsc::channel(REQUESTS);
    (Resumer(sender), requests)
}

impl Resumer {
    /// What was stopped, and now is tried again. Nothing, if the link has ended.
    pub(crate) async fn resume(&self, which: Which, dry_run: bool) -> Vec<Resumed> {
        let (answer, answered) = oneshot::channel();
        if self.0.send(Request { which, dry_run, answer }).await.is_err() {
            return Vec::new();
        }
        answered.await.unwrap_or_default()
    }
}

impl Which {
    fn names(&self, topic: &str, partition: i32) -> bool {
        self.topic.as_ref().is_none_or(|wanted| wanted == topic)
            && self.partition.is_none_or(|wanted| wanted == partition)
    }
}

impl TargetLink {
    pub(super) fn resume(&mut self, request: Request) {
        let Request { which, dry_run, answer } = request;
        let stopped = self.stopped(&which);
        if !dry_run {
            for (key, resumed) in &stopped {
                let Resumed { topic, partition, reason } = resumed;
                tracing::info!(link = self.parts.link, topic, partition, code = reason.code(), "tried again");
                self.resume_partition(*key);
            }
        }
        // Who asked may have gone.
        let _ = answer.send(stopped.into_iter().map(|(_, resumed)| resumed).collect());
    }

    fn stopped(&self, which: &Which) -> Vec<(PartitionKey, Resumed)> {
        let stopped = self.core.partitions(self.parts.clock.monotonic()).filter_map(|view| {
            let PartitionState::Stopped(reason) = view.state else { return None };
            let (topic, partition) = (self.name_of(&view.key), view.key.partition.0);
            let named = which.names(&topic, partition);
            named.then_some((view.key, Resumed { topic, partition, reason }))
        });
        stopped.collect()
    }

    fn resume_partition(&mut self, key: PartitionKey) {
        // A table that failed is good for nothing until it is read from the disk again.
        if self.landings.by_key.get(&key).is_some_and(|landing| landing.merged) {
            self.landings.give_up(&key);
        }
        self.tell(Event::Resume { key });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_named_by_topic_by_number_or_not_at_all() {
        let which = |topic: Option<&str>, partition| Which { topic: topic.map(str::to_owned), partition };
        let named = |which: Which| [("a", 0), ("a", 1), ("b", 1)].map(|(topic, at)| which.names(topic, at));
        assert_eq!(named(which(None, None)), [true, true, true]);
        assert_eq!(named(which(Some("a"), None)), [true, true, false]);
        assert_eq!(named(which(Some("a"), Some(1))), [false, true, false]);
    }

    #[tokio::test]
    async fn a_link_that_has_ended_has_nothing_to_resume() {
        let (resumer, requests) = resumer();
        drop(requests);
        assert_eq!(resumer.resume(Which::default(), false).await, []);
    }
}
